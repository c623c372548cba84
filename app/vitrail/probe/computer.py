# SPDX-License-Identifier: GPL-3.0-or-later
"""The computer itself: processor, IOMMU, kernel, whether it is a virtual machine, which computer it is."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from vitrail.model.machine import Cpu, CpuVendor, Iommu, IommuKind, KernelConfig
from vitrail.model.paths import ACPI_TABLES, IOMMU_TABLES
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.unread import garbled, is_missing, presence, read_words, unread
from vitrail.source.root import MAX_FILE_BYTES

if TYPE_CHECKING:
    from vitrail.source.root import Root

IOMMU = "sys/class/iommu"
PACKED_CONFIG = "proc/config.gz"
_RELEASE = re.compile(r"[A-Za-z0-9._+~-]{1,128}")
_KINDS = (
    ("dmar", IommuKind.INTEL),
    ("ivhd", IommuKind.AMD),
    ("smmu", IommuKind.ARM),
    ("arm-smmu", IommuKind.ARM),
    ("virtio", IommuKind.VIRTIO),
)
_VENDORS = {"GenuineIntel": CpuVendor.INTEL, "AuthenticAMD": CpuVendor.AMD, "HygonGenuine": CpuVendor.AMD}
_HYPERVISORS = (
    ("qemu", "QEMU"),
    ("kvm", "KVM"),
    ("vmware", "VMware"),
    ("virtualbox", "VirtualBox"),
    ("innotek", "VirtualBox"),
    ("virtual machine", "Hyper-V"),
    ("xen", "Xen"),
    ("bochs", "Bochs"),
    ("parallels", "Parallels"),
    ("bhyve", "bhyve"),
    ("openstack", "OpenStack"),
    ("google compute engine", "Google Compute Engine"),
    ("apple virtualization", "Apple Virtualization"),
    ("firecracker", "Firecracker"),
    ("cloud hypervisor", "Cloud Hypervisor"),
)
"""Words that hypervisors put where firmware names maker and model, lower case."""


def read_cpu(root: Root) -> tuple[Cpu, Reading[str | None]]:
    """The processor, and which hypervisor this computer itself runs in."""
    words = read_words(root, "proc/cpuinfo")
    if isinstance(words, Unknown):
        return Cpu(words, words, words), _read_virtual(root, words)
    facts: dict[str, str] = {}
    for line in words.value.split("\n"):
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
        if not line:
            break
    maker, model, flags = facts.get("vendor_id"), facts.get("model name"), facts.get("flags")
    silent = Unknown(text("probe.cpu.silent"))
    cpu = Cpu(
        vendor=Known(_VENDORS.get(maker, CpuVendor.OTHER), words.source) if maker else silent,
        model=Known(model, words.source) if model else silent,
        virtualization=silent if flags is None else Known(not {"vmx", "svm"}.isdisjoint(flags.split()), words.source),
    )
    marked: Reading[bool] = silent if flags is None else Known("hypervisor" in flags.split(), words.source)
    return cpu, _read_virtual(root, marked)


def _read_virtual(root: Root, marked: Reading[bool]) -> Reading[str | None]:
    firmware = []
    for name in ("sys_vendor", "product_name"):
        said = read_words(root, f"sys/class/dmi/id/{name}")
        if isinstance(said, Known):
            firmware.append(said.value)
    shown = " ".join(firmware)
    for sign, name in _HYPERVISORS:
        if sign in shown.lower():
            return Known(name, "/sys/class/dmi/id")
    kind = read_words(root, "sys/hypervisor/type")
    if isinstance(kind, Known) and kind.value:
        return Known(kind.value, kind.source)
    if isinstance(marked, Unknown):
        return Known(None, "/sys/class/dmi/id") if firmware else marked
    # The processor says so itself even where the firmware's words were changed to hide it.
    return Known("unnamed hypervisor" if marked.value else None, marked.source)


def read_iommu(root: Root, *, has_groups: bool) -> Iommu:
    """Whether an IOMMU translates now. The kernel lists those that do; its command line only says what was wished."""
    offered = _read_offered(root)
    try:
        names = [name for name in root.names(IOMMU) if not name.startswith(".")]
    except OSError as error:
        if has_groups:
            return Iommu(Known(value=True, source="/sys/kernel/iommu_groups"), unread(root, IOMMU, error), offered)
        if is_missing(error) and (root.live or presence(root, "sys/kernel/iommu_groups")):
            return Iommu(Known(value=False, source=f"/{IOMMU}"), Known(None, f"/{IOMMU}"), offered)
        failed = unread(root, IOMMU, error)
        return Iommu(failed, failed, offered)
    if not names:
        return Iommu(Known(value=False, source=f"/{IOMMU}"), Known(None, f"/{IOMMU}"), offered)
    kind = next((kind for sign, kind in _KINDS if names[0].startswith(sign)), IommuKind.OTHER)
    return Iommu(Known(value=True, source=f"/{IOMMU}/{names[0]}"), Known(kind, f"/{IOMMU}/{names[0]}"), offered)


def _read_offered(root: Root) -> Reading[IommuKind | None]:
    for path, kind in zip(IOMMU_TABLES, (IommuKind.INTEL, IommuKind.AMD), strict=True):
        if presence(root, path):
            return Known(kind, f"/{path}")
    if presence(root, ACPI_TABLES):
        return Known(None, f"/{ACPI_TABLES}")
    return Unknown(text("probe.iommu.no-tables"))


def read_release(root: Root) -> Reading[str]:
    """The running kernel's release."""
    words = read_words(root, "proc/sys/kernel/osrelease")
    if isinstance(words, Known) and not _RELEASE.fullmatch(words.value):
        return garbled("proc/sys/kernel/osrelease", words.value)
    return words


def at_least(release: Reading[str], wanted: tuple[int, int]) -> bool:
    """Whether the kernel is that new; False where its release does not tell."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", release.value) if isinstance(release, Known) else None
    return found is not None and (int(found[1]), int(found[2])) >= wanted


def read_config(root: Root, release: Reading[str]) -> KernelConfig:
    """Options that the kernel was built with, from the file that the distribution keeps beside it."""
    if isinstance(release, Unknown):
        return KernelConfig(release)
    reason: Unknown | None = None
    for path in (f"boot/config-{release.value}", f"usr/lib/modules/{release.value}/config"):
        words = read_words(root, path)
        if isinstance(words, Known):
            return KernelConfig(Known(_intel_default(words.value), words.source))
        reason = reason or words
    packed = _unpacked_config(root)
    if packed is not None:
        return KernelConfig(Known(_intel_default(packed), f"/{PACKED_CONFIG}"))
    return KernelConfig(reason or Unknown(text("probe.config.none")))


def _unpacked_config(root: Root) -> str | None:
    """What the kernel itself tells of how it was built; few kernels do."""
    try:
        content = root.read_bytes(PACKED_CONFIG)
    except OSError:
        return None
    import zlib  # noqa: PLC0415 - for the few

    try:
        return zlib.decompressobj(wbits=31).decompress(content, MAX_FILE_BYTES).decode("utf-8", "replace")
    except zlib.error:
        return None


def _intel_default(config: str) -> str | None:
    if "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y" in config:
        exception = "\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y"
        return "except-integrated" if exception in config else "on"
    if "\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y" in config:
        return "except-integrated"
    return "off" if "CONFIG_INTEL_IOMMU" in config else None


def read_modules(root: Root) -> Reading[tuple[str, ...]]:
    """Loaded kernel modules, sorted."""
    words = read_words(root, "proc/modules")
    if isinstance(words, Unknown):
        return words
    return Known(tuple(sorted(line.split(" ", 1)[0] for line in words.value.split("\n") if line)), words.source)


def read_machine_id_hash(root: Root) -> Reading[str]:
    """A digest of the machine id: enough to know this computer again, useless to anyone else."""
    words = read_words(root, "etc/machine-id")
    if isinstance(words, Unknown):
        return words
    if not words.value:
        return garbled("etc/machine-id", "")
    return Known(hashlib.sha256(b"vitrail " + words.value.encode("utf-8", "replace")).hexdigest(), words.source)


def read_kvm(root: Root) -> Reading[bool]:
    """Whether the kernel offers hardware virtualisation now."""
    there = presence(root, "dev/kvm")
    if there is None or (not there and not root.live and presence(root, "dev") is not True):
        return Unknown(text("probe.kvm.unread"))
    return Known(there, "/dev/kvm")

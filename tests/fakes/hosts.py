# SPDX-License-Identifier: GPL-3.0-or-later
"""Small machines made of model values: what judge, plan and the pages above them are tested on.

Separate from `fakes.sysfs`, which builds files for the readers: here nothing is read, so a test can say one fact and
leave the rest to a friendly default (bare metal, AMD, IOMMU on, GRUB, nothing held). Every builder takes the fields of
its type as keywords; plain values are wrapped into `Known`, `UNREAD` stands for what was not read.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import Any

from vitrail.model.boot import Boot, BootSetup, BootStack, FileSystem, InitramfsTool
from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.machine import (
    Connection,
    Cpu,
    CpuVendor,
    Gpu,
    Holder,
    HolderKind,
    Holders,
    Host,
    Iommu,
    IommuGroup,
    IommuKind,
    KernelConfig,
    MachineKind,
    Output,
    PciDevice,
)
from vitrail.model.pci import DeviceIdentity, PciAddress, PciClass
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.vm import GuestSystem, Hostdev, Video, Vm, VmState

VGA = 0x030000
DISPLAY_3D = 0x030200
HDA = 0x040300
USB = 0x0C0330
UCSI = 0x0C8000
NVME = 0x010802
SATA = 0x010601
ETHERNET = 0x020000
HOST_BRIDGE = 0x060000
PCI_BRIDGE = 0x060400

NVIDIA = 0x10DE
AMD = 0x1002
AMD_CHIPSET = 0x1022
INTEL = 0x8086

UNREAD = Unknown(text("tests.unread"))


def at(words: str) -> PciAddress:
    """The address that these words spell."""
    return PciAddress.parse(words)


def known(value: Any) -> Any:
    """The value as it would have been read; what is a reading already stays."""
    return value if isinstance(value, (Known, Unknown)) else Known(value, "test")


def device(
    address: str,
    class_code: int | None,
    vendor: int | None = NVIDIA,
    device_id: int | None = 0x2504,
    *,
    group: Any = None,
    driver: Any = None,
    parent: str | None = None,
    physical: str | None = None,
    name: Any = "a device",
    vendor_name: Any = "a vendor",
) -> PciDevice:
    """One PCI function."""
    return PciDevice(
        identity=DeviceIdentity(at(address), vendor, device_id),
        pci_class=PciClass(class_code),
        vendor_name=known(vendor_name),
        name=known(name),
        driver=known(driver),
        group=known(group),
        parent=at(parent) if parent else None,
        physical_function=at(physical) if physical else None,
    )


def output(connector: str = "DP-1", *, connected: bool = True, display: str | None = "DELL U2720Q") -> Output:
    """A connector, by default with a monitor on it."""
    status = Connection.CONNECTED if connected else Connection.DISCONNECTED
    return Output(connector, known(status), known(display if connected else None), known(connected))


def holders(*seen: Holder, not_seen: int = 0) -> Holders:
    """Who holds a card."""
    return Holders(seen, not_seen)


def process(name: str = "gnome-shell", pid: int = 4711) -> Holder:
    """A program that has the card open."""
    return Holder(HolderKind.PROCESS, name, pid=pid)


def gpu(*functions: PciDevice, **said: Any) -> Gpu:
    """A card of these functions, the graphics first: free, dark, with reset, without any share unless said."""
    facts: dict[str, Any] = {
        "boot_vga": False,
        "vram_mib": 8192,
        "outputs": (output(connected=False),),
        "render_node": "/dev/dri/by-path/pci-" + str(functions[0].address) + "-render",
        "reset_methods": ("flr", "bus"),
        "holders": holders(),
        "bars": (),
        "link": None,
        "power_state": "D0",
        "sriov": None,
        "mdev_types": (),
    }
    return Gpu(device=functions[0], functions=functions, **{k: known(v) for k, v in (facts | said).items()})


def groups_of(devices: tuple[PciDevice, ...]) -> tuple[IommuGroup, ...]:
    """The groups that the devices themselves name."""
    numbers = sorted({d.group.value for d in devices if isinstance(d.group, Known) and d.group.value is not None})
    return tuple(
        IommuGroup(number, tuple(d for d in devices if isinstance(d.group, Known) and d.group.value == number))
        for number in numbers
    )


def nvidia_card(bus: str = "01", group: int | None = 14, **said: Any) -> Gpu:
    """A free NVIDIA card with sound, alone in its group."""
    return gpu(
        device(f"{bus}:00.0", VGA, NVIDIA, 0x2504, group=group, driver="nvidia", name="GA106 [GeForce RTX 3060]"),
        device(f"{bus}:00.1", HDA, NVIDIA, 0x228E, group=group, driver="snd_hda_intel", name="GA106 sound"),
        **said,
    )


def amd_integrated(**said: Any) -> Gpu:
    """The graphics inside an AMD processor: it shows the desktop, and its slot carries the machine's USB."""
    facts = {"boot_vga": True, "outputs": (output("HDMI-A-1"),), "holders": holders(process())} | said
    return gpu(
        device("15:00.0", VGA, AMD, 0x164E, group=38, driver="amdgpu", name="Raphael"),
        device("15:00.1", HDA, AMD, 0x1640, group=39, driver="snd_hda_intel"),
        device("15:00.3", USB, AMD_CHIPSET, 0x15B6, group=41, driver="xhci_hcd"),
        **facts,
    )


def intel_integrated(group: int | None = 0, **said: Any) -> Gpu:
    """The graphics inside an Intel processor, as in an 8th generation desktop: it shows the desktop."""
    facts = {"boot_vga": True, "outputs": (output("HDMI-A-1"),), "holders": holders(process())} | said
    return gpu(device("00:02.0", VGA, INTEL, 0x3E92, group=group, driver="i915", name="UHD 630"), **facts)


def _split(given: dict[str, Any], kind: type) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: known(given.pop(name)) for name in list(given) if name in names}


_ROOT_UUID = "6f6c1f7e-0000-4000-8000-000000000001"
SETUP = BootSetup(
    files=(),
    file_systems=known(
        (FileSystem("/", "ext4", known("6f6c1f7e-0000-4000-8000-000000000001"), "/", known(()), known("gpt")),)
    ),
    selected_entry=known(None),
    kernels=known(("6.12.48-amd64",)),
    images=known(("boot/initrd.img-6.12.48-amd64",)),
    menu_seconds=known(5),
    one_shot=known(None),
    asks_passphrase=known(False),  # noqa: FBT003
    sealed_unlock=known(False),  # noqa: FBT003
)
"""A plain Debian on one ext4 partition."""


def host(*cards: Gpu, others: tuple[PciDevice, ...] = (), vms: Any = (), **said: Any) -> Host:
    """A machine with these cards; fields of Cpu, Iommu, Boot and KernelConfig may be said beside those of Host."""
    functions = tuple(function for card in cards for function in card.functions)
    devices = tuple(sorted((*functions, *others), key=lambda d: d.address))
    facts: dict[str, Any] = dict(said)
    kind = facts.pop("kind", MachineKind.REAL)
    cpu = Cpu(known(CpuVendor.AMD), known("AMD Ryzen 7 7700"), known(True))  # noqa: FBT003 - the fact itself
    boot = Boot(
        loader=known("grub"),
        stack=known(BootStack.GRUB),
        initramfs=known(InitramfsTool.INITRAMFS_TOOLS),
        secure_boot=known(False),  # noqa: FBT003
        lockdown=known("none"),
        uefi=known(True),  # noqa: FBT003
        setup=facts.pop("setup", SETUP),
    )
    iommu = Iommu(known(True), known(IommuKind.AMD), known(facts.pop("offered", UNREAD)))  # noqa: FBT003
    config = KernelConfig(known("except-integrated"))
    cpu = replace(cpu, **_split(facts, Cpu))
    boot = replace(boot, **_split(facts, Boot))
    # `kind` is a field of Iommu too; there it is said as iommu_kind.
    iommu = replace(iommu, **({"active": known(facts.pop("active"))} if "active" in facts else {}))
    iommu = replace(iommu, **({"kind": known(facts.pop("iommu_kind"))} if "iommu_kind" in facts else {}))
    config = replace(config, **_split(facts, KernelConfig))
    default = {
        "kernel": "6.12.48-amd64",
        "machine_id_hash": "00" * 32,
        "boot_id": "3c1e1f0e",
        "cmdline": "BOOT_IMAGE=/boot/vmlinuz ro quiet",
        "virtual": None,
        "modules": (),
        "kvm": True,
        "devices": devices,
        "gpus": cards,
        "groups": groups_of(devices),
        "mediated_devices": (),
        "network_cards": (),
        "disk_controllers": (),
        "input_controllers": (),
    }
    readings = {name: known(value) for name, value in (default | facts).items()}
    return Host(
        kind=kind, cpu=cpu, iommu=iommu, boot=boot, config=config, vms=known(vms), read_at=0.0, digest="h", **readings
    )


def intel_host(*cards: Gpu, **said: Any) -> Host:
    """A machine with an Intel processor, its IOMMU on as Debian's kernel has it by default."""
    facts = {"vendor": CpuVendor.INTEL, "model": "Intel Core i7-8700", "iommu_kind": IommuKind.INTEL} | said
    return host(*cards, **facts)


def vm(name: str = "win11", **said: Any) -> Vm:
    """A VM that is off, a q35 with UEFI and a virtio screen seen by SPICE, and Windows inside unless said."""
    facts: dict[str, Any] = {
        "uuid": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
        "name": name,
        "virt_type": "kvm",
        "arch": "x86_64",
        "machine": "pc-q35-10.0",
        "emulator": "/usr/bin/qemu-system-x86_64",
        "uefi": True,
        "memory_kib": 8 * 1024 * 1024,
        "guest": known(GuestSystem.WINDOWS),
        "videos": (Video("virtio", primary=True),),
        "screens": (),
        "hostdevs": (),
        "looking_glass": False,
        "shared_memory_backing": False,
        "graphics": (),
        "state": known(VmState.OFF),
        "persistent": True,
        "has_managed_save": known(False),  # noqa: FBT003
        "autostart": known(False),  # noqa: FBT003
        "text": "<domain/>",
        "digest": "v",
    }
    readings = ("guest", "state", "has_managed_save", "autostart")
    facts |= {key: known(value) if key in readings else value for key, value in said.items()}
    return Vm(**facts)


def given(*addresses: str) -> tuple[Hostdev, ...]:
    """Host functions in a VM's definition."""
    return tuple(Hostdev("pci", pci=at(address), managed=True) for address in addresses)


def capabilities(**said: Any) -> DomainCapabilities:
    """A QEMU with every screen that Vitrail writes."""
    facts: dict[str, Any] = {
        "arch": "x86_64",
        "machine": "pc-q35-10.0",
        "virt_type": "kvm",
        "video_models": ("vga", "cirrus", "qxl", "virtio", "none", "bochs", "ramfb"),
        "graphics_types": ("sdl", "vnc", "spice", "egl-headless", "dbus"),
        "pci_backends": ("vfio",),
    } | said
    plain = ("arch", "machine", "virt_type")
    return DomainCapabilities(**{key: value if key in plain else known(value) for key, value in facts.items()})

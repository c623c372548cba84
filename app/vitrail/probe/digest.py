# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of a host: equal exactly as long as everything that judge and plan use is equal.

Separate from the wire form, and faster: it leaves out what changes by itself (times, processes, power, link speed,
VMs, names) and it is taken over thousands of devices at every read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from vitrail.model.reading import Known, Reading, Unknown

if TYPE_CHECKING:
    from vitrail.model.boot import BootSetup
    from vitrail.model.machine import Gpu, Host, PciDevice

Item = TypeVar("Item")
_MODULES_THAT_MATTER = ("vfio", "kvm", "mdev", "iommufd")


def with_digest(host: Host) -> Host:
    """The same host with its digest filled in."""
    words = "\n".join(_lines(host))
    return replace(host, digest=hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest())


def _shown(reading: Reading[object]) -> str:
    # A reason's arguments may hold what a failing device said; its id is what a judgement rests on.
    return f"={reading.value!r}" if isinstance(reading, Known) else f"?{reading.reason.id}"


def _lines(host: Host) -> Iterator[str]:
    yield "host 1"
    boot = host.boot
    yield from map(_shown, (host.kernel, host.machine_id_hash, host.cmdline, host.virtual, host.kvm))
    yield from map(_shown, (host.cpu.vendor, host.cpu.model, host.cpu.virtualization))
    yield from map(_shown, (host.iommu.active, host.iommu.kind))
    yield from map(_shown, (boot.loader, boot.stack, boot.initramfs, boot.secure_boot, boot.lockdown, boot.uefi))
    yield from _setup(boot.setup)
    yield _shown(host.config.intel_iommu_default_on)
    yield _modules(host.modules)
    yield from map(_shown, (host.network_cards, host.disk_controllers, host.input_controllers))
    yield _shown(host.mediated_devices)
    yield from _items("devices", host.devices, _device)
    yield from _items("gpus", host.gpus, _gpu)
    if isinstance(host.groups, Unknown):
        yield f"groups ?{host.groups.reason.id}"
    else:
        for group in host.groups.value:
            members = " ".join(str(device.identity.address) for device in group.members)
            yield f"group {group.number} {members} | {' '.join(map(str, group.silent))}"


def _setup(setup: BootSetup) -> Iterator[str]:
    # GRUB writes its environment at every start; what counts of it is read apart.
    yield from (f"{file.path} {_shown(file.content)}" for file in setup.files if not file.path.endswith("/grubenv"))
    yield from map(_shown, (setup.file_systems, setup.selected_entry, setup.kernels, setup.images))
    yield from map(_shown, (setup.menu_seconds, setup.one_shot, setup.asks_passphrase, setup.sealed_unlock))
    yield " ".join(setup.programs)


def _items(title: str, items: Reading[tuple[Item, ...]], line_of: Callable[[Item], str]) -> Iterable[str]:
    if isinstance(items, Unknown):
        return (f"{title} ?{items.reason.id}",)
    return (title, *map(line_of, items.value))


def _modules(modules: Reading[tuple[str, ...]]) -> str:
    if isinstance(modules, Unknown):
        return f"modules ?{modules.reason.id}"
    return f"modules {' '.join(name for name in modules.value if name.startswith(_MODULES_THAT_MATTER))}"


def _device(device: PciDevice) -> str:
    ids, driver, group = device.identity, device.driver, device.group
    return (
        f"{ids.address} {device.pci_class.code:x} {ids.vendor_id:x} {ids.device_id:x}"
        f" {ids.subsystem_vendor_id} {ids.subsystem_device_id}"
        f" {driver.value if isinstance(driver, Known) else '?'} {group.value if isinstance(group, Known) else '?'}"
        f" {device.parent} {device.physical_function}"
    )


def _gpu(gpu: Gpu) -> str:
    outputs = "?"
    if isinstance(gpu.outputs, Known):
        outputs = ";".join(
            f"{output.connector} {_shown(output.status)} {_shown(output.display)}" for output in gpu.outputs.value
        )
    # Memory is left out: a card that falls asleep stops telling it.
    parts = (gpu.boot_vga, gpu.render_node, gpu.reset_methods, gpu.bars, gpu.sriov)
    kinds = gpu.mdev_types
    types = " ".join(kind.id for kind in kinds.value) if isinstance(kinds, Known) else "?"
    return f"{gpu.address} {outputs} {' '.join(map(_shown, parts))} {types}"

# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the whole machine: asks every reader once and puts the answers together."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from vitrail.model.machine import Gpu, Host, MachineKind, MediatedDevice, PciDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.vm import Vm
from vitrail.probe.boot import read_boot
from vitrail.probe.carriers import (
    read_disk_controllers,
    read_input_controllers,
    read_mediated_devices,
    read_network_cards,
)
from vitrail.probe.computer import (
    at_least,
    read_config,
    read_cpu,
    read_iommu,
    read_kvm,
    read_machine_id_hash,
    read_modules,
    read_release,
)
from vitrail.probe.digest import with_digest
from vitrail.probe.drm import read_drm
from vitrail.probe.gpu import Surroundings, is_asleep, read_gpu, read_power_state
from vitrail.probe.holders import read_holders
from vitrail.probe.pci import Bus, read_bus, read_groups
from vitrail.probe.unread import read_words
from vitrail.probe.vm_graphics import with_cards_of_vms
from vitrail.probe.vram import Memory

if TYPE_CHECKING:
    from vitrail.source.names import Names
    from vitrail.source.nvml import NvmlSource
    from vitrail.source.root import Root

_NAMES_RESETS_SINCE = (5, 15)


def read_host(
    root: Root,
    vms: Reading[tuple[Vm, ...]],
    *,
    kind: MachineKind,
    names: Names,
    nvml: NvmlSource | None = None,
    setup: bool = True,
) -> Host:
    """Everything that can be read of this machine now; what cannot is `Unknown` with its reason. Never raises.

    Without `setup` the files of the start stay unread: quicker, and good for looking only, since a plan rests on them.
    """
    kernel = read_release(root)
    cmdline = read_words(root, "proc/cmdline")
    cpu, virtual = read_cpu(root)
    bus = read_bus(root, names)
    has_groups = isinstance(bus.members, Known) and bool(bus.members.value)
    mediated = read_mediated_devices(root)
    host = Host(
        kind=kind,
        kernel=kernel,
        machine_id_hash=read_machine_id_hash(root),
        boot_id=read_words(root, "proc/sys/kernel/random/boot_id"),
        cmdline=cmdline,
        virtual=virtual,
        cpu=cpu,
        iommu=read_iommu(root, has_groups=has_groups),
        boot=read_boot(root, cmdline, setup=setup),
        config=read_config(root, kernel),
        modules=read_modules(root),
        kvm=read_kvm(root),
        devices=bus.devices,
        gpus=_read_gpus(root, bus, vms, mediated, nvml, names_resets=at_least(kernel, _NAMES_RESETS_SINCE)),
        groups=read_groups(bus),
        mediated_devices=mediated,
        network_cards=read_network_cards(root),
        disk_controllers=read_disk_controllers(root),
        input_controllers=read_input_controllers(root),
        vms=vms,
        read_at=time.time(),
        digest="",
    )
    return with_digest(with_cards_of_vms(host))


def _read_gpus(
    root: Root,
    bus: Bus,
    vms: Reading[tuple[Vm, ...]],
    mediated: Reading[tuple[MediatedDevice, ...]],
    nvml: NvmlSource | None,
    *,
    names_resets: bool,
) -> Reading[tuple[Gpu, ...]]:
    if isinstance(bus.devices, Unknown):
        return bus.devices
    slots: defaultdict[tuple[int, int, int], list[PciDevice]] = defaultdict(list)
    for device in bus.devices.value:
        slots[device.address.slot_key].append(device)
    cards: dict[PciAddress, tuple[PciDevice, ...]] = {}
    for device in bus.devices.value:
        if device.pci_class.is_display:
            cards[device.address] = (device, *_beside(device, slots[device.address.slot_key]))
    if not cards:
        return Known((), bus.devices.source)
    sleeping = frozenset(address for address in cards if is_asleep(read_power_state(root, bus.places[address])))
    drm = read_drm(root)
    awake = frozenset(cards) - sleeping
    around = Surroundings(
        bus=bus,
        drm=drm,
        holders=read_holders(root, cards, (bus, drm, vms, mediated), awake),
        memory=Memory(nvml, may_ask=not any(_is_nvidia(cards[address][0]) for address in sleeping)),
        names_resets=names_resets,
    )
    gpus = (read_gpu(root, around, functions[0], functions) for functions in cards.values())
    return Known(tuple(gpus), bus.devices.source)


def _beside(device: PciDevice, slot: list[PciDevice]) -> tuple[PciDevice, ...]:
    """The other functions of its slot. Virtual functions may share their card's slot, but each stands alone."""
    if device.physical_function is not None:
        return ()
    return tuple(other for other in slot if other is not device and other.physical_function is None)


def _is_nvidia(device: PciDevice) -> bool:
    return isinstance(device.driver, Known) and device.driver.value == "nvidia"

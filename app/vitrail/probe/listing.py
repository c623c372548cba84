# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine made from a pasted listing: cards, groups and drivers as far as the text tells them, nothing else.

Separate from `read_host` because there is no machine to look at: every other fact is `Unknown`, never a guess.
"""

from __future__ import annotations

import time
from itertools import groupby

from vitrail.model.boot import Boot, BootSetup
from vitrail.model.machine import (
    Cpu,
    Gpu,
    Host,
    Iommu,
    IommuGroup,
    KernelConfig,
    MachineKind,
    PciDevice,
)
from vitrail.model.pci import DeviceIdentity, PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.wire import digest
from vitrail.source.listing_lines import ListedDevice
from vitrail.source.lspci_text import Listing

SOURCE = "listing"
"""What evidence names where a fact was read from the text."""

_NOT_TOLD = Unknown(text("listing.not-told"))
_NO_NAME = Unknown(text("listing.no-name"))
_NO_GROUP_TOLD = Unknown(text("listing.no-group"))
_NO_GROUPS = Unknown(text("listing.no-groups"))
_NO_DRIVER_TOLD = Unknown(text("listing.no-driver"))


def host_from_listing(listing: Listing) -> Host:
    """The machine that the text shows."""
    bridges: dict[tuple[int, int | None], PciAddress] = {
        (device.address.domain, device.secondary_bus): device.address
        for device in listing.devices
        if device.secondary_bus
    }
    devices = tuple(_device(listed, bridges) for listed in listing.devices)
    groups = _groups(devices)
    return Host(
        kind=MachineKind.LISTING,
        kernel=_NOT_TOLD,
        machine_id_hash=_NOT_TOLD,
        boot_id=_NOT_TOLD,
        cmdline=_NOT_TOLD,
        virtual=_NOT_TOLD,
        cpu=Cpu(vendor=_NOT_TOLD, model=_NOT_TOLD, virtualization=_NOT_TOLD),
        iommu=Iommu(
            active=Known(value=True, source=SOURCE) if groups else _NO_GROUPS, kind=_NOT_TOLD, offered=_NOT_TOLD
        ),
        boot=Boot(
            loader=_NOT_TOLD,
            stack=_NOT_TOLD,
            initramfs=_NOT_TOLD,
            secure_boot=_NOT_TOLD,
            lockdown=_NOT_TOLD,
            uefi=_NOT_TOLD,
            setup=BootSetup.unread(_NOT_TOLD),
        ),
        config=KernelConfig(intel_iommu_default_on=_NOT_TOLD),
        modules=_NOT_TOLD,
        kvm=_NOT_TOLD,
        devices=Known(devices, SOURCE),
        gpus=Known(_gpus(devices), SOURCE),
        groups=Known(groups, SOURCE) if groups else _NO_GROUPS,
        mediated_devices=_NOT_TOLD,
        network_cards=_NOT_TOLD,
        disk_controllers=_NOT_TOLD,
        input_controllers=_NOT_TOLD,
        vms=_NOT_TOLD,
        read_at=time.time(),
        digest=digest(devices),
    )


def _device(listed: ListedDevice, bridges: dict[tuple[int, int | None], PciAddress]) -> PciDevice:
    address = listed.address
    return PciDevice(
        identity=DeviceIdentity(
            address,
            listed.vendor_id,
            listed.device_id,
            listed.subsystem_vendor_id,
            listed.subsystem_device_id,
        ),
        pci_class=listed.pci_class,
        vendor_name=_NO_NAME if listed.vendor_name is None else Known(listed.vendor_name, SOURCE),
        name=_NO_NAME if listed.name is None else Known(listed.name, SOURCE),
        driver=_NO_DRIVER_TOLD if listed.driver is None else Known(listed.driver, SOURCE),
        group=_group(listed),
        parent=bridges.get((address.domain, address.bus)),
    )


def _group(listed: ListedDevice) -> Reading[int | None]:
    if listed.group is not None:
        return Known(listed.group, SOURCE)
    return Known(None, SOURCE) if listed.without_group else _NO_GROUP_TOLD


def _groups(devices: tuple[PciDevice, ...]) -> tuple[IommuGroup, ...]:
    members: dict[int, list[PciDevice]] = {}
    for device in devices:
        if isinstance(device.group, Known) and device.group.value is not None:
            members.setdefault(device.group.value, []).append(device)
    return tuple(IommuGroup(number, tuple(members[number])) for number in sorted(members))


def _gpus(devices: tuple[PciDevice, ...]) -> tuple[Gpu, ...]:
    slots = {key: tuple(slot) for key, slot in groupby(devices, lambda device: device.address.slot_key)}
    return tuple(_gpu(device, slots[device.address.slot_key]) for device in devices if device.pci_class.is_display)


def _gpu(device: PciDevice, slot: tuple[PciDevice, ...]) -> Gpu:
    others = tuple(other for other in slot if other is not device)
    return Gpu(
        device=device,
        functions=(device, *others),
        boot_vga=_NOT_TOLD,
        vram_mib=_NOT_TOLD,
        outputs=_NOT_TOLD,
        render_node=_NOT_TOLD,
        reset_methods=_NOT_TOLD,
        holders=_NOT_TOLD,
        bars=_NOT_TOLD,
        link=_NOT_TOLD,
        power_state=_NOT_TOLD,
        sriov=_NOT_TOLD,
        mdev_types=_NOT_TOLD,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to one card, and what the machine has besides it.

A card is more than its slot: AMD's sit behind a switch of their own, and some have their sound on a bus of its own
behind that switch. Only the chain of bridges can tell; where the source does not show it, nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.words import CLASS_USB, CLASS_USB_TYPE_C
from vitrail.model.machine import Connection, Gpu, Host, PciDevice
from vitrail.model.pci import CLASS_HDA_AUDIO, CLASS_VGA, PciAddress
from vitrail.model.reading import Known

_COMPANIONS = (CLASS_HDA_AUDIO, CLASS_USB, CLASS_USB_TYPE_C)
_INTEL = 0x8086
_INTEGRATED_SLOT = (0, 0, 2)
VFIO = "vfio-pci"


@dataclass(frozen=True, slots=True)
class Bus:
    """The chain of bridges of one machine. `told`: whether the source shows it at all."""

    devices: dict[PciAddress, PciDevice]
    children: dict[PciAddress, tuple[PciDevice, ...]]

    @property
    def told(self) -> bool:
        """Whether any bridge chain was read; a pasted listing has none."""
        return bool(self.children)

    def below(self, bridge: PciAddress) -> tuple[PciDevice, ...]:
        """Everything behind this bridge, at any depth."""
        found: list[PciDevice] = []
        waiting = [bridge]
        passed_by = {bridge}
        while waiting:
            for child in self.children.get(waiting.pop(), ()):
                if child.address not in passed_by:
                    passed_by.add(child.address)
                    found.append(child)
                    waiting.append(child.address)
        return tuple(found)


def own_functions(gpu: Gpu) -> tuple[PciAddress, ...]:
    """The functions that make up the card: those of its slot. A virtual function stands alone, whatever its slot."""
    if gpu.device.physical_function is not None:
        return (gpu.address,)
    return tuple(function.address for function in gpu.functions if function.physical_function is None)


def bus_of(host: Host) -> Bus:
    """The chain of bridges as this machine shows it."""
    devices = host.devices.value if isinstance(host.devices, Known) else ()
    children: dict[PciAddress, list[PciDevice]] = {}
    for device in devices:
        if device.parent is not None:
            children.setdefault(device.parent, []).append(device)
    return Bus({one.address: one for one in devices}, {key: tuple(found) for key, found in children.items()})


def _belongs(other: PciDevice, card: PciDevice) -> bool:
    if other.pci_class.is_bridge or other.address.slot_key == card.address.slot_key:
        return True
    companion = other.pci_class.short in _COMPANIONS
    return companion and other.identity.vendor_id is not None and other.identity.vendor_id == card.identity.vendor_id


def own_switch(bus: Bus, card: PciDevice) -> PciAddress | None:
    """The topmost bridge that is part of the card itself, None where it sits in the slot directly.

    The bridge is the card's when its maker made the card, it is not the port that it is plugged into, and nothing but
    the card is behind it.
    """
    top: PciAddress | None = None
    here = bus.devices.get(card.parent) if card.parent else None
    climbed: set[PciAddress] = set()
    while here is not None and here.parent is not None and here.address not in climbed:
        climbed.add(here.address)
        same_maker = here.identity.vendor_id is not None and here.identity.vendor_id == card.identity.vendor_id
        if not same_maker or not all(_belongs(one, card) for one in bus.below(here.address)):
            break
        top = here.address
        here = bus.devices.get(here.parent)
    return top


def companions(bus: Bus, card: PciDevice) -> tuple[PciDevice, ...]:
    """Functions of the card that are not in its slot: its sound on another bus, behind its own switch."""
    top = own_switch(bus, card)
    if top is None:
        return ()
    return tuple(
        one for one in bus.below(top) if not one.pci_class.is_bridge and one.address.slot_key != card.address.slot_key
    )


def ids_of(device: PciDevice) -> str | None:
    """Vendor and device as one word, `10de:2504`; None where either is not told, so that nothing equals it."""
    vendor, number = device.identity.vendor_id, device.identity.device_id
    return None if vendor is None or number is None else f"{vendor:04x}:{number:04x}"


def is_integrated_intel(device: PciDevice) -> bool:
    """Intel's graphics inside the processor: always at 00:02, and treated apart by kernel and IOMMU."""
    return device.identity.vendor_id == _INTEL and device.address.slot_key == _INTEGRATED_SLOT


def bound_to(device: PciDevice, driver: str) -> bool:
    """Whether this driver certainly has the device."""
    return isinstance(device.driver, Known) and device.driver.value == driver


def whole_cards(host: Host) -> tuple[Gpu, ...]:
    """The cards of this machine; virtual functions are parts of one and are left out."""
    cards = host.gpus.value if isinstance(host.gpus, Known) else ()
    return tuple(card for card in cards if card.device.physical_function is None)


def lit_outputs(gpu: Gpu) -> tuple[str, ...]:
    """The connectors of this card with a monitor on them, as far as that was read."""
    outputs = gpu.outputs.value if isinstance(gpu.outputs, Known) else ()
    return tuple(
        one.connector for one in outputs if isinstance(one.status, Known) and one.status.value is Connection.CONNECTED
    )


def can_show(gpu: Gpu) -> bool:
    """Whether this computer could show its own picture on this card: a driver here works it and it has sockets."""
    driver = gpu.device.driver
    if isinstance(driver, Known) and (driver.value == VFIO or driver.value is None):
        # Without a driver only the firmware's picture is left, and that is on the first card.
        return driver.value is None and isinstance(gpu.boot_vga, Known) and gpu.boot_vga.value
    has_sockets = isinstance(gpu.outputs, Known) and bool(gpu.outputs.value)
    return has_sockets or gpu.device.pci_class.short == CLASS_VGA


def other_screens(host: Host, gpu: Gpu) -> tuple[Gpu, ...]:
    """The other cards that this computer could still show its picture on."""
    return tuple(card for card in whole_cards(host) if card.address != gpu.address and can_show(card))

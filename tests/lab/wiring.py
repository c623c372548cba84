# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab machine is built of, in one description: QEMU's arguments and what Linux must make of them come from it.

Slots are numbered from 1 and each is a root port of its own, so the firmware numbers the buses in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Iommu(Enum):
    """The device in the chipset, with what QEMU is told; a firmware with VT-d off has none."""

    INTEL = ("intel-iommu,intremap=on,caching-mode=on", "kernel-irqchip=split")
    AMD = ("amd-iommu,intremap=off", "kernel-irqchip=split")
    NONE = ("", "")


@dataclass(frozen=True, slots=True)
class Part:
    """One function of a device, and what Linux shows of it."""

    model: str
    vendor_id: str
    device_id: str
    pci_class: str
    driver: str

    @property
    def is_display(self) -> bool:
        """Whether Vitrail calls it a graphics card."""
        return self.pci_class.startswith("03")


CARD = Part("bochs-display", "1234", "1111", "0380", "bochs-drm")
CARD_WITH_PORTS = Part("secondary-vga", "1234", "1111", "0380", "bochs-drm")
VGA_CARD = Part("VGA", "1234", "1111", "0300", "bochs-drm")
CIRRUS = Part("cirrus-vga", "1013", "00b8", "0300", "cirrus")
AUDIO = Part("intel-hda", "8086", "2668", "0403", "snd_hda_intel")
NIC = Part("e1000", "8086", "100e", "0200", "e1000")


@dataclass(frozen=True, slots=True)
class Slot:
    """A root port; with a bridge its parts are devices of one group, without they are functions of one device."""

    parts: tuple[Part, ...]
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class Wired:
    """A function where the machine must show it. `tied` names everything that shares its group, itself included."""

    address: str
    part: Part
    tied: tuple[str, ...]
    card: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine's cards, its IOMMU and the kernel's arguments beside the lab's own."""

    slots: tuple[Slot, ...]
    iommu: Iommu = Iommu.INTEL
    builtin: Part | None = None
    arguments: str = ""
    qemu: tuple[str, ...] = field(default=())

    def wired(self) -> tuple[Wired, ...]:
        """Every function, bridges left out."""
        return tuple(self._wired())

    def displays(self) -> tuple[Wired, ...]:
        """What `scan` must list as graphics cards."""
        return tuple(wired for wired in self.wired() if wired.part.is_display)

    def _wired(self) -> Iterator[Wired]:
        if self.builtin:
            yield Wired("0000:00:02.0", self.builtin, ("0000:00:02.0",), ("0000:00:02.0",))
        bus = 0
        for slot in self.slots:
            bus += 1
            if slot.bridged:
                bridge = f"0000:{bus:02x}:00.0"
                bus += 1
                addresses = tuple(f"0000:{bus:02x}:{place:02x}.0" for place in range(1, len(slot.parts) + 1))
                for address, part in zip(addresses, slot.parts, strict=True):
                    yield Wired(address, part, (bridge, *addresses), (address,))
            else:
                addresses = tuple(f"0000:{bus:02x}:00.{number}" for number in range(len(slot.parts)))
                for address, part in zip(addresses, slot.parts, strict=True):
                    yield Wired(address, part, addresses, addresses)

    def arguments_of_qemu(self) -> list[str]:
        """The board, the IOMMU and every card."""
        device, board = self.iommu.value
        found = ["-machine", ",".join(filter(None, ("q35", board)))]
        if device:
            found += ["-device", device]
        if self.builtin:
            found += ["-device", f"{self.builtin.model},bus=pcie.0,addr=0x2"]
        for number, slot in enumerate(self.slots, 1):
            found += [
                "-device",
                f"pcie-root-port,id=rp{number},bus=pcie.0,addr={0x10 + number:#x},chassis={number},slot={number}",
            ]
            if slot.bridged:
                found += ["-device", f"pcie-pci-bridge,id=br{number},bus=rp{number},addr=0x0"]
            for place, part in enumerate(slot.parts):
                where = f"bus=br{number},addr={place + 1:#x}" if slot.bridged else f"bus=rp{number},addr=0x0.{place:#x}"
                several = ",multifunction=on" if place == 0 and len(slot.parts) > 1 and not slot.bridged else ""
                found += ["-device", f"{part.model},{where}{several}"]
        return [*found, *self.qemu]

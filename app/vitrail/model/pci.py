# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI's own nouns: address, class code, identity."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-1]?[0-9a-fA-F])\.([0-7])")


@dataclass(frozen=True, slots=True, order=True)
class PciAddress:
    """Where a function sits: domain, bus, slot, function. The only key for devices; it can change when cards move."""

    domain: int
    bus: int
    slot: int
    function: int

    @classmethod
    def parse(cls, words: str) -> PciAddress:
        """Read `0000:01:00.0` or `01:00.0` (domain 0). Raises ValueError for anything else, trailing text included."""
        match = _ADDRESS.fullmatch(words.strip())
        if match is None:
            raise ValueError(words)
        domain, bus, slot, function = (int(part, 16) if part else 0 for part in match.groups())
        return cls(domain, bus, slot, function)

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function:x}"

    @property
    def short(self) -> str:
        """Without the domain where it is 0, as people read it: `01:00.0`."""
        return str(self) if self.domain else str(self)[5:]

    @property
    def slot_key(self) -> tuple[int, int, int]:
        """What all functions of one card's slot share."""
        return (self.domain, self.bus, self.slot)


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Which device this is, besides where: addresses renumber and ids collide, so both are kept and compared.

    Ids are the 16-bit numbers of PCI's configuration space; subsystem ids are None where the device has none. Vendor
    and device are None only where a pasted listing does not tell them: such ids are never equal to anything.
    """

    address: PciAddress
    vendor_id: int | None
    device_id: int | None
    subsystem_vendor_id: int | None = None
    subsystem_device_id: int | None = None


# Base classes and classes of the PCI code and ID assignment specification, as sysfs' `class` shows them.
_BASE_DISPLAY = 0x03
_BASE_BRIDGE = 0x06
CLASS_VGA = 0x0300
CLASS_3D = 0x0302
CLASS_DISPLAY_OTHER = 0x0380
CLASS_HDA_AUDIO = 0x0403
CLASS_HOST_BRIDGE = 0x0600
CLASS_PCI_BRIDGE = 0x0604


@dataclass(frozen=True, slots=True)
class PciClass:
    """A 24-bit class code: base class, subclass and programming interface, `0x030000` for VGA.

    None only where a pasted listing names a class that nobody here knows: then it is neither card nor bridge.
    """

    code: int | None

    @property
    def short(self) -> int | None:
        """Base class and subclass, `0x0300`; the programming interface left out."""
        return None if self.code is None else self.code >> 8

    @property
    def _base(self) -> int | None:
        return None if self.code is None else self.code >> 16

    @property
    def is_display(self) -> bool:
        """VGA, 3D or other display controller: what Vitrail calls a GPU. Names never decide this."""
        return self._base == _BASE_DISPLAY

    @property
    def is_bridge(self) -> bool:
        """Host, PCI, ISA and other bridges; a PCI bridge in a group is never handed over."""
        return self._base == _BASE_BRIDGE

    @property
    def is_pci_bridge(self) -> bool:
        """A PCI-to-PCI bridge or root port, which vfio leaves alone when it judges whether a group is viable."""
        return self.short == CLASS_PCI_BRIDGE

    def __str__(self) -> str:
        return "?" if self.code is None else f"0x{self.code:06x}"

# SPDX-License-Identifier: GPL-3.0-or-later
"""A mainboard that fills up: devices are plugged in, IOMMU groups are numbered as they come.

Separate from the tree builder of the fakes, which knows sysfs and nothing of what belongs together on a real board.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fakes.sysfs import HDA, HOST_BRIDGE, PCI_BRIDGE, Tree

GIB = 1 << 30
MIB = 1 << 20

_MEMORY = 0x00040200
_WIDE = 0x0014220C
_PORTS = 0x00040101
_ROM = 0x00046200
_NONE = (0, 0)


def nvidia_bars(wide: int) -> tuple[tuple[int, int], ...]:
    """Registers, the window on the card's memory, a second one, ports and the ROM."""
    return (16 * MIB, _MEMORY), (wide, _WIDE), _NONE, (32 * MIB, _WIDE), _NONE, (128, _PORTS), (512 * 1024, _ROM)


def radeon_bars(wide: int) -> tuple[tuple[int, int], ...]:
    """The window on the card's memory, doorbells, ports, registers and the ROM."""
    return (wide, _WIDE), _NONE, (2 * MIB, _WIDE), _NONE, (256, _PORTS), (256 * 1024, _MEMORY), (128 * 1024, _ROM)


def intel_bars(wide: int) -> tuple[tuple[int, int], ...]:
    """Registers and the window on the card's memory."""
    return (16 * MIB, _WIDE), _NONE, (wide, _WIDE), _NONE, _NONE, _NONE, (2 * MIB, _ROM)


@dataclass
class Board:
    """Devices of one machine. `grouped` is False where no IOMMU parts them."""

    tree: Tree
    grouped: bool = True
    ids: list[tuple[int, int]] = field(default_factory=list)
    _next: int = 0

    def group(self) -> int | None:
        """The next group's number."""
        if not self.grouped:
            return None
        self._next += 1
        return self._next - 1

    def plug(
        self, address: str, class_code: int, vendor: int, device: int, *, group: int | None = None, **facts: Any
    ) -> int | None:
        """A device that nobody asks much about, in a group of its own unless one is named. Gives its group."""
        return self._add(address, group, (class_code, vendor, device), {"attributes": False, **facts})

    def card(
        self, address: str, class_code: int, vendor: int, device: int, *, group: int | None = None, **facts: Any
    ) -> int | None:
        """A graphics card, with everything that sysfs says of it."""
        return self._add(address, group, (class_code, vendor, device), facts)

    def sound_of(self, address: str, vendor: int, device: int, number: int, **facts: Any) -> int | None:
        """The card's sound function with its sound card."""
        group = self.plug(address, HDA, vendor, device, **{"driver": "snd_hda_intel", **facts})
        if facts.get("driver", "snd_hda_intel") == "snd_hda_intel":
            self.tree.sound(full(address), number)
        return group

    def bridge(self, address: str, vendor: int, device: int, **facts: Any) -> int | None:
        """A PCI-to-PCI bridge with its driver."""
        return self.plug(address, PCI_BRIDGE, vendor, device, driver="pcieport", **facts)

    def host_bridge(self, address: str, vendor: int, device: int, **facts: Any) -> int | None:
        """A host bridge, which has no driver."""
        return self.plug(address, HOST_BRIDGE, vendor, device, **facts)

    def _add(self, address: str, group: int | None, what: tuple[int, int, int], facts: dict[str, Any]) -> int | None:
        number = self.group() if group is None else group
        if facts.get("behind"):
            facts = {**facts, "behind": full(facts["behind"])}
        self.tree.pci(full(address), *what, group=number, **facts)
        self.ids.append(what[1:])
        return number


def full(address: str) -> str:
    """With the domain."""
    return address if address.count(":") > 1 else f"0000:{address}"

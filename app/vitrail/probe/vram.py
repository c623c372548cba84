# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory of its own a card has, from whichever driver tells.

Separate from the other readers because each vendor tells in another place, and because NVIDIA's library, alone of all
sources, wakes cards: it is asked only while every NVIDIA card is awake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.machine import PciDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.unread import read_count

if TYPE_CHECKING:
    from vitrail.source.nvml import NvmlCard, NvmlSource
    from vitrail.source.root import Root

_INTEL = 0x8086
_MIB = 1024 * 1024
_FILES = ("mem_info_vram_total", "tile0/physical_vram_size_bytes")
"""Of amdgpu and xe, below the function's folder."""


class Memory:
    """Answers for all cards; asks NVIDIA's library at most once, and only when told that it may."""

    def __init__(self, nvml: NvmlSource | None, *, may_ask: bool) -> None:
        self._nvml = nvml
        self._may_ask = may_ask
        self._cards: Reading[tuple[NvmlCard, ...]] | None = None

    def of(self, root: Root, place: str, device: PciDevice, *, asleep: bool) -> Reading[int | None]:
        """The card's own memory; Known(None) where it uses the computer's."""
        driver = device.driver.value if isinstance(device.driver, Known) else None
        if driver == "nvidia":
            return Unknown(text("probe.asleep")) if asleep else self._from_nvml(device.address)
        for name in _FILES:
            size = read_count(root, f"{place}/{name}")
            if isinstance(size, Known):
                return Known(size.value // _MIB, size.source)
        if device.identity.vendor_id == _INTEL and device.address.bus == 0:
            return Known(None, str(device.address))
        if driver is None or driver.startswith("vfio"):
            return Unknown(text("probe.vram.set-aside"))
        return Unknown(text("probe.vram.driver-silent", driver=driver))

    def _from_nvml(self, address: PciAddress) -> Reading[int | None]:
        if self._nvml is None or not self._may_ask:
            return Unknown(text("probe.vram.not-asked"))
        if self._cards is None:
            self._cards = self._nvml.cards()
        if isinstance(self._cards, Unknown):
            return self._cards
        card = next((card for card in self._cards.value if card.address == address), None)
        if card is None:
            return Unknown(text("probe.vram.nvml-misses", address=address.short))
        return card.memory_mib

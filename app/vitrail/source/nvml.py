# SPDX-License-Identifier: GPL-3.0-or-later
"""A card's name and memory from NVIDIA's own library, typed.

The only module that imports pynvml. The library is opened for one question and closed again: whoever keeps it open
holds the cards, and a held card cannot be handed to a VM. Who watches the load keeps it open through `nvml_live`, and
has to let go when cards change hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text

_MIB = 1024 * 1024
_SOURCE = "NVML"


@dataclass(frozen=True, slots=True)
class NvmlCard:
    """One card as NVIDIA's driver sees it."""

    address: PciAddress
    name: Reading[str]
    memory_mib: Reading[int | None]


class NvmlSource(Protocol):
    """Whoever can list NVIDIA's cards: the library of this machine, or a recording."""

    def cards(self) -> Reading[tuple[NvmlCard, ...]]:
        """Every card that the driver manages."""
        ...


class Nvml:
    """The library of this machine. Asking wakes sleeping cards."""

    def cards(self) -> Reading[tuple[NvmlCard, ...]]:
        """Every card that the driver manages; Unknown where library or driver are missing or do not fit together."""
        pynvml = library()
        if pynvml is None:
            return Unknown(text("source.nvml.no-wrapper"))
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            return Unknown(text("source.nvml.failed", error=str(error)))
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
            cards = [_read_card(pynvml, handle) for handle in handles]
        except pynvml.NVMLError as error:
            return Unknown(text("source.nvml.failed", error=str(error)))
        finally:
            pynvml.nvmlShutdown()
        return Known(tuple(card for card in cards if card is not None), _SOURCE)


class RecordedNvml:
    """What a recording's nvml.json says: `{"cards": [{"address", "name", "memory_mib"}]}`."""

    def __init__(self, content: object) -> None:
        self._content = content

    def cards(self) -> Reading[tuple[NvmlCard, ...]]:
        """The recorded cards; entries that are not in the form are left out."""
        entries = self._content.get("cards") if isinstance(self._content, dict) else None
        if not isinstance(entries, list):
            return Unknown(text("source.nvml.not-recorded"))
        cards = (_recorded_card(entry) for entry in entries)
        return Known(tuple(card for card in cards if card is not None), "nvml.json")


def library() -> Any | None:
    """The pynvml module, None where it is not installed. It loads NVIDIA's library only when that is opened."""
    try:
        import pynvml  # noqa: PLC0415 - costs time, and most machines never ask
    except ImportError:
        return None
    return pynvml


def _read_card(pynvml: Any, handle: Any) -> NvmlCard | None:
    bus_id = _words(pynvml.nvmlDeviceGetPciInfo(handle).busId)
    try:
        address = PciAddress.parse(bus_id)
    except ValueError:
        return None
    name: Reading[str]
    memory: Reading[int | None]
    try:
        name = Known(_words(pynvml.nvmlDeviceGetName(handle)), _SOURCE)
    except pynvml.NVMLError as error:
        name = Unknown(text("source.nvml.failed", error=str(error)))
    try:
        memory = Known(int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) // _MIB, _SOURCE)
    except pynvml.NVMLError as error:
        memory = Unknown(text("source.nvml.failed", error=str(error)))
    return NvmlCard(address, name, memory)


def _words(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _recorded_card(entry: object) -> NvmlCard | None:
    if not isinstance(entry, dict):
        return None
    try:
        address = PciAddress.parse(str(entry.get("address")))
    except ValueError:
        return None
    name, memory = entry.get("name"), entry.get("memory_mib")
    silent = Unknown(text("source.nvml.not-recorded"))
    return NvmlCard(
        address,
        Known(name, "nvml.json") if isinstance(name, str) else silent,
        Known(memory, "nvml.json") if type(memory) is int and memory >= 0 else silent,
    )

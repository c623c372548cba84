# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's cards through one library that stays open: who may be asked, what to say when it fails, card values.

The library is opened with no card attached, and each card's handle only while that card is awake. Whoever changes
drivers, functions or instances has it closed first: an open library holds every card that it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample, EngineLoad
from vitrail.model.text import Text, text
from vitrail.source.nvml_live import NvmlFault, NvmlLive, NvmlTrouble

T = TypeVar("T")
SOURCE = "NVML"
_MIB = 1024 * 1024
_AGAIN_S = 30.0
SLOW_S = 5.0
"""How old a value may be that changes slowly or costs more."""
_SLOWED = (
    (0x04, "power limit"),
    (0x08, "hardware slowdown"),
    (0x20, "heat"),
    (0x40, "heat, by hardware"),
    (0x80, "power brake"),
)
_DIVIDED = Unknown(text("load.unsupported.mig"))
_NO_WRAPPER = Unknown(text("load.unsupported.nvml-wrapper"))
_PAUSED = Unknown(text("load.stale.stepped-aside"))


def reason_of(trouble: NvmlTrouble) -> Unknown:
    """What to say of a question that failed."""
    return Unknown(_REASONS.get(trouble.fault) or text("load.failed.nvml", message=trouble.words))


_REASONS: dict[NvmlFault, Text] = {
    NvmlFault.NO_LIBRARY: text("load.unsupported.nvml-library"),
    NvmlFault.NO_DRIVER: text("load.unsupported.nvml-driver"),
    NvmlFault.NO_FUNCTION: text("load.unsupported.nvml-older"),
    NvmlFault.NOT_SUPPORTED: text("load.unsupported.nvml"),
    NvmlFault.NO_PERMISSION: text("load.needs-helper.nvml"),
    NvmlFault.NOT_FOUND: text("load.idle.no-samples"),
    NvmlFault.LOST: text("load.failed.nvml-lost"),
    NvmlFault.MISMATCH: text("load.failed.nvml-mismatch"),
}


def reading(question: Callable[[], T]) -> Reading[T]:
    """The answer, or why there is none."""
    try:
        return Known(question(), SOURCE)
    except NvmlTrouble as trouble:
        return reason_of(trouble)


def if_there(answer: Reading[T]) -> Reading[T] | None:
    """None where this card has no such thing, as a card without a fan."""
    missing = (_REASONS[NvmlFault.NOT_SUPPORTED], _REASONS[NvmlFault.NO_FUNCTION])
    return None if isinstance(answer, Unknown) and answer.reason in missing else answer


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is read every few seconds only."""

    read_at: float
    divided: bool
    fan: Reading[int] | None
    clock: Reading[int] | None
    slowed: Reading[tuple[str, ...]] | None
    parts: tuple[EngineLoad, ...]


class Nvidia:
    """The open library with the cards' handles. `find` gives the library at the first question, None without one."""

    def __init__(self, find: Callable[[], NvmlLive | None]) -> None:
        self._find = find
        self._live: NvmlLive | None = None
        self._cards: dict[PciAddress, Any] = {}
        self._slow: dict[PciAddress, _Slow] = {}
        self._open = False
        self._failed: Unknown | None = None
        self._again_at = 0.0
        self._aside = False

    @property
    def live(self) -> NvmlLive:
        """The library itself, for who has a handle."""
        assert self._live is not None, "a handle comes from a library"  # noqa: S101 - a fault of ours
        return self._live

    @property
    def is_open(self) -> bool:
        """Whether it holds the cards that it was asked for."""
        return self._open

    def stay_away(self) -> None:
        """Ask no card until `resume`: one of them is about to change hands."""
        self._aside = True

    def resume(self) -> None:
        """The cards may be asked again."""
        self._aside = False
        self._again_at = 0.0

    def release(self) -> None:
        """Let go of every card now; the next question opens the library again."""
        if self._open and self._live is not None:
            self._open = False
            self._cards, self._slow = {}, {}
            try:
                self._live.close()
            except NvmlTrouble as trouble:
                self._failed = reason_of(trouble)

    def handle(self, address: PciAddress, now: float) -> Any | Unknown:
        """The library's handle of a card that is awake, or why it cannot be asked."""
        if self._aside:
            return _PAUSED
        known = self._cards.get(address)
        if known is not None:
            return known
        if self._failed is not None and now < self._again_at:
            return self._failed
        self._live = self._live or self._find()
        if self._live is None:
            return _NO_WRAPPER
        try:
            if not self._open:
                self._live.open()
                self._open = True
            self._failed = None
            self._cards[address] = self._live.card(address)
        except NvmlTrouble as trouble:
            answer = reason_of(trouble)
            if not self._open:
                self._failed, self._again_at = answer, now + _AGAIN_S
            return answer
        return self._cards[address]

    def lost(self, address: PciAddress, trouble: NvmlTrouble) -> Unknown:
        """A card stopped answering: its handle is dropped, the others stay."""
        self._cards.pop(address, None)
        self._slow.pop(address, None)
        return reason_of(trouble)

    def sample(self, address: PciAddress, now: float) -> CardSample:
        """What a card does now; it must be awake."""
        card = self.handle(address, now)
        if isinstance(card, Unknown):
            return CardSample(address, card, card, card)
        try:
            slow = self._slow_of(address, card, now)
            load: Reading[tuple[int, int]] = _DIVIDED if slow.divided else Known(self.live.utilization(card), SOURCE)
        except NvmlTrouble as trouble:
            if trouble.fault is NvmlFault.LOST:
                gone = self.lost(address, trouble)
                return CardSample(address, gone, gone, gone)
            load, slow = reason_of(trouble), self._slow.get(address, _NOTHING)
        memory = reading(lambda: self.live.memory(card))
        return CardSample(
            address,
            load if isinstance(load, Unknown) else Known(float(load.value[0]), SOURCE),
            memory if isinstance(memory, Unknown) else Known(memory.value[0] // _MIB, SOURCE),
            memory if isinstance(memory, Unknown) else Known(memory.value[1] // _MIB, SOURCE),
            _engines(load, slow),
            temperature_c=if_there(reading(lambda: float(self.live.temperature_c(card)))),
            power_w=if_there(reading(lambda: self.live.power_mw(card) / 1000)),
            fan_percent=slow.fan,
            clock_mhz=slow.clock,
            slowed_by=slow.slowed,
        )

    def _slow_of(self, address: PciAddress, card: Any, now: float) -> _Slow:
        slow = self._slow.get(address)
        if slow is None or now - slow.read_at >= SLOW_S:
            slow = self._slow[address] = self._read_slow(card, now)
        return slow

    def _read_slow(self, card: Any, now: float) -> _Slow:
        parts = []
        for name, question in (("encode", "Encoder"), ("decode", "Decoder")):
            busy = reading(partial(self.live.engine, card, question))
            if isinstance(busy, Known):
                parts.append(EngineLoad(name, float(busy.value)))
        divided = reading(lambda: self.live.divided(card))
        return _Slow(
            now,
            isinstance(divided, Known) and divided.value,
            if_there(reading(lambda: self.live.fan_percent(card))),
            if_there(reading(lambda: self.live.clock_mhz(card))),
            if_there(reading(lambda: _slowed(self.live.slowed_by(card)))),
            tuple(parts),
        )


_NOTHING = _Slow(0.0, divided=False, fan=None, clock=None, slowed=None, parts=())


def _slowed(bits: int) -> tuple[str, ...]:
    return tuple(name for bit, name in _SLOWED if bits & bit)


def _engines(load: Reading[tuple[int, int]], slow: _Slow) -> tuple[EngineLoad, ...]:
    if isinstance(load, Unknown):
        return slow.parts
    core, memory = load.value
    return (EngineLoad("core", float(core)), EngineLoad("memory", float(memory)), *slow.parts)

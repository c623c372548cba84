# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves of the last 15 minutes, kept on the window's side so that no plot ever waits for the sampler."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vitrail.load.history import FINE_S, card_key, vm_key
from vitrail.model.reading import Known, Reading
from vitrail.model.sample import LoadPoint, Sample

_MOST = 4 * FINE_S


class Dot(NamedTuple):
    """A point of a curve: when, the load and its highest in percent, the memory; None where it was not known."""

    at: float
    load: float | None
    highest: float | None
    memory_mib: float | None


class Traces:
    """One curve for every card and every VM on a card. What was not seen for 15 minutes is dropped."""

    def __init__(self) -> None:
        self._curves: dict[str, deque[Dot]] = {}
        self.newest = 0.0
        """When the last tick was."""

    def begin(self, past: dict[str, tuple[LoadPoint, ...]]) -> None:
        """What was kept from before."""
        for key, points in past.items():
            self._curves[key] = deque(dots_of(points), maxlen=_MOST)

    def add(self, sample: Sample) -> None:
        """One tick more."""
        if sample.taken_at < self.newest:
            # The clock was set back: a curve cannot run backwards.
            self._curves.clear()
        self.newest = sample.taken_at
        for card in sample.cards.value if isinstance(sample.cards, Known) else ():
            self._put(card_key(card.address), card.load_percent, card.memory_used_mib)
        for vm in sample.vms.value if isinstance(sample.vms, Known) else ():
            if vm.load is not None:
                self._put(vm_key(vm.uuid, vm.gpu), vm.load[0], vm.memory_used_mib)
        oldest = sample.taken_at - FINE_S
        for key, curve in tuple(self._curves.items()):
            while curve and curve[0].at <= oldest:
                curve.popleft()
            if not curve:
                del self._curves[key]

    def _put(self, key: str, load: Reading[float], memory: Reading[int] | None) -> None:
        percent = load.value if isinstance(load, Known) else None
        mib = float(memory.value) if isinstance(memory, Known) else None
        self._curves.setdefault(key, deque(maxlen=_MOST)).append(Dot(self.newest, percent, percent, mib))

    def curve(self, key: str) -> Sequence[Dot]:
        """The last 15 minutes, oldest first; empty where there is nothing."""
        return self._curves.get(key, ())

    @property
    def keys(self) -> frozenset[str]:
        """Everything that there is a curve of."""
        return frozenset(self._curves)


def dots_of(points: Iterable[LoadPoint]) -> tuple[Dot, ...]:
    """Points of the history as dots."""
    return tuple(
        Dot(one.taken_at, one.load_percent, one.highest_percent, None if one.memory_mib is None else one.memory_mib)
        for one in points
    )

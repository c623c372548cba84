# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark "it stuttered now": the last seconds are at hand; a mark waits for those that follow and keeps them all."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal

from vitrail.load.history import card_key, vm_key
from vitrail.model.errors import VitrailError
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading
from vitrail.model.sample import CardSample, LoadOf, Sample, VmSample
from vitrail.model.stutter import AFTER_S, BEFORE_S, CardInstant, Instant, Stutter, VmInstant
from vitrail.qt.facts import Facts
from vitrail.qt.load.meter import Beat
from vitrail.qt.load.sampling import Sampling
from vitrail.qt.runner import Runner
from vitrail.qt.words import card_name
from vitrail.service.stutters import Stutters

_MOST_TICKS = 90
_HOLD = "stutter"


class Marking(QObject):
    """The marks of one place.

    Signals:
        progressed: a mark waits for so many more seconds; 0 when it is done.
        changed: the kept moments are others now.
        failed: a moment could not be kept or removed; a `VitrailError`.
    """

    progressed = Signal(int)
    changed = Signal()
    failed = Signal(VitrailError)

    def __init__(
        self, sampling: Sampling, facts: Callable[[], Facts | None], stutters: Callable[[], Stutters], runner: Runner
    ) -> None:
        super().__init__(sampling)
        self._sampling, self._facts, self._stutters, self._runner = sampling, facts, stutters, runner
        self._instants: deque[Instant] = deque(maxlen=_MOST_TICKS)
        self._waits = False
        self._marked_at: float | None = None
        self.kept: tuple[Stutter, ...] = ()
        """What is kept, newest first, as last read."""
        sampling.sampled.connect(self._sampled)

    def read(self) -> None:
        """Read again what is kept."""
        self._runner.read(lambda: self._stutters().all(), self._read, self.failed.emit, self)

    def mark(self) -> None:
        """Something stuttered just now. While one moment is being kept, another press adds nothing."""
        if self._sampling.measures and not self._waits:
            self._waits, self._marked_at = True, None
            self.progressed.emit(round(AFTER_S))
            self._sampling.hold(_HOLD, held=True)

    def remove(self, stutter_id: str) -> None:
        """Forget a moment."""

        def away() -> tuple[Stutter, ...]:
            stutters = self._stutters()
            stutters.remove(stutter_id)
            return stutters.all()

        self._runner.read(away, self._read, self.failed.emit, self)

    def _read(self, kept: tuple[Stutter, ...]) -> None:
        self.kept = kept
        self.changed.emit()

    def _sampled(self, beat: Beat) -> None:
        instant = instant_of(beat.sample, self._facts())
        if self._instants and self._instants[-1].at > instant.at:
            # The clock was set back: what came before it would stand in the future.
            self._instants.clear()
            self._marked_at = None
        self._instants.append(instant)
        if not self._waits:
            while self._instants[0].at < instant.at - BEFORE_S - 1:
                self._instants.popleft()
            return
        if self._marked_at is None:
            self._marked_at = instant.at
        left = self._marked_at + AFTER_S - instant.at
        self.progressed.emit(max(0, round(left)))
        if left <= 0:
            self._keep(self._marked_at)

    def _keep(self, marked_at: float) -> None:
        self._waits, self._marked_at = False, None
        self._sampling.hold(_HOLD, held=False)
        around = tuple(one for one in self._instants if abs(one.at - marked_at) <= max(BEFORE_S, AFTER_S) + 1)
        stutter = Stutter(str(int(marked_at)), marked_at, around)

        def keep() -> tuple[Stutter, ...]:
            stutters = self._stutters()
            stutters.keep(stutter)
            return stutters.all()

        self._runner.read(keep, self._read, self.failed.emit, self)


def instant_of(sample: Sample, facts: Facts | None) -> Instant:
    """What of a tick is kept around a moment."""
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    cards = sample.cards.value if isinstance(sample.cards, Known) else ()
    names = _names(facts)
    return Instant(sample.taken_at, tuple(_vm(vm, names) for vm in vms), tuple(_card(card, names) for card in cards))


def _names(facts: Facts | None) -> dict[PciAddress, str]:
    """What each card is called; with its address where two are called the same, or where it has no name."""
    cards = () if facts is None else facts.cards
    words = {card.gpu.address: card_name(card.gpu) for card in cards}
    often = Counter(words.values())
    return {
        address: name if often[name] == 1 else f"{name} ({address.short})"
        for address, name in words.items()
        if isinstance(name, str)
    }


def _vm(vm: VmSample, names: Mapping[PciAddress, str]) -> VmInstant:
    context = vm.context
    card = "" if vm.load is None else "?"
    return VmInstant(
        key=vm_key(vm.uuid, vm.gpu),
        name=vm.name,
        card=card if vm.gpu is None else names.get(vm.gpu, vm.gpu.short),
        load=None if vm.load is None else _value(vm.load[0]),
        of_card=vm.load is None or vm.load[1] is LoadOf.CARD,
        vcpu_wait=None if context is None else _value(context.vcpu_wait_percent),
        disk_wait=None if context is None else _value(context.disk_wait_percent),
    )


def _card(card: CardSample, names: Mapping[PciAddress, str]) -> CardInstant:
    slowed = card.slowed_by.value if isinstance(card.slowed_by, Known) else None
    name = names.get(card.address, card.address.short)
    return CardInstant(card_key(card.address), name, _value(card.load_percent), slowed)


def _value(reading: Reading[float]) -> float | None:
    return reading.value if isinstance(reading, Known) else None

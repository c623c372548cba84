# SPDX-License-Identifier: GPL-3.0-or-later
"""When the load is measured: once a second for who looks at it, slower beside another page, never for nobody.

A timer of the window's thread asks the sampler's thread, and never twice at once: a machine that answers slowly is
asked less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer, Signal

from vitrail.model.errors import VitrailError
from vitrail.model.machine import Host, MachineKind
from vitrail.qt.load.meter import Beat, Meter, Past
from vitrail.qt.load.traces import Traces
from vitrail.qt.runner import Runner
from vitrail.service.workplace import Workplace

LOOKED_AT_S = 1.0
BESIDE_S = 5.0
_ASIDE_S = 5.0
"""How long a change waits for the sampler to let go of the cards."""
_WEEK_EVERY_S = 60.0


class Sampling(QObject):
    """The load of one place, as long as somebody looks.

    Signals:
        sampled: there is a new tick; a `Beat`.
        week_read: the last 7 days were read anew.
        failed: nothing could be measured; a `VitrailError`.
    """

    sampled = Signal(Beat)
    week_read = Signal()
    failed = Signal(VitrailError)

    def __init__(self, workplace: Workplace, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._meter = Meter(workplace.live_load)
        self.measures = workplace.kind is MachineKind.REAL
        """Whether there is anything to measure here; a recording does nothing."""
        self.beat: Beat | None = None
        self.traces = Traces()
        self.week: Past = {}
        self._week_at: float | None = None
        self._week_asked = False
        self._host: Host | None = None
        self._asked = False
        self._hold: set[str] = set()
        self._every: float | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        if self.measures:
            workplace.beside = self._aside
            runner.ended.connect(self._meter.close)

    @property
    def every_s(self) -> float | None:
        """How often it is measured now; None: not at all."""
        return None if not self._timer.isActive() else self._timer.interval() / 1000

    def know(self, host: Host) -> None:
        """The machine was read anew."""
        self._host = host

    def pace(self, every_s: float | None) -> None:
        """Measure this often from now on; None: nobody looks."""
        self._every = every_s
        self._set_out()

    def hold(self, reason: str, *, held: bool) -> None:
        """Measure each second whether anybody looks or not, while this reason stands."""
        (self._hold.add if held else self._hold.discard)(reason)
        self._set_out()

    def _set_out(self) -> None:
        every = LOOKED_AT_S if self._hold else self._every
        if not self.measures or every is None:
            self._timer.stop()
        elif self.every_s != every:
            self._timer.start(round(every * 1000))
            self._tick()

    def _tick(self) -> None:
        if self._asked:
            return
        self._asked = True
        host, self._host = self._host, None
        self._runner.sample(lambda: self._meter.tick(host), self._came, self._failed, self)

    def _came(self, beat: Beat) -> None:
        self._asked = False
        self.beat = beat
        if beat.past is not None:
            self.traces.begin(beat.past)
        self.traces.add(beat.sample)
        self.sampled.emit(beat)

    def _failed(self, error: VitrailError) -> None:
        self._asked = False
        self.failed.emit(error)

    def permit_root(self) -> None:
        """Ask the helper what only the administrator sees, with the desktop's password dialog where there is one."""
        self._runner.sample(self._meter.permit_root, lambda _: self._tick(), self.failed.emit, self)

    def let_guest(self, uuid: str, *, ask: bool) -> None:
        """Ask this VM from now on what the card does that it has whole, or no longer."""
        self._runner.sample(
            lambda: self._meter.let_guest(uuid, ask=ask), lambda _: self._tick(), self.failed.emit, self
        )

    def ask_week(self) -> None:
        """Read the last 7 days, unless that was done within the last minute."""
        now = 0.0 if self.beat is None else self.beat.sample.taken_at
        fresh = self._week_at is not None and now - self._week_at < _WEEK_EVERY_S
        if self.measures and not fresh and not self._week_asked:
            self._week_asked = True
            self._week_at = now
            self._runner.sample(self._meter.week, self._week_came, self._week_failed, self)

    def _week_came(self, week: Past) -> None:
        self._week_asked = False
        self.week = week
        self.week_read.emit()

    def _week_failed(self, error: VitrailError) -> None:
        self._week_asked = False
        self.failed.emit(error)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Let go of the cards while one changes hands; on the changer's thread."""
        self._runner.sample_and_wait(self._meter.step_aside, _ASIDE_S)
        try:
            yield
        finally:
            self._runner.sample_and_wait(self._meter.resume, _ASIDE_S)

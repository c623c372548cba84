# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the runner: one question at a time, nothing said for the blink of an eye, then what is being done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.text import Text
from vitrail.qt.runner import Runner, Ticket
from vitrail.qt.widgets.busy import BusyStrip

T = TypeVar("T")

_PATIENCE_MS = 180
"""Most answers come sooner; a strip that flashes up disturbs more than it tells."""


class Waiting:
    """The one thing that a window waits for, and the strip that tells of it."""

    def __init__(
        self, runner: Runner, owner: QWidget, strip: BusyStrip, failed: Callable[[VitrailError], None]
    ) -> None:
        self._runner, self._owner, self._strip, self._failed = runner, owner, strip, failed
        self._ticket: Ticket | None = None
        self._tell: Callable[[], None] = _nothing
        self._patience = QTimer(owner)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._say_so)

    @property
    def under_way(self) -> bool:
        """Whether an answer is still to come."""
        return self._ticket is not None

    def read(
        self, work: Callable[[], T], done: Callable[[T], None], what: Text, give_up: Callable[[], None] | None
    ) -> None:
        """Ask the reader. `give_up` is offered once it takes long, None where stopping would help nobody."""
        self._begin(what, give_up, None)
        self._ticket = self._runner.read(work, lambda answer: self._home(done, answer), self._broken, self._owner)

    def change(self, work: Callable[[], T], done: Callable[[T], None], what: Text, later: Text) -> None:
        """Ask the changer. It cannot be given up: somebody has to hear how it ended."""
        self._begin(what, None, later)
        self._ticket = self._runner.change(work, lambda answer: self._home(done, answer), self._broken, self._owner)

    def drop(self) -> None:
        """The answer is not wanted any more."""
        if self._ticket is not None:
            self._ticket.drop()
        self._rest()

    def _begin(self, what: Text, give_up: Callable[[], None] | None, later: Text | None) -> None:
        self._tell = lambda: self._strip.begin(what, give_up, later)
        self._patience.start()

    def _say_so(self) -> None:
        self._tell()

    def _home(self, done: Callable[[T], None], answer: T) -> None:
        self._rest()
        done(answer)

    def _broken(self, error: VitrailError) -> None:
        self._rest()
        self._failed(error)

    def _rest(self) -> None:
        self._ticket = None
        self._patience.stop()
        self._strip.end()


def _nothing() -> None:
    """Before the first question."""

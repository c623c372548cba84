# SPDX-License-Identifier: GPL-3.0-or-later
"""Across every page of the window: a change that waits for a restart or for the user's word, with the time left."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vitrail.model.resume import ResumeStage, ResumeState
from vitrail.model.text import Text, text
from vitrail.qt.pages.page import clear
from vitrail.qt.restart.proof import countdown
from vitrail.qt.theme import GAP, PAGE_MARGIN, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Notice
from vitrail.qt.widgets.labels import Say

_SECOND_MS = 1000
_LOOK_SECONDS = 30


def strip_words(state: ResumeState, now: float) -> tuple[Text, Tone] | None:
    """What the strip says, None where nothing waits."""
    match state.stage:
        case ResumeStage.NOTHING:
            return None
        case ResumeStage.RESTART_DUE:
            return text("qt.strip.restart-due", vm=state.vm_name), Tone.INFO
        case ResumeStage.TAKEN_BACK:
            return text("qt.strip.taken-back", vm=state.vm_name), Tone.WARN
        case ResumeStage.TRIAL:
            left = countdown(state.until, now)
            return text("qt.strip.trial", time=left.words), left.tone


class ResumeStrip(QWidget):
    """Hidden while nothing waits.

    Signals:
        opened: the user wants the page about it.
        asked_again: half a minute of a trial has passed: somebody may have answered elsewhere.
    """

    opened = Signal()
    asked_again = Signal()

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._state: ResumeState | None = None
        self._notice: Notice | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(PAGE_MARGIN, GAP, PAGE_MARGIN, 0)
        self._clock = QTimer(self)
        self._clock.setInterval(_SECOND_MS)
        self._clock.timeout.connect(self._tick)
        self._ticks = 0
        self.hide()

    def show_resume(self, state: ResumeState) -> None:
        """Say what waits now."""
        if state == self._state:
            return
        self._state = state
        clear(self._column)
        self._clock.stop()
        said = strip_words(state, time.time())
        self.setVisible(said is not None)
        if said is None:
            self._notice = None
            return
        self._notice = Notice(self._say(said[0]), said[1], mark="history")
        look = button(self._say(text(f"qt.strip.open.{state.stage.value}")), self.opened.emit, small=True)
        self._notice.row.addWidget(look)
        self._column.addWidget(self._notice)
        if state.stage is ResumeStage.TRIAL:
            self._clock.start()

    def _tick(self) -> None:
        if self._state is None or self._notice is None:
            return
        said = strip_words(self._state, time.time())
        if said is not None:
            self._notice.label.setText(self._say(said[0]))
        self._ticks += 1
        if self._ticks % _LOOK_SECONDS == 0:
            self.asked_again.emit()

# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip that says what is being done and offers to stop waiting; what comes next, once it takes long."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from vitrail.model.text import Text, text
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say

_LONG_MS = 10_000


class BusyStrip(QWidget):
    """Hidden while nothing is under way. `cancel` is None where stopping would leave a question open."""

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._cancel: Callable[[], None] | None = None
        self._later = text("qt.busy.later")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GAP // 2, 0, GAP // 2)
        column.setSpacing(GAP // 2)
        row = QHBoxLayout()
        self._words = PlainLabel("", Kind.BODY)
        row.addWidget(self._words, 1)
        self._button = button(say(text("qt.busy.cancel")), self._cancelled, small=True)
        row.addWidget(self._button)
        column.addLayout(row)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(say(text("qt.busy.name")))
        column.addWidget(bar)
        self._more = PlainLabel("", Kind.SMALL)
        column.addWidget(self._more)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LONG_MS)
        self._timer.timeout.connect(lambda: self._more.setText(self._say(self._later)))
        self.setVisible(False)

    def begin(self, what: Text, cancel: Callable[[], None] | None = None, later: Text | None = None) -> None:
        """Show that `what` is being done; after ten seconds `later` says what comes next and what to do."""
        self._words.setText(self._say(what))
        self._more.setText("")
        self._cancel = cancel
        self._later = later or text("qt.busy.later")
        self._button.setVisible(cancel is not None)
        self.setVisible(True)
        self._timer.start()

    def end(self) -> None:
        """It is done."""
        self._timer.stop()
        self.setVisible(False)

    def _cancelled(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self.end()

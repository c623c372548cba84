# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip that says that this is not this computer: a recording, the demo machine, a listing, another computer.

Striped and worded, never only coloured, and it cannot be closed.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from vitrail.model.machine import MachineKind
from vitrail.model.text import Text, text
from vitrail.qt.theme import GAP, Tone, mix, theme_of
from vitrail.qt.widgets.cards import MarkLabel
from vitrail.qt.widgets.elided import ShortenedLabel
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.words import sentence_start

_MARKS = {
    MachineKind.RECORDING: "history",
    MachineKind.DEMO: "play",
    MachineKind.LISTING: "book-open",
    MachineKind.REMOTE: "network",
}


class PlaceBanner(QFrame):
    """Hidden on this computer, permanent everywhere else."""

    def __init__(self, kind: MachineKind, label: Text, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = Tone.WARN if kind is MachineKind.REMOTE else Tone.INFO
        row = QHBoxLayout(self)
        row.setContentsMargins(28, GAP - 1, 28, GAP - 1)
        row.setSpacing(GAP)
        row.addWidget(MarkLabel(self._tone, mark=_MARKS.get(kind)))
        row.addWidget(ShortenedLabel(sentence_start(say(label)), Kind.STRONG))
        means = PlainLabel(say(text(f"qt.place.{kind.value}")))
        row.addWidget(means, 78)
        row.addStretch(22)
        # Only ever hidden here: what is shown before it has a parent becomes a window of its own.
        if kind is MachineKind.REAL:
            self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        shades = theme.tones[self._tone]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), shades.soft)
        painter.setPen(QPen(mix(shades.soft, shades.line, 0.16), 7))
        for left in range(-self.height(), self.width(), 26):
            painter.drawLine(left, self.height(), left + self.height(), 0)
        # Stripes at the left and in the last quarter; never behind words.
        words = QRectF(self.rect()).adjusted(22, 0, -self.width() * 0.22, 0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shades.soft)
        painter.drawRect(words)
        painter.fillRect(0, self.height() - 1, self.width(), 1, shades.line)
        painter.end()

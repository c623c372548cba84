# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of somebody else's words: shortened in the middle where there is no room, whole in its tool tip."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.qt.widgets.labels import Kind, PlainLabel


class ShortenedLabel(PlainLabel):
    """Never wider than its words, as narrow as it has to be."""

    def __init__(self, words: str, kind: Kind = Kind.BODY, parent: QWidget | None = None) -> None:
        super().__init__(words, kind, parent)
        self.setWordWrap(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setMaximumWidth(self.sizeHint().width())

    def minimumSizeHint(self) -> QSize:
        return QSize(60, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        # A tool tip guesses whether it is rich text; escaped it can only be read as the words.
        self.setToolTip(f"<p>{escape(self.text())}</p>" if shown != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()

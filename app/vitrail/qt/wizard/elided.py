# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of somebody else's words: cut with an ellipsis where there is no room, whole in its tooltip."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.qt.widgets.labels import Kind, PlainLabel

_RUN = 28
_BREAK = "\u200b"


class ElidedLabel(PlainLabel):
    """A name in one line. Cut in the middle, because names often differ at their end."""

    def __init__(self, words: str, kind: Kind = Kind.BODY, parent: QWidget | None = None) -> None:
        super().__init__(words, kind, parent)
        self.setWordWrap(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        # A tooltip guesses whether it is rich text; escaped and wrapped it can only be read as the words.
        self.setToolTip(f"<p>{escape(self.text())}</p>" if shown != self.text() else "")
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()


def breakable(words: str) -> str:
    """The words with unseen places to break in runs without blanks, so that a long name wraps and is not cut off."""
    return " ".join(_broken(run) for run in words.split(" "))


def _broken(run: str) -> str:
    if len(run) <= _RUN:
        return run
    return _BREAK.join(run[at : at + _RUN] for at in range(0, len(run), _RUN))

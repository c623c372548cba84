# SPDX-License-Identifier: GPL-3.0-or-later
"""The restart as a line with clock times; the same points stand below it in words."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.plan.timeline import Moment
from vitrail.qt.restart.before import TimeMark
from vitrail.qt.theme import GAP, Tone, theme_of

_HEIGHT = 66
_DOT = 6.0
_TONES = {
    Moment.PRESS: Tone.INFO,
    Moment.STARTS: Tone.PLAIN,
    Moment.LOGIN: Tone.GOOD,
    Moment.GUARD: Tone.WARN,
    Moment.LIMIT: Tone.WARN,
    Moment.BACK: Tone.GOOD,
}
_LEAST_SHARE = 0.16
"""Points that follow each other fast stand at least so far apart, or their times would cover each other."""


def spread(shares: tuple[float, ...]) -> tuple[float, ...]:
    """Where the points are drawn: in their order, never closer than their words need; first 0, last 1."""
    places = list(shares)
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1] + _LEAST_SHARE)
    most = places[-1] or 1.0
    return tuple(place / most for place in places)


class TimelineView(QWidget):
    """Numbered points on a line, each with its clock time."""

    def __init__(self, marks: tuple[TimeMark, ...], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks = marks
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def sizeHint(self) -> QSize:
        return QSize(480, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        margin = metrics.horizontalAdvance("00:00") / 2 + GAP
        width = self.width() - 2 * margin
        middle = 24.0
        painter.setPen(QPen(theme.muted, 2))
        painter.drawLine(QPointF(margin, middle), QPointF(margin + width, middle))
        for number, (mark, share) in enumerate(
            zip(self._marks, spread(tuple(m.share for m in self._marks)), strict=True), 1
        ):
            self._point(painter, number, mark, QPointF(margin + width * share, middle))
        painter.end()

    def _point(self, painter: QPainter, number: int, mark: TimeMark, at: QPointF) -> None:
        theme = theme_of(self.palette())
        shades = theme.tones[_TONES[mark.moment]]
        painter.setPen(QPen(shades.line, 2))
        painter.setBrush(theme.surface)
        painter.drawEllipse(at, 2 * _DOT, 2 * _DOT)
        painter.setPen(shades.ink)
        box = QRectF(at.x() - 40, at.y() - 2 * _DOT, 80, 4 * _DOT)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))
        painter.setPen(theme.text)
        below = QRectF(at.x() - 60, at.y() + 2 * _DOT + 4, 120, 22)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, mark.clock)

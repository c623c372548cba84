# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trouble rests on, as a small plot: the memory against what there is, or the load."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.model.text import Text, text
from vitrail.qt.load.drawing import clock_words
from vitrail.qt.load.lines import size_words
from vitrail.qt.load.plot import curve_of, draw_curve, draw_ground
from vitrail.qt.load.traces import dots_of
from vitrail.qt.theme import mix, theme_of
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.service.load_findings import Trouble

_HEIGHT = 64.0
_LABELS = 84.0
_HEADROOM = 1.15
_CONDENSED_FROM_S = 3600.0


class TroublePlot(QWidget):
    """One curve with its scale beside it and its times below it."""

    def __init__(self, trouble: Trouble, hue: int, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say, self._hue = say, hue
        self._line = QFontMetricsF(font_of(Kind.SMALL, self.font())).height()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(say(text("qt.load.evidence")))
        self.show_trouble(trouble)

    def show_trouble(self, trouble: Trouble) -> None:
        """Show the points of this one."""
        self._trouble = trouble
        self._dots = dots_of(trouble.points)
        known = [dot.memory_mib for dot in self._dots if dot.memory_mib is not None]
        self._of = (trouble.total_mib or max(known, default=0.0) * _HEADROOM or 1.0) if trouble.of_memory else 0.0
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, round(_HEIGHT + self._line + 4))

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = QRectF(1, 2, self.width() - _LABELS, _HEIGHT)
        draw_ground(painter, plot, theme.hairline, mix(theme.surface, theme.text, 0.02))
        if self._dots:
            start, end = self._dots[0].at, max(self._dots[-1].at, self._dots[0].at + 1)
            condensed = end - start > _CONDENSED_FROM_S
            curve = curve_of(self._dots, plot, (start, end), condensed=condensed, memory_of=self._of)
            draw_curve(painter, curve, plot, theme.hue(self._hue), theme.surface)
            painter.setPen(theme.muted)
            painter.setFont(font_of(Kind.SMALL, self.font()))
            below = QRectF(plot.left(), plot.bottom() + 2, plot.width(), self._line)
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft, clock_words(start, end - start))
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, clock_words(end, end - start))
            what = text("qt.load.evidence.memory" if self._of else "qt.load.evidence.load")
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self._say(what))
            beside = QRectF(plot.right() + 8, plot.top() - 2, _LABELS - 8, self._line)
            painter.drawText(beside, Qt.AlignmentFlag.AlignLeft, self._top())
            beside.moveBottom(plot.bottom() + 2)
            painter.drawText(beside, Qt.AlignmentFlag.AlignLeft, "0")
        painter.end()

    def _top(self) -> str:
        return size_words(self._of) if self._of else self._say(_FULL)


_FULL: Text = text("qt.load.percent", value="100")

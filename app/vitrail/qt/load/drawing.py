# SPDX-License-Identifier: GPL-3.0-or-later
"""How a row of the picture of loads looks: name and memory, the curve, the load with what it is of."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from vitrail.model.text import text
from vitrail.qt.load.boxes import Boxes, HeadBox, RowBox
from vitrail.qt.load.lines import LoadLine
from vitrail.qt.load.plot import Curve, draw_curve, draw_ground, nearest
from vitrail.qt.load.span import Span
from vitrail.qt.load.traces import Dot
from vitrail.qt.marks import draw_mark
from vitrail.qt.theme import RADIUS, Shades, Theme, Tone, mix
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import tell

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FROM_TOP = Qt.AlignmentFlag.AlignTop
_DAY_S = 86_400
_NEAR = 0.02


def clock_words(at: float, seconds: float) -> str:
    """A moment as a stretch of so many seconds needs it: with the day, or with the seconds."""
    form = "%a %d %b, %H:%M" if seconds > _DAY_S else "%H:%M:%S"
    return time.strftime(form, time.localtime(at))


class Drawing:
    """One paint."""

    def __init__(self, painter: QPainter, theme: Theme, font: QFont, say: Say, shown: tuple[Span, float]) -> None:
        self._painter, self._theme, self._font, self._say = painter, theme, font, say
        self._span = shown[0]
        self._edges = self._span.edges(shown[1])
        self._line = QFontMetricsF(font_of(Kind.BODY, font)).height()

    @staticmethod
    def whole(line: LoadLine, say: Say) -> str:
        """Everything that the left of a row says, unshortened."""
        parts = [tell(say, line.title), tell(say, line.on)]
        if line.memory is not None:
            parts.append(say(line.memory.words if line.memory.why is None else line.memory.why))
        if line.told_by is not None:
            parts.append(say(line.told_by))
        return " · ".join(parts)

    def head(self, head: HeadBox, boxes: Boxes) -> None:
        """A heading; over the curves from when to when they are."""
        row = QRectF(head.rect.left(), head.rect.top() + 4, head.rect.width(), self._line + 6)
        self._put(row.adjusted(0, 0, boxes.plot_left - row.width() - 8, 0), head.title, Kind.STRONG, self._theme.text)
        if head.why:
            self._put(row.translated(0, self._line + 8), head.why, Kind.BODY, self._theme.text)
            return
        plot = QRectF(boxes.plot_left, row.top(), boxes.plot_right - boxes.plot_left, row.height())
        start, end = self._edges
        last = self._say(text("qt.load.now")) if self._span.end is None else clock_words(end, end - start)
        self._put(plot, clock_words(start, end - start), Kind.SMALL, self._theme.muted)
        self._put(plot, last, Kind.SMALL, self._theme.muted, _RIGHT)

    def row(self, row: RowBox, curve: Curve, dots: Sequence[Dot], cursor: float | None) -> None:
        """One VM or card."""
        theme, painter, line = self._theme, self._painter, row.line
        shades = theme.tones[Tone.PLAIN] if line.hue is None else theme.hue(line.hue)
        painter.setPen(QPen(theme.hairline, 1))
        painter.setBrush(theme.surface)
        painter.drawRoundedRect(row.rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        if line.hue is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shades.line)
            painter.drawRoundedRect(QRectF(6, row.rect.top() + 10, 4, row.rect.height() - 20), 2, 2)
        self._names(row)
        if line.load is not None:
            ground = mix(theme.surface, theme.text, 0.02)
            draw_ground(painter, row.plot, theme.hairline, ground, middle_line=not curve.line.isEmpty())
            draw_curve(painter, curve, row.plot, shades, theme.surface)
            if curve.line.isEmpty():
                self._why_empty(row)
            elif cursor is not None:
                self._cursor(row, dots, cursor)
            self._load(row, shades)
        for fact in row.facts:
            rect = fact.rect
            if fact.why:
                self._mark(rect.left(), rect.center().y())
                rect = rect.adjusted(18, 0, 0, 0)
            self._put(rect, fact.words, Kind.SMALL, theme.text if fact.why else theme.muted)

    def _names(self, row: RowBox) -> None:
        line, place = row.line, QRectF(row.left.left(), row.left.top(), row.left.width(), self._line + 2)
        self._put(place, tell(self._say, line.title), Kind.TITLE, self._theme.text)
        place = place.translated(0, self._line + 4)
        self._put(place, tell(self._say, line.on), Kind.BODY, self._theme.muted)
        if line.memory is not None and place.bottom() + self._line <= row.left.bottom():
            place = place.translated(0, self._line + 2)
            ink = self._theme.text if line.memory.why is not None else self._theme.muted
            self._put(place, self._say(line.memory.words), Kind.BODY, ink)

    def _load(self, row: RowBox, shades: Shades) -> None:
        line, theme = row.line, self._theme
        if line.load is None:
            return
        place = QRectF(row.right.left(), row.right.top(), row.right.width(), self._line + 2)
        if line.load.percent is None:
            self._mark(place.left(), place.center().y())
            words = row.right.adjusted(20, 1, 0, 0)
            self._wrap(words, self._say(line.load.words), Kind.BODY, theme.text, _FROM_TOP)
            return
        of = "" if line.of is None else self._say(line.of)
        value = self._say(line.load.words)
        self._put(place, value, Kind.TITLE, theme.text)
        wide = QFontMetricsF(font_of(Kind.TITLE, self._font)).horizontalAdvance(value) + 8
        self._put(place.adjusted(wide, 0, 0, 0), of, Kind.SMALL, theme.muted)
        self._bar(QRectF(place.left(), place.bottom() + 7, place.width(), 7), line.load.percent, shades)
        below = place.translated(0, 2 * self._line + 6)
        if line.share is not None and below.bottom() <= row.right.bottom() + 4:
            self._put(below, self._say(line.share.words), Kind.SMALL, theme.text)

    def _bar(self, rect: QRectF, percent: float, shades: Shades) -> None:
        painter = self._painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mix(self._theme.surface, self._theme.text, 0.10))
        painter.drawRoundedRect(rect, 3.5, 3.5)
        width = rect.width() * min(100.0, max(0.0, percent)) / 100
        if width >= 1:
            painter.setBrush(shades.line)
            painter.drawRoundedRect(QRectF(rect.left(), rect.top(), max(width, 7.0), rect.height()), 3.5, 3.5)

    def _why_empty(self, row: RowBox) -> None:
        """Where no curve is, its place says why."""
        load = row.line.load
        why = load.why if load is not None and load.why is not None else text("qt.load.nothing-then")
        self._wrap(row.plot.adjusted(10, 2, -10, -2), self._say(why), Kind.SMALL, self._theme.text)

    def _cursor(self, row: RowBox, dots: Sequence[Dot], at: float) -> None:
        start, end = self._edges
        x = row.plot.left() + (at - start) / (end - start) * row.plot.width()
        self._painter.setPen(QPen(self._theme.text, 1))
        self._painter.drawLine(QPointF(x, row.plot.top()), QPointF(x, row.plot.bottom()))
        dot = nearest(dots, at, max(2.0, (end - start) * _NEAR))
        parts = [clock_words(at, end - start)]
        if dot is not None and dot.load is not None:
            parts.append(self._say(text("qt.load.percent", value=f"{dot.load:.0f}")))
        else:
            parts.append(self._say(text("qt.load.not-then")))
        self._label(row.plot, x, "  ".join(parts))

    def _label(self, plot: QRectF, x: float, words: str) -> None:
        """A small flag at the cursor, on the side where there is room."""
        metrics = QFontMetricsF(font_of(Kind.SMALL, self._font))
        width, height = metrics.horizontalAdvance(words) + 12, metrics.height() + 4
        left = x + 5 if x + 5 + width <= plot.right() else x - 5 - width
        flag = QRectF(left, plot.top() + 2, width, height)
        self._painter.setPen(QPen(self._theme.hairline, 1))
        self._painter.setBrush(self._theme.surface)
        self._painter.drawRoundedRect(flag, 4, 4)
        self._put(flag.adjusted(6, 0, 0, 0), words, Kind.SMALL, self._theme.text)

    def band(self, boxes: Boxes, one: float, other: float, seen: QRectF) -> None:
        """The stretch that is being chosen."""
        start, end = self._edges
        width = boxes.plot_right - boxes.plot_left
        left, right = sorted(boxes.plot_left + (at - start) / (end - start) * width for at in (one, other))
        color = QColor(self._theme.accent)
        color.setAlphaF(0.18)
        self._painter.fillRect(QRectF(left, seen.top(), right - left, seen.height()), color)

    def focus_ring(self, rect: QRectF) -> None:
        """Where the keys go."""
        self._painter.setPen(QPen(self._theme.accent, 2))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def _mark(self, left: float, middle: float) -> None:
        ink = self._theme.tones[Tone.UNKNOWN].ink
        draw_mark(self._painter, "circle-question-mark", QRectF(left, middle - 7, 14, 14), ink)

    def _put(self, where: QRectF, words: str, kind: Kind, ink: QColor, align: Qt.AlignmentFlag = _LEFT) -> None:
        font = font_of(kind, self._font)
        self._painter.setFont(font)
        self._painter.setPen(ink)
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideMiddle, where.width())
        self._painter.drawText(where, align | Qt.TextFlag.TextSingleLine, shown)

    def _wrap(
        self,
        where: QRectF,
        words: str,
        kind: Kind,
        ink: QColor,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignVCenter,
    ) -> None:
        """Several lines; what has no room ends in an ellipsis, and the whole is in the tip."""
        font = font_of(kind, self._font)
        metrics, flags = QFontMetricsF(font), Qt.AlignmentFlag.AlignLeft | align | Qt.TextFlag.TextWordWrap
        shown = words
        while len(shown) > 1 and metrics.boundingRect(where, int(flags), shown).height() > where.height() + 1:
            shown = f"{shown[: int(len(shown) * 0.9) - 1].rstrip()}…"
        self._painter.setFont(font)
        self._painter.setPen(ink)
        self._painter.drawText(where, int(flags), shown)

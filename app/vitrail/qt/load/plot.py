# SPDX-License-Identifier: GPL-3.0-or-later
"""One curve as one path, drawn by a painter of our own.

Qt's charts are not in the Qt that we need, and every other plotting library is larger than the whole desktop. A pixel
column has one point, the highest of what fell into it: a week costs no more to draw than a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from vitrail.qt.load.traces import Dot
from vitrail.qt.theme import Shades, mix

_FULL = 100.0
_GAP_FINE_S = 12.0
"""Points further apart than this have a gap between them: nobody measured."""
_GAP_CONDENSED_S = 150.0


@dataclass(frozen=True, slots=True)
class Curve:
    """The line and the area below it."""

    line: QPainterPath
    area: QPainterPath


def curve_of(
    dots: Iterable[Dot], rect: QRectF, edges: tuple[float, float], *, condensed: bool = False, memory_of: float = 0.0
) -> Curve:
    """The curve of these dots in the rectangle. `memory_of`: draw the memory, against this size, and not the load."""
    line, area = QPainterPath(), QPainterPath()
    gap = _GAP_CONDENSED_S if condensed else _GAP_FINE_S
    scale = rect.height() / (memory_of or _FULL)
    start, end = edges
    a_second = rect.width() / (end - start)
    bottom, open_at = rect.bottom(), None
    column, x, y, before = -1, 0.0, bottom, None
    for at, load, highest, memory in dots:
        value = memory if memory_of else (highest if highest is not None else load)
        if at < start - gap or at > end + 1 or value is None:
            continue
        x_now = rect.left() + (at - start) * a_second
        y_now = bottom - min(value * scale, rect.height())
        if before is None or at - before > gap:
            _end(area, open_at, x, bottom)
            line.moveTo(x_now, y_now)
            area.moveTo(x_now, bottom)
            area.lineTo(x_now, y_now)
            open_at = x_now
        elif int(x_now) != column or y_now < y:
            line.lineTo(x_now, y_now)
            area.lineTo(x_now, y_now)
        else:
            before = at
            continue
        column, x, y, before = int(x_now), x_now, y_now, at
    _end(area, open_at, x, bottom)
    return Curve(line, area)


def _end(area: QPainterPath, open_at: float | None, x: float, bottom: float) -> None:
    if open_at is not None:
        area.lineTo(x, bottom)
        area.closeSubpath()


def draw_ground(painter: QPainter, rect: QRectF, hairline: QColor, ground: QColor, *, middle_line: bool = True) -> None:
    """The field of a plot: its floor, its top and, where no words stand in it, its middle."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRect(rect)
    if middle_line:
        painter.setPen(QPen(hairline, 1, Qt.PenStyle.DotLine))
        middle = rect.center().y()
        painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.right(), middle))
    painter.setPen(QPen(hairline, 1))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())
    painter.drawLine(rect.topLeft(), rect.topRight())


def draw_curve(painter: QPainter, curve: Curve, rect: QRectF, shades: Shades, surface: QColor) -> None:
    """The area softly, the line over it, nothing outside of the field."""
    painter.save()
    painter.setClipRect(rect.adjusted(0, -1, 0, 1))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mix(surface, shades.line, 0.22))
    painter.drawPath(curve.area)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(shades.line, 1.6))
    painter.drawPath(curve.line)
    painter.restore()


def nearest(dots: Sequence[Dot], at: float, within: float) -> Dot | None:
    """The dot next to this moment, None where there is none so near."""
    best, near = None, within
    for dot in reversed(dots):
        away = abs(dot.at - at)
        if away <= near:
            best, near = dot, away
        elif dot.at < at:
            break
    return best


def recent(dots: Sequence[Dot], since: float, *, condensed: bool) -> list[Dot]:
    """The dots from this moment on, and those right before it, from which the line comes."""
    since -= _GAP_CONDENSED_S if condensed else _GAP_FINE_S
    found = []
    for dot in reversed(dots):
        if dot.at < since:
            break
        found.append(dot)
    found.reverse()
    return found

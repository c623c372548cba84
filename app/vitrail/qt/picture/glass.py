# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below the nodes: captions, panes of glass with what is tied to their cards, and the lines."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPainterPath, QPen

from vitrail.model.text import text
from vitrail.qt.picture.layout import DOT, Box, Places
from vitrail.qt.picture.state import Pane, Picture, Wire
from vitrail.qt.theme import RADIUS, Theme, mix
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import tell


@dataclass(frozen=True, slots=True)
class Glass:
    """Paints one picture; `chosen` is the node whose lines stand out, empty for none."""

    picture: Picture
    places: Places
    theme: Theme
    font: QFont
    say: Say
    chosen: str

    def paint(self, painter: QPainter, top: float, bottom: float) -> None:
        """Everything but the nodes that reaches into what lies between `top` and `bottom`."""
        self._captions(painter)
        for pane, box, chips in zip(self.picture.panes, self.places.panes, self.places.chips, strict=True):
            if box.y <= bottom and box.bottom >= top:
                _pane(painter, rect_of(box), self.theme, pane.hue)
                self._tied(painter, pane, chips)
        for wire in self.picture.wires:
            (_, up), (_, down) = self.places.ends[wire]
            if min(up, down) - DOT > bottom or max(up, down) + DOT < top:
                continue
            touched = self.chosen in (wire.source, wire.target)
            if touched or not self.picture.folded or wire.source.startswith("monitor:"):
                self._wire(painter, wire, faint=bool(self.chosen) and not touched, strong=touched)

    def _captions(self, painter: QPainter) -> None:
        columns = self.places.columns
        painter.setFont(font_of(Kind.STRONG, self.font))
        painter.setPen(self.theme.muted)
        for box, name in ((columns.monitors, "monitors"), (columns.cards, "cards"), (columns.vms, "vms")):
            if box.width > 0:
                room = rect_of(box).adjusted(1, 0, 0, -12)
                words = self.say(text(f"qt.picture.{name}"))
                shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(room.width()))
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)

    def _tied(self, painter: QPainter, pane: Pane, chips: tuple[Box, ...]) -> None:
        painter.setFont(font_of(Kind.SMALL, self.font))
        for words, box in zip(pane.tied, chips, strict=True):
            rect = rect_of(box)
            painter.setPen(QPen(self.theme.hairline, 1))
            painter.setBrush(self.theme.surface)
            painter.drawRoundedRect(rect, 7, 7)
            painter.setPen(self.theme.text)
            room = round(rect.width() - 20)
            shown = painter.fontMetrics().elidedText(tell(self.say, words), Qt.TextElideMode.ElideRight, room)
            painter.drawText(rect.adjusted(10, 0, -10, 0), Qt.AlignmentFlag.AlignVCenter, shown)

    def _wire(self, painter: QPainter, wire: Wire, *, faint: bool, strong: bool) -> None:
        (left, up), (right, down) = self.places.ends[wire]
        start, end = QPointF(left, up), QPointF(right, down)
        color = self.theme.hue(wire.hue).line
        pen = QPen(mix(color, self.theme.window, 0.65) if faint else color, 3.4 if strong else 2.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if not wire.now:
            pen.setDashPattern([0.4, 2.6])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        path = QPainterPath(start)
        reach = max(28.0, (right - left) * 0.55)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        for point in (start, end):
            painter.drawEllipse(point, DOT, DOT)


def rect_of(box: Box) -> QRectF:
    """The box as Qt's rectangle."""
    return QRectF(box.x, box.y, box.width, box.height)


def _pane(painter: QPainter, rect: QRectF, theme: Theme, hue: int) -> None:
    """A pane: the card's colour, lighter where the light comes in, with two soft reflections."""
    shades = theme.hue(hue)
    light = mix(shades.soft, QColor("white"), 0.05 if theme.dark else 0.45)
    fill = QLinearGradient(rect.topLeft(), rect.bottomRight())
    fill.setColorAt(0, light)
    fill.setColorAt(0.45, shades.soft)
    fill.setColorAt(1, mix(shades.soft, shades.line, 0.18))
    path = QPainterPath()
    path.addRoundedRect(rect.adjusted(1, 1, -1, -1), RADIUS + 4, RADIUS + 4)
    painter.fillPath(path, fill)
    painter.save()
    painter.setClipPath(path)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 255, 255, 16 if theme.dark else 90))
    for start, width in ((0.10, 0.10), (0.26, 0.03)):
        painter.drawPath(_reflection(rect, start, width))
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(shades.line, 1.4))
    painter.drawPath(path)


def _reflection(rect: QRectF, start: float, width: float) -> QPainterPath:
    """A slanted band; both are parts of the pane's width."""
    left, lean, across = rect.x() + rect.width() * start, rect.height() * 0.8, rect.width() * width
    band = QPainterPath(QPointF(left, rect.bottom()))
    band.lineTo(left + lean, rect.top())
    band.lineTo(left + lean + across, rect.top())
    band.lineTo(left + across, rect.bottom())
    band.closeSubpath()
    return band

# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the picture on the screen: panes of glass and lines below, nodes above; arrow keys walk over the nodes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.model.text import text
from vitrail.qt.picture.layout import Box, Places, place
from vitrail.qt.picture.nodes import CardButton, MonitorButton, Node, VmButton
from vitrail.qt.picture.state import Pane, Picture, Wire
from vitrail.qt.theme import RADIUS, Theme, mix, theme_of
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import tell

_DOT = 3.6
"""The radius of a line's end; it stands beside the node, not under it."""


class PictureView(QWidget):
    """Shows a Picture.

    Signals:
        opened: the user wants to see more of the node with this key.
        picked: the user chose the node with this key; empty for none.
    """

    opened = Signal(str)
    picked = Signal(str)

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._picture = Picture((), (), (), (), folded=False)
        self._nodes: dict[str, Node] = {}
        self._places: Places | None = None
        self._room = 0
        self._chosen = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(say(text("qt.picture.name")))
        self.setAccessibleDescription(say(text("qt.picture.walk")))

    def show_picture(self, picture: Picture) -> None:
        """Show this picture; the chosen node and the focus stay where they were, if it is still there."""
        if picture == self._picture:
            return
        focused = next((node.key for node in self._nodes.values() if node.hasFocus()), None)
        for node in self._nodes.values():
            node.hide()
            node.deleteLater()
        self._picture = picture
        self._nodes = {}
        small = len(picture.cards) <= 1 and len(picture.vms) <= 1
        self.setFont(_larger(QFont()) if small else QFont())
        made: list[Node] = [MonitorButton(monitor, self._say, self) for monitor in picture.monitors]
        made += [CardButton(card, self._say, self) for card in picture.cards]
        made += [VmButton(vm, self._say, self) for vm in picture.vms]
        for node in made:
            self._nodes[node.key] = node
            node.clicked.connect(self._clicked(node.key))
            node.opened.connect(self._opened(node.key))
            node.walked.connect(self._walked(node.key))
            node.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            node.show()
        self._choose(self._chosen if self._chosen in self._nodes else "")
        self._lay_out()
        if focused in self._nodes:
            self._nodes[focused].setFocus()

    def set_room(self, height: int) -> None:
        """How high the place is that the picture may fill."""
        self._room = height
        self._lay_out()

    def choose(self, key: str) -> None:
        """Choose the node with this key, as a click would."""
        self._choose(key if key in self._nodes else "")

    def sizeHint(self) -> QSize:
        return QSize(1040, round(self._places.height) if self._places else 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(780, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _clicked(self, key: str) -> Callable[[], None]:
        return lambda: self._choose("" if self._chosen == key else key)

    def _opened(self, key: str) -> Callable[[], None]:
        return lambda: self.opened.emit(key)

    def _walked(self, key: str) -> Callable[[int], None]:
        return lambda arrow: self._walk(key, arrow)

    def _choose(self, key: str) -> None:
        changed = key != self._chosen
        self._chosen = key
        for node in self._nodes.values():
            node.setChecked(node.key == key)
        self.update()
        if changed:
            self.picked.emit(key)

    def _lay_out(self) -> None:
        heights = {key: node.height_for(folded=self._picture.folded) for key, node in self._nodes.items()}
        self._places = place(self._picture, self.width(), heights, self._room)
        for key, box in self._places.nodes.items():
            self._nodes[key].setGeometry(_rect(box).toAlignedRect())
        self.setMinimumHeight(round(self._places.height))
        self.updateGeometry()
        self.update()

    def _walk(self, key: str, arrow: int) -> None:
        """Up and down within a column, left and right along a line, else to the nearest of the next column."""
        if self._places is None:
            return
        columns = (self._picture.monitors, self._picture.cards, self._picture.vms)
        keys = [[node.key for node in column] for column in columns]
        here = next(number for number, column in enumerate(keys) if key in column)
        if arrow in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = -1 if arrow == Qt.Key.Key_Up else 1
            place_there = keys[here].index(key) + step
            wanted = keys[here][place_there] if 0 <= place_there < len(keys[here]) else key
        else:
            step = -1 if arrow == Qt.Key.Key_Left else 1
            beyond = keys[here + step] if 0 <= here + step < len(keys) else []
            wanted = self._nearest(key, beyond) if beyond else key
        self._nodes[wanted].setFocus(Qt.FocusReason.TabFocusReason)
        self._choose(wanted)

    def _nearest(self, key: str, beyond: list[str]) -> str:
        tied = [
            wire.target if wire.source == key else wire.source
            for wire in self._picture.wires
            if key in (wire.source, wire.target)
        ]
        candidates = [other for other in tied if other in beyond] or beyond
        boxes = self._places.nodes if self._places else {}
        return min(candidates, key=lambda other: abs(boxes[other].middle - boxes[key].middle))

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        if self._places is None:
            return
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._captions(painter, theme)
        for pane, box, chips in zip(self._picture.panes, self._places.panes, self._places.chips, strict=True):
            _glass(painter, _rect(box), theme, pane.hue)
            self._tied(painter, pane, chips, theme)
        self._wires(painter, theme)
        painter.end()

    def _captions(self, painter: QPainter, theme: Theme) -> None:
        if self._places is None:
            return
        columns = self._places.columns
        painter.setFont(font_of(Kind.STRONG, self.font()))
        painter.setPen(theme.muted)
        for box, name in ((columns.monitors, "monitors"), (columns.cards, "cards"), (columns.vms, "vms")):
            if box.width > 0:
                words = self._say(text(f"qt.picture.{name}"))
                painter.drawText(_rect(box).adjusted(1, 0, 0, -12), Qt.AlignmentFlag.AlignVCenter, words)

    def _tied(self, painter: QPainter, pane: Pane, chips: tuple[Box, ...], theme: Theme) -> None:
        font = font_of(Kind.SMALL, self.font())
        painter.setFont(font)
        for words, box in zip(pane.tied, chips, strict=True):
            rect = _rect(box)
            painter.setPen(QPen(theme.hairline, 1))
            painter.setBrush(theme.surface)
            painter.drawRoundedRect(rect, 7, 7)
            painter.setPen(theme.text)
            shown = painter.fontMetrics().elidedText(
                tell(self._say, words), Qt.TextElideMode.ElideRight, round(rect.width() - 20)
            )
            painter.drawText(rect.adjusted(10, 0, -10, 0), Qt.AlignmentFlag.AlignVCenter, shown)

    def _wires(self, painter: QPainter, theme: Theme) -> None:
        chosen, folded = self._chosen, self._picture.folded
        for wire in self._picture.wires:
            touched = chosen in (wire.source, wire.target)
            if folded and not touched and wire.target.startswith("vm:"):
                continue
            self._wire(painter, wire, theme, faint=bool(chosen) and not touched, strong=touched)

    def _wire(self, painter: QPainter, wire: Wire, theme: Theme, *, faint: bool, strong: bool) -> None:
        start, end = self._ends(wire)
        color = theme.hue(wire.hue).line
        pen = QPen(mix(color, theme.window, 0.65) if faint else color, 3.4 if strong else 2.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if not wire.now:
            pen.setDashPattern([0.4, 2.6])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        path = QPainterPath(start)
        reach = max(28.0, (end.x() - start.x()) * 0.55)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        for point in (start, end):
            painter.drawEllipse(point, _DOT, _DOT)

    def _ends(self, wire: Wire) -> tuple[QPointF, QPointF]:
        """Lines leave a node side by side, in the order in which they arrive, so that they do not lie on each other."""
        boxes = self._places.nodes if self._places else {}
        source, target = boxes[wire.source], boxes[wire.target]
        leaving = [other for other in self._picture.wires if other.source == wire.source]
        arriving = [other for other in self._picture.wires if other.target == wire.target]
        leaving.sort(key=lambda other: boxes[other.target].middle)
        arriving.sort(key=lambda other: boxes[other.source].middle)
        return (
            QPointF(source.right + _DOT, source.middle + _offset(leaving.index(wire), len(leaving), source.height)),
            QPointF(target.x - _DOT, target.middle + _offset(arriving.index(wire), len(arriving), target.height)),
        )


def _larger(font: QFont) -> QFont:
    """One card and one VM: a large picture."""
    font.setPointSizeF(font.pointSizeF() * 1.25)
    return font


def _offset(index: int, count: int, height: float) -> float:
    return (index - (count - 1) / 2) * min(14.0, height * 0.6 / max(1, count))


def _rect(box: Box) -> QRectF:
    return QRectF(box.x, box.y, box.width, box.height)


def _glass(painter: QPainter, rect: QRectF, theme: Theme, hue: int) -> None:
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
    sheen = QColor(255, 255, 255, 16 if theme.dark else 90)
    painter.setBrush(sheen)
    for start, width in ((0.10, 0.10), (0.26, 0.03)):
        left = rect.x() + rect.width() * start
        band = QPainterPath(QPointF(left, rect.bottom()))
        lean = rect.height() * 0.8
        across = rect.width() * width
        band.lineTo(left + lean, rect.top())
        band.lineTo(left + lean + across, rect.top())
        band.lineTo(left + across, rect.bottom())
        band.closeSubpath()
        painter.drawPath(band)
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(shades.line, 1.4))
    painter.drawPath(path)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the picture on the screen: panes of glass and lines below, nodes above; arrow keys walk over the nodes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QMoveEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vitrail.model.text import text
from vitrail.qt.load.short import ShortLoad
from vitrail.qt.picture.glass import Glass, rect_of
from vitrail.qt.picture.layout import MIN_WIDTH, place
from vitrail.qt.picture.nodes import AnyNode, Node, heights_of, make_node
from vitrail.qt.picture.state import Picture
from vitrail.qt.theme import theme_of
from vitrail.qt.widgets.labels import Say

_LIKELY_ROOM = 900
"""How high the visible part is taken to be before it is known."""


class PictureView(QWidget):
    """Shows a Picture.

    Signals:
        opened: the user wants to see more of the node with this key.
        picked: the user chose the node with this key; empty for none.
        walked_to: the focus came to this node by keyboard; a `QWidget` to bring into view.
    """

    opened = Signal(str)
    picked = Signal(str)
    walked_to = Signal(QWidget)

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._picture = Picture((), (), (), (), folded=False)
        self._states: dict[str, AnyNode] = {}
        self._nodes: dict[str, Node] = {}
        self._heights: dict[str, float] = {}
        self._room = 0
        self._places = place(self._picture, 0, {}, 0)
        self._placed_in: tuple[int, int] | None = None
        """The width and the room that the places are for; None where the picture is another since."""
        self._chosen = ""
        self._loads: Mapping[str, ShortLoad] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(say(text("qt.picture.name")))
        self.setAccessibleDescription(say(text("qt.picture.walk")))

    def show_picture(self, picture: Picture) -> None:
        """Show this picture; the chosen node and the focus stay where they were, if it is still there."""
        if picture == self._picture:
            return
        focused = next((node.key for node in self._nodes.values() if node.hasFocus()), None)
        for key in tuple(self._nodes):
            self._unmake(key)
        self._picture = picture
        self._states = {node.key: node for column in _columns(picture) for node in column}
        small = len(picture.cards) <= 1 and len(picture.vms) <= 1
        self.setFont(_larger(QFont()) if small else QFont())
        self._heights = heights_of(picture, self.font())
        self._placed_in = None
        self._chosen = self._chosen if self._chosen in self._states else ""
        self._lay_out()
        if focused in self._states:
            self._node(focused).setFocus()

    def show_loads(self, loads: Mapping[str, ShortLoad]) -> None:
        """The load of every node of which it is known, by its key."""
        self._loads = loads
        for key, node in self._nodes.items():
            node.show_load(self._load_of(key))

    def _load_of(self, key: str) -> tuple[float, str] | None:
        load = self._loads.get(key)
        return None if load is None else (load.percent, self._say(load.words))

    def set_room(self, height: int) -> None:
        """How high the place is that the picture may fill."""
        self._room = height
        self._lay_out()

    def choose(self, key: str) -> None:
        """Choose the node with this key, as a click would."""
        self._choose(key if key in self._states else "")

    def sizeHint(self) -> QSize:
        return QSize(1040, round(self._places.height))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(MIN_WIDTH), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._make_visible_ones()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make_visible_ones()

    def _choose(self, key: str) -> None:
        changed = key != self._chosen
        self._chosen = key
        for node in self._nodes.values():
            node.setChecked(node.key == key)
        self.update()
        if changed:
            self.picked.emit(key)

    def _lay_out(self) -> None:
        if self._placed_in == (self.width(), self._room):
            return
        self._placed_in = (self.width(), self._room)
        self._places = place(self._picture, self.width(), self._heights, self._room)
        for key, node in self._nodes.items():
            node.setGeometry(rect_of(self._places.nodes[key]).toAlignedRect())
        self.setMinimumHeight(round(self._places.height))
        self._make_visible_ones()
        self.updateGeometry()
        self.update()

    def _make_visible_ones(self) -> None:
        """Nodes are made where they can be seen, and half a screen further: many at once would stop the window."""
        top = -self.y()
        room = self._room or _LIKELY_ROOM
        for key, box in self._places.nodes.items():
            near = box.bottom >= top - room / 2 and box.y <= top + 1.5 * room
            if near and key not in self._nodes:
                self._node(key)
            elif not near and key in self._nodes and not self._nodes[key].hasFocus():
                self._unmake(key)

    def _node(self, key: str) -> Node:
        """The node with this key, made now if need be."""
        if key not in self._nodes:
            made = make_node(self._states[key], self._say, self)
            made.clicked.connect(lambda: self._choose("" if self._chosen == key else key))
            made.opened.connect(lambda: self.opened.emit(key))
            made.walked.connect(lambda arrow: self._walk(key, arrow))
            made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            made.setGeometry(rect_of(self._places.nodes[key]).toAlignedRect())
            made.setChecked(key == self._chosen)
            made.show_load(self._load_of(key))
            made.show()
            self._nodes[key] = made
        return self._nodes[key]

    def _unmake(self, key: str) -> None:
        node = self._nodes.pop(key)
        node.hide()
        node.deleteLater()

    def _walk(self, key: str, arrow: int) -> None:
        """Up and down within a column, left and right along a line, else to the nearest of the next column."""
        keys = [[node.key for node in column] for column in _columns(self._picture)]
        here = next(number for number, column in enumerate(keys) if key in column)
        if arrow in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = -1 if arrow == Qt.Key.Key_Up else 1
            place_there = keys[here].index(key) + step
            wanted = keys[here][place_there] if 0 <= place_there < len(keys[here]) else key
        else:
            step = -1 if arrow == Qt.Key.Key_Left else 1
            beyond = keys[here + step] if 0 <= here + step < len(keys) else []
            wanted = self._nearest(key, beyond) if beyond else key
        node = self._node(wanted)
        node.setFocus(Qt.FocusReason.TabFocusReason)
        self._choose(wanted)
        self.walked_to.emit(node)

    def _nearest(self, key: str, beyond: list[str]) -> str:
        tied = [
            wire.target if wire.source == key else wire.source
            for wire in self._picture.wires
            if key in (wire.source, wire.target)
        ]
        candidates = [other for other in tied if other in beyond] or beyond
        boxes = self._places.nodes
        return min(candidates, key=lambda other: abs(boxes[other].middle - boxes[key].middle))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self.palette())
        glass = Glass(self._picture, self._places, theme, self.font(), self._say, self._chosen)
        glass.paint(painter, event.rect().top(), event.rect().bottom())
        painter.end()


def _larger(font: QFont) -> QFont:
    """One card and one VM: a large picture."""
    font.setPointSizeF(font.pointSizeF() * 1.25)
    return font


def _columns(picture: Picture) -> tuple[tuple[AnyNode, ...], ...]:
    return (picture.monitors, picture.cards, picture.vms)

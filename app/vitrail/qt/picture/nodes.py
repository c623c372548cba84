# SPDX-License-Identifier: GPL-3.0-or-later
"""How a monitor, a card and a VM look. Each is a button: it takes the focus, is clicked, and reads itself out."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractButton, QWidget

from vitrail.model.text import text
from vitrail.qt.marks import MARK_OF_TONE, draw_mark
from vitrail.qt.picture.state import CardNode, MonitorNode, Picture, VmNode
from vitrail.qt.theme import KEYBOARD_REASONS, RADIUS, Shades, Theme, Tone, mix, theme_of
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import Badge, tell

_PAD = 16.0
_BAR = 44.0
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


AnyNode = MonitorNode | CardNode | VmNode


def heights_of(picture: Picture, font: QFont) -> dict[str, float]:
    """How high every node of the picture wants to be, without making it."""
    line = QFontMetricsF(font_of(Kind.BODY, font)).height()
    folded = picture.folded
    found = {node.key: line * (2 if folded else 2.4) + (16 if folded else 34) for node in picture.monitors}
    found |= {node.key: card_height(line, folded=folded) for node in picture.cards}
    for vm in picture.vms:
        lines = 1 + min(2, len(vm.graphics))
        found[vm.key] = 2 * line + 31 if folded else lines * (line + 7) + 23
    return found


def card_height(line: float, *, folded: bool) -> float:
    """How high a card is, with lines of this height."""
    return line + 22 if folded else 3 * line + 42


class Node(QAbstractButton):
    """One thing of the picture.

    Signals:
        walked: an arrow key was pressed on it; the key.
        opened: it was double-clicked, or Return was pressed.
    """

    walked = Signal(int)
    opened = Signal()

    def __init__(self, key: str, lines: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.key = key
        # A style sheet keeps fonts from being inherited.
        self.setFont(parent.font())
        self._line_height = QFontMetricsF(font_of(Kind.BODY, self.font())).height()
        self._walked_to = False
        self._lines = lines
        self._load: tuple[float, str] | None = None
        self.setText(lines[0])
        self.setAccessibleName(lines[0])
        self._describe()
        self.setCheckable(True)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_load(self, load: tuple[float, str] | None) -> None:
        """How busy it is, in percent and in words; None where that is not known: then nothing is shown."""
        if load != self._load:
            self._load = load
            self._describe()
            self.update()

    def _describe(self) -> None:
        lines = [line for line in (*self._lines, "" if self._load is None else self._load[1]) if line]
        self.setAccessibleDescription(". ".join(lines[1:]))
        self.setToolTip("\n".join(line.replace("<", "‹") for line in lines))

    @abstractmethod
    def draw(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Draw it into the rectangle."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        # A ring for whoever walks by keyboard; a click or a window that comes up needs none.
        self._walked_to = event.reason() in KEYBOARD_REASONS
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._walked_to = False
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.walked.emit(key)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.opened.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), theme)
        painter.end()

    def frame(self, painter: QPainter, rect: QRectF, theme: Theme, border: QColor) -> None:
        """The surface; thicker where it is chosen, doubled where it has the focus."""
        if self._walked_to:
            painter.setPen(QPen(theme.accent, 2))
        elif self.isChecked():
            painter.setPen(QPen(theme.text, 1.6))
        elif self.underMouse():
            painter.setPen(QPen(theme.muted, 1))
        else:
            painter.setPen(QPen(border, 1))
        painter.setBrush(theme.surface)
        painter.drawRoundedRect(rect, RADIUS, RADIUS)

    def put(
        self,
        painter: QPainter,
        where: QRectF,
        words: str,
        *,
        kind: Kind,
        color: QColor,
        align: Qt.AlignmentFlag = _LEFT,
    ) -> None:
        """One line of words, shortened at its end where it does not fit; the whole is in the tool tip."""
        font = font_of(kind, self.font())
        painter.setFont(font)
        painter.setPen(color)
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, where.width())
        painter.drawText(where, align | Qt.TextFlag.TextSingleLine, shown)

    def load_bar(self, painter: QPainter, row: QRectF, theme: Theme, shades: Shades) -> float:
        """The load at the end of this line, as a bar with its words; how wide it became."""
        if self._load is None:
            return 0.0
        percent, words = self._load
        wide = QFontMetricsF(font_of(Kind.SMALL, self.font())).horizontalAdvance(words) + 2
        self.put(painter, row, words, kind=Kind.SMALL, color=theme.text, align=_RIGHT)
        bar = QRectF(row.right() - wide - _BAR - 8, row.center().y() - 3, _BAR, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mix(theme.surface, theme.text, 0.12))
        painter.drawRoundedRect(bar, 3, 3)
        if percent >= 1:
            painter.setBrush(shades.line)
            painter.drawRoundedRect(QRectF(bar.topLeft(), QSizeF(max(6.0, _BAR * min(percent, 100) / 100), 6)), 3, 3)
        return wide + _BAR + 14

    def pill(self, painter: QPainter, right: QPointF, words: str, badge: Badge, shades: Shades) -> float:
        """A status whose right end is at this point; how wide it became."""
        font = font_of(Kind.SMALL, self.font())
        font.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetricsF(font)
        room = self.width() * 0.56
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, room)
        width, height = metrics.horizontalAdvance(shown) + 38, metrics.height() + 8
        rect = QRectF(right.x() - width, right.y() - height / 2, width, height)
        painter.setPen(QPen(shades.line, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, height / 2, height / 2)
        mark = badge.mark or MARK_OF_TONE[badge.tone]
        draw_mark(painter, mark, QRectF(rect.x() + 10, rect.center().y() - 6.5, 13, 13), shades.ink)
        painter.setFont(font)
        painter.setPen(shades.ink)
        painter.drawText(rect.adjusted(27, 0, -6, 0), _LEFT, shown)
        return width


class MonitorButton(Node):
    """A screen on its foot, with the socket's name and the monitor's own."""

    def __init__(self, node: MonitorNode, say: Say, parent: QWidget) -> None:
        self._title, self._sub = tell(say, node.title), tell(say, node.sub)
        super().__init__(node.key, (say(text("qt.picture.monitor", name=self._title)), self._sub), parent)
        self._hue = node.hue

    def draw(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        foot = 10.0
        screen = rect.adjusted(0, 0, 0, -foot)
        shades = theme.hue(self._hue)
        middle = rect.center().x()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shades.line)
        top, bottom = screen.bottom(), rect.bottom()
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(middle - 15, top),
                    QPointF(middle + 15, top),
                    QPointF(middle + 21, bottom),
                    QPointF(middle - 21, bottom),
                ]
            )
        )
        self.frame(painter, screen, theme, shades.line)
        inner = screen.adjusted(10, 0, -10, 0)
        height = self._line_height
        block = QRectF(inner.x(), screen.center().y() - height, inner.width(), height)
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        self.put(painter, block, self._title, kind=Kind.STRONG, color=theme.text, align=centre)
        below = block.translated(0, height)
        self.put(painter, below, self._sub, kind=Kind.SMALL, color=theme.muted, align=centre)


class CardButton(Node):
    """A card: name and status, what its group means, who uses it, where it sits."""

    def __init__(self, node: CardNode, say: Say, parent: QWidget) -> None:
        self._badge, self._verdict, self._hue = node.badge, node.verdict, node.hue
        self._words = tuple(tell(say, words) for words in (node.title, node.badge.words, node.verdict.words, node.use))
        self._address = node.address
        super().__init__(node.key, (*self._words, node.address), parent)

    def draw(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        title, badge, verdict, use = self._words
        self.frame(painter, rect, theme, theme.hairline)
        height = self._line_height
        top = rect.y() + 12
        row = QRectF(rect.x() + _PAD, top, rect.width() - 2 * _PAD, height)
        right = QPointF(row.right() + 4, row.center().y() + 1)
        width = self.pill(painter, right, badge, self._badge, self._shades(theme))
        self.put(painter, row.adjusted(0, 0, -width - 6, 0), title, kind=Kind.TITLE, color=theme.text)
        if row.bottom() + height > rect.bottom():
            return
        shades = theme.tones[self._verdict.tone]
        second = row.translated(0, height + 9)
        mark = self._verdict.mark or MARK_OF_TONE[self._verdict.tone]
        draw_mark(painter, mark, QRectF(second.x(), second.center().y() - 7, 14, 14), shades.ink)
        room = self.load_bar(painter, second, theme, theme.hue(self._hue))
        self.put(painter, second.adjusted(21, 0, -room, 0), verdict, kind=Kind.BODY, color=theme.text)
        third = second.translated(0, height + 6)
        small = font_of(Kind.SMALL, self.font())
        address = QFontMetricsF(small).horizontalAdvance(self._address) + 8
        self.put(painter, third.adjusted(0, 0, -address, 0), use, kind=Kind.BODY, color=theme.muted)
        self.put(painter, third, self._address, kind=Kind.SMALL, color=theme.muted, align=_RIGHT)

    def _shades(self, theme: Theme) -> Shades:
        # What the card shows or feeds is said in its own colour; everything else in that of its meaning.
        return theme.hue(self._hue) if self._badge.tone is Tone.INFO else theme.tones[self._badge.tone]


class VmButton(Node):
    """A VM: its name, whether it runs, what gives it its picture."""

    def __init__(self, node: VmNode, say: Say, parent: QWidget) -> None:
        self._state, self._hue = node.state, node.hue
        self._title, self._says = tell(say, node.title), tell(say, node.state.words)
        self._graphics = tuple(tell(say, words) for words in node.graphics)
        super().__init__(node.key, (self._title, self._says, *self._graphics), parent)

    def draw(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        self.frame(painter, rect, theme, theme.hairline)
        if self._hue is not None:
            self._edge(painter, rect, theme.hue(self._hue).line)
        height = self._line_height
        row = QRectF(rect.x() + _PAD + 2, rect.y() + 12, rect.width() - 2 * _PAD - 2, height)
        tone = theme.tones[self._state.tone]
        mark = self._state.mark or MARK_OF_TONE[self._state.tone]
        draw_mark(painter, mark, QRectF(row.x(), row.center().y() - 7, 14, 14), tone.ink)
        font = font_of(Kind.SMALL, self.font())
        width = QFontMetricsF(font).horizontalAdvance(self._says)
        self.put(painter, row, self._says, kind=Kind.SMALL, color=theme.muted, align=_RIGHT)
        self.put(painter, row.adjusted(24, 0, -width - 10, 0), self._title, kind=Kind.TITLE, color=theme.text)
        line = row.adjusted(24, 0, 0, 0)
        shades = theme.tones[Tone.PLAIN] if self._hue is None else theme.hue(self._hue)
        room = self.load_bar(painter, line.translated(0, height + 6), theme, shades)
        for words in self._graphics[:2]:
            line = line.translated(0, height + 6)
            if line.bottom() > rect.bottom():
                break
            self.put(painter, line.adjusted(0, 0, -room, 0), words, kind=Kind.BODY, color=theme.muted)

    def _edge(self, painter: QPainter, rect: QRectF, color: QColor) -> None:
        """The identity of the card that feeds it, as a bar at the side where the line arrives."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(QRectF(rect.x(), rect.y() + RADIUS, 4, rect.height() - 2 * RADIUS), 2, 2)


def make_node(node: AnyNode, say: Say, parent: QWidget) -> Node:
    """The button for this node."""
    match node:
        case MonitorNode():
            return MonitorButton(node, say, parent)
        case CardNode():
            return CardButton(node, say, parent)
        case VmNode():
            return VmButton(node, say, parent)

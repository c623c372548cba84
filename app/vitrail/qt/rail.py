# SPDX-License-Identifier: GPL-3.0-or-later
"""The left rail: the pages, Help and Settings at its foot, and below them which computer this is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QSizePolicy, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.marks import draw_mark
from vitrail.qt.theme import GAP, KEYBOARD_REASONS, Tone, theme_of
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say, font_of

_WIDTH = 200
PAGES = (
    ("overview", "layout-dashboard"),
    ("cards", "gpu"),
    ("vms", "server"),
    ("load", "activity"),
    ("changes", "history"),
    ("problems", "triangle-alert"),
)
FOOT = (("help", "life-buoy"), ("settings", "settings"))


class RailButton(QAbstractButton):
    """One page's entry; `count` stands in a badge at its end and in its accessible name."""

    def __init__(self, words: str, mark: str, counted: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark, self._counted, self._count = mark, counted, 0
        self._walked_to = False
        self.setText(words)
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_count(self, count: int, words: str) -> None:
        """How many there are; `words` say it in the accessible name."""
        self._count = count
        self.setAccessibleName(words if count else self.text())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH - 20, self.fontMetrics().height() + 20)

    def focusInEvent(self, event: QFocusEvent) -> None:
        # A ring for whoever walks by keyboard; a click or a window that comes up needs none.
        self._walked_to = event.reason() in KEYBOARD_REASONS
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._walked_to = False
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Up:
            self.focusPreviousChild()
        elif event.key() == Qt.Key.Key_Down:
            self.focusNextChild()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked() or self.underMouse():
            painter.setBrush(theme.accent_soft if self.isChecked() else theme.sunken)
            painter.drawRoundedRect(rect, 8, 8)
        if self._walked_to:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.accent)
            painter.drawRoundedRect(rect, 8, 8)
        ink = theme.accent_ink if self.isChecked() else theme.text
        draw_mark(painter, self._mark, QRectF(14, (self.height() - 18) / 2, 18, 18), ink)
        font = font_of(Kind.STRONG if self.isChecked() else Kind.BODY, self.font())
        painter.setFont(font)
        painter.setPen(ink)
        room = rect.adjusted(43, 0, -40 if self._count else -6, 0)
        shown = QFontMetricsF(font).elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if self._count:
            self._badge(painter, rect)
        painter.end()

    def _badge(self, painter: QPainter, rect: QRectF) -> None:
        theme = theme_of(self.palette())
        words = str(self._count)
        font = font_of(Kind.SMALL, self.font())
        font.setWeight(QFont.Weight.Bold)
        width = max(22.0, QFontMetricsF(font).horizontalAdvance(words) + 12)
        badge = QRectF(rect.right() - width - 8, rect.center().y() - 9, width, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tones[Tone.BAD].ink)
        painter.drawRoundedRect(badge, 9, 9)
        painter.setPen(theme.surface)
        painter.setFont(font)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, words)


class Rail(QFrame):
    """The pages to choose from.

    Signals:
        chosen: the page with this name was chosen.
    """

    chosen = Signal(str)

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(say(text("qt.rail.name")))
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 20, 10, 18)
        column.setSpacing(4)
        title = PlainLabel("Vitrail", Kind.HEADLINE)
        title.setContentsMargins(14, 0, 0, 14)
        column.addWidget(title)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, RailButton] = {}
        for name, mark in PAGES:
            column.addWidget(self._button(name, mark))
        column.addStretch(1)
        for name, mark in FOOT:
            column.addWidget(self._button(name, mark))
        column.addSpacing(GAP)
        self.place = PlainLabel("", Kind.STRONG)
        self.place.setContentsMargins(14, 0, 6, 0)
        column.addWidget(self.place)

    def show_page(self, name: str) -> None:
        """Mark this page as the one that is shown."""
        self._buttons[name].setChecked(True)

    def show_problems(self, count: int) -> None:
        """How many problems there are."""
        self._buttons["problems"].set_count(count, self._say(text("qt.rail.problems-counted", count=count)))

    def _button(self, name: str, mark: str) -> RailButton:
        made = RailButton(self._say(text(f"qt.rail.{name}")), mark)
        made.clicked.connect(lambda: self.chosen.emit(name))
        self._group.addButton(made)
        self._buttons[name] = made
        return made

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.surface)
        painter.setPen(theme.hairline)
        painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())
        painter.end()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as rows: the whole row is the radio button, the arrow keys move between rows, one is picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QRadioButton, QSizePolicy, QVBoxLayout, QWidget

from vitrail.qt.marks import draw_mark
from vitrail.qt.theme import GAP, RADIUS, Theme, mix, theme_of
from vitrail.qt.widgets.labels import PlainLabel

LEFT_ROOM = 46
"""Before the face of a row: where the circle is."""
RIGHT_ROOM = 2 * GAP
_CIRCLE = 9.0
_RING = 3
_HIGHEST_CIRCLE = 34.0


class ChoiceRow(QRadioButton):
    """A radio button that is a card: everything in `body` belongs to its face."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(LEFT_ROOM, GAP + 4, RIGHT_ROOM, GAP + 4)
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP // 4)
        outer.addLayout(self.body)

    def let_clicks_through(self) -> None:
        """Clicks on the words are clicks on the row; call when the face is complete."""
        for label in self.findChildren(PlainLabel):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def sizeHint(self) -> QSize:
        return QWidget.sizeHint(self)

    def minimumSizeHint(self) -> QSize:
        return QWidget.minimumSizeHint(self)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_frame(painter, theme)
        self._paint_circle(painter, theme)
        painter.end()

    def _paint_frame(self, painter: QPainter, theme: Theme) -> None:
        frame = QRectF(self.rect()).adjusted(_RING, _RING, -_RING, -_RING)
        if self.hasFocus():
            painter.setPen(QPen(mix(theme.window, theme.accent, 0.45), _RING))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(-1, -1, 1, 1), RADIUS + 1, RADIUS + 1)
        edge, width = theme.hairline, 1.0
        if self.isChecked():
            edge, width = theme.accent, 2.0
        elif self.underMouse() or self.hasFocus():
            edge = theme.accent
        painter.setPen(QPen(edge, width))
        painter.setBrush(theme.accent_soft if self.isChecked() else theme.surface)
        painter.drawRoundedRect(frame, RADIUS, RADIUS)

    def _paint_circle(self, painter: QPainter, theme: Theme) -> None:
        center = circle_center(self.height())
        rim: QColor = theme.accent if self.isChecked() else mix(theme.surface, theme.text, 0.55)
        painter.setPen(QPen(rim, 1.8))
        painter.setBrush(theme.surface)
        painter.drawEllipse(center, _CIRCLE, _CIRCLE)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent)
            painter.drawEllipse(center, _CIRCLE - 4, _CIRCLE - 4)


def circle_center(height: int) -> QPointF:
    """Where the circle of a row of this height stands: in its middle, in a high row at its first lines."""
    return QPointF(2 * GAP + 3 + _CIRCLE, min(height / 2, _HIGHEST_CIRCLE))


class ClosedRow(QFrame):
    """An answer that cannot be given: a lock in place of the circle, and the words in full ink."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(LEFT_ROOM, GAP + 4, RIGHT_ROOM, GAP + 4)
        self.body.setSpacing(GAP // 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.hairline, 1))
        painter.setBrush(mix(theme.surface, theme.window, 0.6))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(_RING, _RING, -_RING, -_RING), RADIUS, RADIUS)
        center = circle_center(self.height())
        lock = QRectF(center.x() - _CIRCLE, center.y() - _CIRCLE, 2 * _CIRCLE, 2 * _CIRCLE)
        draw_mark(painter, "lock", lock, theme.muted)
        painter.end()


class ChoiceRows(QButtonGroup):
    """Rows of which one is picked; Up and Down walk them in the order given, whatever stands between."""

    def __init__(self, rows: Sequence[ChoiceRow], picked: Callable[[int], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.rows = tuple(rows)
        for number, row in enumerate(self.rows):
            self.addButton(row, number)
            row.installEventFilter(self)
        self.idClicked.connect(picked)
        self._picked = picked

    def eventFilter(self, watched: object, event: object) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QKeyEvent.Type.KeyPress and watched in self.rows:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                at = self.rows.index(watched) + step
                if 0 <= at < len(self.rows):
                    self._walk_to(at)
                return True
        return False

    def _walk_to(self, number: int) -> None:
        row = self.rows[number]
        row.setChecked(True)
        row.setFocus(Qt.FocusReason.TabFocusReason)
        self._picked(number)

    def current(self) -> ChoiceRow | None:
        """The row that is picked, else the first."""
        return next((row for row in self.rows if row.isChecked()), self.rows[0] if self.rows else None)

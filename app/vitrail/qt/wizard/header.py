# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbered circles: where the user is, what is done, what comes. Short of room only the present one is named."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from vitrail.qt.theme import GAP, Theme, mix, theme_of
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.wizard.state.steps import HeaderStep, Place

_RADIUS = 11.0
_HEIGHT = 30
_LINE = 14


class StepMark(QLabel):
    """One circle with its number (a tick once done) and its name."""

    def __init__(self, step: HeaderStep, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step = step
        self._name = say(step.label)
        self._named = True
        self.setAccessibleName(say(step.spoken))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        kind = Kind.STRONG if step.place is Place.CURRENT else Kind.BODY
        self.setFont(font_of(kind, self.font()))
        self.setToolTip(self._name)

    def set_named(self, named: bool) -> None:
        """Show the name beside the circle, or the circle alone."""
        self._named = named or self.step.place is Place.CURRENT
        self.updateGeometry()
        self.update()

    def full_width(self) -> int:
        """How wide it is with its name."""
        return round(2 * _RADIUS + 4 + GAP + QFontMetricsF(self.font()).horizontalAdvance(self._name))

    def sizeHint(self) -> QSize:
        return QSize(self.full_width() if self._named else round(2 * _RADIUS) + 4, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        center = QPointF(_RADIUS + 1.5, self.height() / 2)
        ahead = self.step.place is Place.AHEAD
        painter.setPen(QPen(mix(theme.window, theme.muted, 0.8) if ahead else theme.accent, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush if ahead else theme.accent)
        painter.drawEllipse(center, _RADIUS, _RADIUS)
        self._paint_inside(painter, theme, center)
        if self._named:
            painter.setFont(self.font())
            painter.setPen(theme.muted if ahead else theme.accent_ink)
            room = QRectF(2 * _RADIUS + 4 + GAP - 2, 0, self.width(), self.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._name)
        painter.end()

    def _paint_inside(self, painter: QPainter, theme: Theme, center: QPointF) -> None:
        ink = theme.muted if self.step.place is Place.AHEAD else theme.on_accent
        if self.step.place is Place.DONE:
            painter.setPen(QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
            turn = center + QPointF(-1.2, 3.4)
            painter.drawPolyline([center + QPointF(-4.4, 0.2), turn, center + QPointF(4.6, -3.6)])
            return
        font = font_of(Kind.SMALL, self.font())
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(ink)
        around = QRectF(center.x() - _RADIUS, center.y() - _RADIUS, 2 * _RADIUS, 2 * _RADIUS)
        painter.drawText(around, Qt.AlignmentFlag.AlignCenter, str(self.step.number))


class _Line(QWidget):
    """The thin line between two circles."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(_LINE)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setPen(QPen(mix(theme.window, theme.text, 0.25), 1))
        painter.drawLine(0, self.height() // 2, self.width(), self.height() // 2)
        painter.end()


class StepHeader(QWidget):
    """All circles in a row."""

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(GAP)
        self.marks: tuple[StepMark, ...] = ()
        self._shown: tuple[HeaderStep, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)

    def show_steps(self, steps: tuple[HeaderStep, ...]) -> None:
        """Show these; nothing is drawn anew where nothing changed."""
        if steps == self._shown:
            return
        self._shown = steps
        while self._row.count():
            item = self._row.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self.marks = tuple(StepMark(step, self._say) for step in steps)
        for number, mark in enumerate(self.marks):
            if number:
                self._row.addWidget(_Line(), 1)
            self._row.addWidget(mark)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, _HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        between = (len(self.marks) - 1) * (_LINE + 2 * GAP)
        named = sum(mark.full_width() for mark in self.marks) + between <= self.width()
        for mark in self.marks:
            mark.set_named(named)

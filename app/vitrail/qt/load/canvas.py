# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of loads: a row for every VM and card, drawn in one go, with one time cursor across all curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from vitrail.model.text import text
from vitrail.qt.load.boxes import Boxes, Placing, RowBox
from vitrail.qt.load.drawing import Drawing
from vitrail.qt.load.lines import LoadLines
from vitrail.qt.load.meter import Past
from vitrail.qt.load.plot import Curve, curve_of, recent
from vitrail.qt.load.span import Span
from vitrail.qt.load.traces import Dot, Traces, dots_of
from vitrail.qt.theme import theme_of
from vitrail.qt.widgets.labels import Say

_NO_LINES = LoadLines((), (), None, None)
_LEAST_DRAG = 6.0
_WHEEL_STEP = 120.0
_ZOOM = 0.8
_KEY_STEPS = 60


class LoadCanvas(QWidget):
    """Shows lines and their curves.

    Signals:
        span_changed: the user zoomed; a `Span`.
        opened: the user wants to see more of this thing; its key.
    """

    span_changed = Signal(Span)
    opened = Signal(str)

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._lines = _NO_LINES
        self._traces = Traces()
        self._week: dict[str, tuple[Dot, ...]] = {}
        self.span = Span()
        self.cursor_at: float | None = None
        """The moment under the cursor."""
        self._dragged_from: float | None = None
        self._curves: dict[str, tuple[object, Curve]] = {}
        self._boxes: Boxes = Placing(self.font(), say).place(_NO_LINES, 0)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(say(text("qt.load.picture")))
        self.setAccessibleDescription(say(text("qt.load.picture.walk")))

    def show_lines(self, lines: LoadLines, traces: Traces) -> None:
        """Show this tick."""
        self._lines, self._traces = lines, traces
        gone = self._curves.keys() - {line.key for line in lines.every}
        for key in gone:
            del self._curves[key]
        self._place()

    def show_week(self, week: Past) -> None:
        """What the condensed curves are made of."""
        self._week = {key: dots_of(points) for key, points in week.items()}
        self._curves.clear()
        self.update()

    def show_span(self, span: Span) -> None:
        """Show this stretch of time."""
        self.span = span
        self.update()

    def dots(self, key: str) -> Sequence[Dot]:
        """What the curve with this key is made of in the range that is shown."""
        return self._week.get(key, ()) if self.span.condensed else self._traces.curve(key)

    @property
    def now(self) -> float:
        """The moment at the right end of an unmoved curve."""
        return self._traces.newest

    def sizeHint(self) -> QSize:
        return QSize(1000, round(self._boxes.height))

    def minimumSizeHint(self) -> QSize:
        return QSize(640, round(self._boxes.height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        before = self._boxes.height
        self._boxes = Placing(self.font(), self._say).place(self._lines, self.width())
        if self._boxes.height != before:
            self.setMinimumHeight(round(self._boxes.height))
            self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edges = self.span.edges(self.now)
        drawing = Drawing(painter, theme_of(self.palette()), self.font(), self._say, (self.span, self.now))
        seen = QRectF(event.rect())
        for head in self._boxes.heads:
            if head.rect.intersects(seen):
                drawing.head(head, self._boxes)
        for row in self._boxes.rows:
            if row.rect.intersects(seen):
                drawing.row(row, self._curve(row, edges), self.dots(row.line.key), self.cursor_at)
        if self.hasFocus():
            drawing.focus_ring(QRectF(self.rect()))
        if self._dragged_from is not None and self.cursor_at is not None:
            drawing.band(self._boxes, self._dragged_from, self.cursor_at, seen)
        painter.end()

    def _curve(self, row: RowBox, edges: tuple[float, float]) -> Curve:
        """The row's curve; kept while only the cursor moves."""
        stamp = (edges, row.plot.getRect(), self.now, self.span.condensed)
        had = self._curves.get(row.line.key)
        if had is None or had[0] != stamp:
            dots = recent(self.dots(row.line.key), edges[0], condensed=self.span.condensed)
            made = curve_of(dots, row.plot, edges, condensed=self.span.condensed)
            had = self._curves[row.line.key] = (stamp, made)
        return had[1]

    def time_at(self, x: float) -> float | None:
        """The moment at this place; None beside the curves."""
        left, right = self._boxes.plot_left, self._boxes.plot_right
        if not left <= x <= right or right <= left:
            return None
        start, end = self.span.edges(self.now)
        return start + (x - left) / (right - left) * (end - start)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_to(self.time_at(event.position().x()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_to(None)

    def _point_to(self, at: float | None) -> None:
        if at != self.cursor_at:
            self.cursor_at = at
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragged_from = self.time_at(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        begun, self._dragged_from = self._dragged_from, None
        ended = self.time_at(event.position().x())
        if begun is None or ended is None:
            return
        start, end = self.span.edges(self.now)
        width = self._boxes.plot_right - self._boxes.plot_left
        if abs(ended - begun) / (end - start) * width >= _LEAST_DRAG:
            self._zoom(self.span.between(begun, ended))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self._boxes.row_at(event.position())
        if self.time_at(event.position().x()) is not None:
            self._zoom(self.span.whole())
        elif row is not None:
            self.opened.emit(row.line.thing)

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = self.time_at(event.position().x())
        # Without the key the wheel scrolls the page, as everywhere.
        if at is None or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        steps = event.angleDelta().y() / _WHEEL_STEP
        self._zoom(self.span.zoom(_ZOOM**steps, at, self.now))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        start, end = self.span.edges(self.now)
        at = end if self.cursor_at is None else self.cursor_at
        match event.key():
            case Qt.Key.Key_Left:
                self._point_to(max(start, at - (end - start) / _KEY_STEPS))
            case Qt.Key.Key_Right:
                self._point_to(min(end, at + (end - start) / _KEY_STEPS))
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(self.span.zoom(_ZOOM, at, self.now))
            case Qt.Key.Key_Minus:
                self._zoom(self.span.zoom(1 / _ZOOM, at, self.now))
            case Qt.Key.Key_Home | Qt.Key.Key_Escape:
                self._point_to(None)
                self._zoom(self.span.whole())
            case _:
                super().keyPressEvent(event)

    def _zoom(self, span: Span) -> None:
        if span != self.span:
            self.show_span(span)
            self.span_changed.emit(span)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            why = self.why_at(QPointF(event.pos()))
            # Escaped, a tip can only be read as the words.
            QToolTip.showText(event.globalPos(), f"<p>{escape(why)}</p>" if why else "", self)
            return True
        return super().event(event)

    def why_at(self, point: QPointF) -> str:
        """The whole reason of what is not known at this place, or the whole of what may be shortened there."""
        row = self._boxes.row_at(point)
        if row is None:
            return ""
        for fact in row.facts:
            if fact.rect.contains(point):
                return fact.why
        if row.left.contains(point):
            return Drawing.whole(row.line, self._say)
        load = row.line.load
        silent = row.right.contains(point) or row.plot.contains(point)
        return self._say(load.why) if silent and load is not None and load.why is not None else ""

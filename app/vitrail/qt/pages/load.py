# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load: who uses how much of which card, now and before, as curves and as the table that equals them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.load.canvas import LoadCanvas
from vitrail.qt.load.lines import LoadLines, lines_of, order_of
from vitrail.qt.load.meter import Beat
from vitrail.qt.load.span import Range, Span
from vitrail.qt.pages.load_state import COLUMNS, Empty, empty_state, headline, table_rows
from vitrail.qt.pages.page import Page, clear, scrolled
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import EmptyState, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.widgets.table import Table

_SORT_EVERY_S = 5.0
_RANGES = {"minute": Range.MINUTE, "quarter": Range.QUARTER, "week": Range.WEEK}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The machine, and why there is nothing to measure on it."""

    facts: Facts
    empty: Empty | None


class LoadPage(Page):
    """The load of every VM and card."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._prepared: Prepared | None = None
        self._lines: LoadLines | None = None
        self._order: tuple[str, ...] = ()
        self._ordered_at = 0.0
        self.headline.setText(self.say(text("qt.rail.load")))
        self._notices = QVBoxLayout()
        self.column.addLayout(self._notices)
        self._bar = QWidget()
        self._bar.setLayout(self._ranges())
        self.column.addWidget(self._bar)
        self._canvas = LoadCanvas(self.say)
        self._canvas.span_changed.connect(self._spanned)
        self._canvas.opened.connect(self._open)
        self._area = scrolled(self._canvas)
        self._table = Table(
            tuple(self.say(text(f"qt.load.column.{name}")) for name in COLUMNS),
            self.say(text("qt.load.table")),
            stretch=6,
        )
        self._empty = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._empty)
        self._nothing = nothing
        self._stack = QStackedWidget()
        for part in (self._area, self._table, nothing):
            self._stack.addWidget(part)
        self.column.addWidget(self._stack, 1)
        self._hint = PlainLabel(self.say(text("qt.load.hint")), Kind.SMALL)
        self.column.addWidget(self._hint)
        self._bar.hide()
        self._hint.hide()
        desk.sampling.sampled.connect(self._sampled)
        desk.sampling.week_read.connect(lambda: self._canvas.show_week(desk.sampling.week))
        desk.sampling.failed.connect(self._failed)

    def _ranges(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP // 2)
        self._group = QButtonGroup(self)
        self._by_range: dict[Range, QPushButton] = {}
        for name, chosen in _RANGES.items():
            made = button(self.say(text(f"qt.load.range.{name}")), partial(self._choose, chosen), small=True)
            made.setCheckable(True)
            self._group.addButton(made)
            self._by_range[chosen] = made
            row.addWidget(made)
        self._by_range[Range.MINUTE].setChecked(True)
        self._whole = button(self.say(text("qt.load.whole")), self._unzoom, quiet=True, small=True, mark="undo-2")
        self._whole.hide()
        row.addWidget(self._whole)
        row.addStretch(1)
        self._swap = button(self.say(text("qt.overview.as-table")), self._swap_view, small=True, mark="table")
        row.addWidget(self._swap)
        return row

    @staticmethod
    def prepare(facts: Facts, say: Say) -> Prepared:
        del say
        return Prepared(facts, empty_state(facts))

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, Prepared):
            return
        self._prepared = prepared
        empty = prepared.empty
        self.subline.setText(self.say(text("qt.load.subline-none" if empty is not None else "qt.load.subline")))
        clear(self._empty)
        if empty is not None:
            self._stack.setCurrentWidget(self._nothing)
            view = EmptyState(self.say(empty.title), "\n".join(map(self.say, empty.why)), "activity")
            view.add_action(button(self.say(text("qt.load.who")), lambda: self.desk.page_asked.emit("cards", "")))
            if empty.demo:
                view.add_action(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit))
            self._empty.addWidget(view)
        elif self._stack.currentWidget() is self._nothing:
            self._stack.setCurrentWidget(self._area)
        self._bar.setVisible(empty is None)
        self._hint.setVisible(empty is None and self._stack.currentWidget() is self._area)
        self._show()

    def _sampled(self, beat: Beat) -> None:
        clear(self._notices)
        at = beat.sample.taken_at
        if not self._order or not 0 <= at - self._ordered_at < _SORT_EVERY_S:
            self._order, self._ordered_at = order_of(beat.sample), at
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        beat, prepared = self.desk.sampling.beat, self._prepared
        if prepared is None or prepared.empty is not None:
            return
        if beat is None:
            self.headline.setText(self.say(headline(None, None)))
            return
        self._lines = lines_of(beat.sample, prepared.facts, self._order)
        self.headline.setText(self.say(headline(beat.sample, self._lines)))
        if self._stack.currentWidget() is self._table:
            self._table.show_rows(table_rows(self._lines, self.say))
        else:
            self._canvas.show_lines(self._lines, self.desk.sampling.traces)
        if self._canvas.span.condensed:
            self.desk.sampling.ask_week()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._show()

    def _failed(self, error: VitrailError) -> None:
        clear(self._notices)
        words = "\n".join(self.say(part) for part in (error.what, *error.next_steps))
        self._notices.addWidget(Notice(words, Tone.WARN))

    def _choose(self, chosen: Range) -> None:
        self._canvas.show_span(Span(chosen, chosen.value))
        self._spanned(self._canvas.span)

    def _spanned(self, span: Span) -> None:
        self._by_range[span.chosen].setChecked(True)
        self._whole.setVisible(span.zoomed)
        if span.condensed:
            self.desk.sampling.ask_week()

    def _unzoom(self) -> None:
        self._canvas.show_span(self._canvas.span.whole())
        self._spanned(self._canvas.span)

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        if self._prepared is None or self._prepared.empty is not None:
            return ()
        return (("table", self._swap_view),)

    def search_field(self) -> QLineEdit | None:
        return None

    def _swap_view(self) -> None:
        if self._stack.currentWidget() is self._nothing:
            return
        table = self._stack.currentWidget() is self._area
        self._stack.setCurrentWidget(self._table if table else self._area)
        self._swap.setText(self.say(text("qt.overview.as-picture" if table else "qt.overview.as-table")))
        self._hint.setVisible(not table)
        self._show()

    def _open(self, thing: str) -> None:
        kind = thing.partition(":")[0]
        self.desk.page_asked.emit({"card": "cards", "vm": "vms"}[kind], thing)

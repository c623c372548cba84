# SPDX-License-Identifier: GPL-3.0-or-later
"""The Overview: the picture, or the table that equals it, under one sentence that says how things stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.load.short import ShortLoad
from vitrail.qt.pages.overview_state import Lack, OverviewState, TableLine, page_state, table_of
from vitrail.qt.pages.page import Page, clear, scrolled, search_line
from vitrail.qt.picture.view import PictureView
from vitrail.qt.rows import Cell, Row
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Card, EmptyState, MarkLabel, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say, TermLink
from vitrail.qt.widgets.table import Table
from vitrail.qt.words import tell


@dataclass(frozen=True, slots=True)
class Prepared:
    """The page, and what its table is made of once somebody wants it."""

    state: OverviewState
    facts: Facts


class TableView(QWidget):
    """The table that equals the picture, with the field to search in it."""

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = Table(
            tuple(say(text(f"qt.overview.column.{name}")) for name in ("kind", "name", "status", "details", "fed-by")),
            say(text("qt.overview.table")),
            stretch=3,
        )
        self.search = search_line(say(text("qt.overview.search")))
        self.search.textChanged.connect(self.table.search)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        rows.addWidget(self.search)
        rows.addWidget(self.table, 1)


class OverviewPage(Page):
    """The first page."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        say = self.say
        self._state: OverviewState | None = None
        self._give = button(
            say(text("qt.give")), lambda: desk.wizard_asked.emit(""), primary=True, mark="wand-sparkles"
        )
        self.add_button(self._give)
        self._lacks = QVBoxLayout()
        self._lacks.setSpacing(GAP)
        self.column.addLayout(self._lacks)
        self._story = Card()
        self._story.hide()
        self.column.addWidget(self._story)
        self._picture = PictureView(say)
        self._picture.opened.connect(self._open)
        desk.load_sampled.connect(lambda _: self._show_loads())
        self._area = scrolled(self._picture)
        self._picture.walked_to.connect(self._area.ensureWidgetVisible)
        self._area.viewport().installEventFilter(self)
        self._facts: Facts | None = None
        self._as_table: TableView | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(self._area)
        self._empty = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._empty)
        self._nothing = nothing
        self._stack.addWidget(nothing)
        self.column.addWidget(self._stack, 1)
        foot = QHBoxLayout()
        self._legend = PlainLabel(say(text("qt.picture.legend")), Kind.SMALL)
        foot.addWidget(self._legend, 1)
        self._term = TermLink(say(text("qt.term.group")), "iommu-group", self._explain)
        foot.addWidget(self._term)
        self._swap = button(say(text("qt.overview.as-table")), self._swap_view, small=True, mark="table")
        foot.addWidget(self._swap, 0, Qt.AlignmentFlag.AlignRight)
        for part in (self._give, self._legend, self._term, self._swap):
            part.hide()
        self.column.addLayout(foot)

    @staticmethod
    def prepare(facts: Facts, say: Say) -> Prepared:
        del say
        return Prepared(page_state(facts), facts)

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, Prepared) or prepared.state == self._state:
            return
        state = prepared.state
        self._state = state
        self.headline.setText(self.say(state.headline))
        self.subline.setText("  ·  ".join(tell(self.say, words) for words in state.computer))
        self._give.setVisible(state.can_give)
        self._show_lacks(() if state.empty else state.lacks)
        self._show_empty(state)
        self._show_story(state)
        self._picture.show_picture(state.picture)
        self._facts = prepared.facts
        if self._as_table is not None:
            self._as_table.table.show_rows(self._rows())
        empty = state.empty
        if empty:
            self._stack.setCurrentWidget(self._nothing)
        elif self._stack.currentWidget() is self._nothing:
            self._stack.setCurrentWidget(self._area)
        self._legend.setText(
            self.say(text("qt.picture.legend-folded" if state.picture.folded else "qt.picture.legend"))
        )
        self._legend.setVisible(bool(state.picture.wires) and self._stack.currentWidget() is self._area)
        self._term.setVisible(not empty)
        self._swap.setVisible(not empty)

    def show_thing(self, key: str) -> None:
        self._picture.choose(key)

    def search_field(self) -> QLineEdit:
        if self._stack.currentWidget() is self._area:
            self._swap_view()
        return self._table_view().search

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return (("table", self._swap_view),) if self._state is not None and not self._state.empty else ()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and isinstance(area := self._area, QScrollArea):
            self._picture.set_room(area.viewport().height())
        return super().eventFilter(watched, event)

    def _show_loads(self) -> None:
        self._picture.show_loads(self.desk.loads)
        if self._as_table is not None:
            self._as_table.table.show_rows(self._rows())

    def _show_lacks(self, lacks: tuple[Lack, ...]) -> None:
        clear(self._lacks)
        offered = False
        for lack in lacks:
            notice = Notice("\n".join(map(self.say, (lack.title, *lack.why))), lack.tone)
            if lack.again:
                notice.row.addWidget(button(self.say(text("qt.read-again")), self.desk.read, small=True))
            if lack.demo and not offered:
                offered = True
                notice.row.addWidget(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit, small=True))
            self._lacks.addWidget(notice)

    def _show_empty(self, state: OverviewState) -> None:
        clear(self._empty)
        if not state.empty or not state.lacks:
            return
        # The headline names the first of them already.
        rest = (f"{self.say(lack.title)}\n{_why(lack, self.say)}" for lack in state.lacks[1:])
        sentences = "\n\n".join((_why(state.lacks[0], self.say), *rest))
        view = EmptyState(self.say(text("qt.overview.nothing")), sentences, "gpu")
        if any(lack.demo for lack in state.lacks):
            view.add_action(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit, primary=True))
        view.add_action(button(self.say(text("qt.read-again")), self.desk.read, mark="refresh-cw"))
        self._empty.addWidget(view)

    def _show_story(self, state: OverviewState) -> None:
        clear(self._story.body)
        for number, sentence in enumerate(state.story, start=1):
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(
                MarkLabel(Tone.INFO, mark="arrow-right" if number == len(state.story) else None),
                0,
                Qt.AlignmentFlag.AlignTop,
            )
            row.addWidget(PlainLabel(self.say(sentence)), 1)
            self._story.body.addWidget(line)
        self._story.setVisible(bool(state.story))

    def _explain(self, term: str) -> None:
        self.desk.page_asked.emit("help", term)

    def _table_view(self) -> TableView:
        """The table, made when it is first wanted: most people look at the picture."""
        if self._as_table is None:
            self._as_table = TableView(self.say)
            self._as_table.table.opened.connect(self._open)
            self._as_table.table.show_rows(self._rows())
            self._stack.addWidget(self._as_table)
        return self._as_table

    def _rows(self) -> tuple[Row, ...]:
        if self._facts is None or self._state is None:
            return ()
        loads = self.desk.loads
        return tuple(_row(line, self.say, loads.get(line.key)) for line in table_of(self._facts, self._state.picture))

    def _swap_view(self) -> None:
        if self._stack.currentWidget() is self._nothing:
            return
        table = self._stack.currentWidget() is self._area
        self._stack.setCurrentWidget(self._table_view() if table else self._area)
        self._swap.setText(self.say(text("qt.overview.as-picture" if table else "qt.overview.as-table")))
        self._legend.setVisible(not table and bool(self._state and self._state.picture.wires))

    def _open(self, key: str) -> None:
        kind, _, rest = key.partition(":")
        page = {"card": "cards", "monitor": "cards", "vm": "vms"}[kind]
        self.desk.page_asked.emit(page, rest.partition("/")[0])


def _row(line: TableLine, say: Say, load: ShortLoad | None) -> Row:
    told = line.details if load is None else (*line.details, load.words)
    details = " · ".join(tell(say, words) for words in told if words)
    return Row(
        line.key,
        (
            Cell(say(line.kind)),
            Cell(tell(say, line.name)),
            Cell(tell(say, line.badge.words), tone=line.badge.tone, mark=line.badge.mark),
            Cell(details),
            Cell(tell(say, line.fed_by)),
        ),
    )


def _why(lack: Lack, say: Say) -> str:
    return "\n".join(map(say, lack.why))

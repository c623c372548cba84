# SPDX-License-Identifier: GPL-3.0-or-later
"""The Overview: the picture, or the table that equals it, under one sentence that says how things stand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.overview_state import Lack, OverviewState, TableLine, page_state
from vitrail.qt.pages.page import Page, clear, scrolled, search_line
from vitrail.qt.picture.view import PictureView
from vitrail.qt.rows import Cell, Row
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Card, EmptyState, MarkLabel, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel
from vitrail.qt.widgets.table import Table
from vitrail.qt.words import tell

_EMPTY = 2
"""The place in the stack of what stands there when there is nothing to draw."""


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
        self._area = scrolled(self._picture)
        self._area.viewport().installEventFilter(self)
        self._table = Table(
            tuple(say(text(f"qt.overview.column.{name}")) for name in ("kind", "name", "status", "details", "fed-by")),
            say(text("qt.overview.table")),
            stretch=3,
        )
        self._table.opened.connect(self._open)
        self._search = search_line(say(text("qt.overview.search")))
        self._search.textChanged.connect(self._table.search)
        below = QWidget()
        rows = QVBoxLayout(below)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        rows.addWidget(self._search)
        rows.addWidget(self._table, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._area)
        self._stack.addWidget(below)
        self._empty = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._empty)
        self._stack.addWidget(nothing)
        self.column.addWidget(self._stack, 1)
        foot = QHBoxLayout()
        self._legend = PlainLabel(say(text("qt.picture.legend")), Kind.SMALL)
        foot.addWidget(self._legend, 1)
        self._swap = button(say(text("qt.overview.as-table")), self._swap_view, small=True, mark="table")
        foot.addWidget(self._swap, 0, Qt.AlignmentFlag.AlignRight)
        for part in (self._give, self._legend, self._swap):
            part.hide()
        self.column.addLayout(foot)

    def show_facts(self, facts: Facts) -> None:
        state = page_state(facts)
        if state == self._state:
            return
        self._state = state
        self.headline.setText(self.say(state.headline))
        self.subline.setText("  ·  ".join(tell(self.say, words) for words in state.computer))
        self._give.setVisible(state.can_give)
        self._show_lacks(state.lacks if state.table else ())
        self._show_empty(state)
        self._show_story(state)
        self._picture.show_picture(state.picture)
        self._table.show_rows(tuple(self._row(line) for line in state.table))
        empty = not state.table
        if empty:
            self._stack.setCurrentIndex(_EMPTY)
        elif self._stack.currentIndex() == _EMPTY:
            self._stack.setCurrentIndex(0)
        self._legend.setText(
            self.say(text("qt.picture.legend-folded" if state.picture.folded else "qt.picture.legend"))
        )
        self._legend.setVisible(bool(state.picture.wires) and self._stack.currentIndex() == 0)
        self._swap.setVisible(not empty)

    def show_thing(self, key: str) -> None:
        self._picture.choose(key)

    def search_field(self) -> QLineEdit:
        if self._stack.currentIndex() == 0:
            self._swap_view()
        return self._search

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return (("table", self._swap_view),) if self._state is not None and self._state.table else ()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and isinstance(area := self._area, QScrollArea):
            self._picture.set_room(area.viewport().height())
        return super().eventFilter(watched, event)

    def _show_lacks(self, lacks: tuple[Lack, ...]) -> None:
        clear(self._lacks)
        offered = False
        for lack in lacks:
            notice = Notice(self.say(lack.title) + "\n" + self.say(lack.why), lack.tone)
            if lack.again:
                notice.row.addWidget(button(self.say(text("qt.read-again")), self.desk.read, small=True))
            if lack.demo and not offered:
                offered = True
                notice.row.addWidget(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit, small=True))
            self._lacks.addWidget(notice)

    def _show_empty(self, state: OverviewState) -> None:
        clear(self._empty)
        if state.table or not state.lacks:
            return
        why = "\n\n".join(f"{self.say(lack.title)}\n{self.say(lack.why)}" for lack in state.lacks[1:])
        first = self.say(state.lacks[0].why)
        view = EmptyState(self.say(state.lacks[0].title), f"{first}\n\n{why}".strip(), "gpu")
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

    def _row(self, line: TableLine) -> Row:
        details = " · ".join(tell(self.say, words) for words in line.details if words)
        return Row(
            line.key,
            (
                Cell(self.say(line.kind)),
                Cell(tell(self.say, line.name)),
                Cell(tell(self.say, line.badge.words), tone=line.badge.tone, mark=line.badge.mark),
                Cell(details),
                Cell(tell(self.say, line.fed_by)),
            ),
        )

    def _swap_view(self) -> None:
        if self._stack.currentIndex() == _EMPTY:
            return
        table = self._stack.currentIndex() == 0
        self._stack.setCurrentIndex(1 if table else 0)
        self._swap.setText(self.say(text("qt.overview.as-picture" if table else "qt.overview.as-table")))
        self._legend.setVisible(not table and bool(self._state and self._state.picture.wires))

    def _open(self, key: str) -> None:
        kind, _, rest = key.partition(":")
        page = {"card": "cards", "monitor": "cards", "vm": "vms"}[kind]
        self.desk.page_asked.emit(page, rest.partition("/")[0])

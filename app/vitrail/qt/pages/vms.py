# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: every VM with the graphics that it has now, and the way to change or take back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page, clear, search_line
from vitrail.qt.pages.vms_state import VmLine, VmsState, page_state
from vitrail.qt.rows import Cell, Row
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import EmptyState
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.widgets.table import Table
from vitrail.qt.words import tell

_COLUMNS = ("name", "state", "graphics", "guest", "memory", "changed", "load")
_LOAD = len(_COLUMNS) - 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """The page and its table's rows, said."""

    state: VmsState
    rows: tuple[Row, ...]


class VmsPage(Page):
    """Every VM of the place."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        say = self.say
        self._state: VmsState | None = None
        self._search = search_line(say(text("qt.vms.search")))
        self.column.addWidget(self._search)
        self._table = Table(
            tuple(say(text(f"qt.vms.column.{name}")) for name in _COLUMNS), say(text("qt.rail.vms")), stretch=2
        )
        self._search.textChanged.connect(self._table.search)
        # Nothing is shown of a load that nobody measured.
        self._table.show_column(_LOAD, shown=False)
        self._rows: tuple[Row, ...] = ()
        desk.load_sampled.connect(lambda _: self._show_rows())
        self._table.opened.connect(self._give_to)
        self._table.chosen.connect(self._chosen)
        self._nothing = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._nothing)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._table)
        self._stack.addWidget(nothing)
        self.column.addWidget(self._stack, 1)
        foot = QHBoxLayout()
        foot.setSpacing(GAP)
        self._about = PlainLabel("", Kind.MUTED)
        foot.addWidget(self._about, 1)
        self._back = button(say(text("qt.take-back.dots")), self._take_back, mark="undo-2")
        self._give = button(say(text("qt.give.this")), self._give_now, primary=True, mark="wand-sparkles")
        foot.addWidget(self._back)
        foot.addWidget(self._give)
        self.column.addLayout(foot)

    @staticmethod
    def prepare(facts: Facts, say: Say) -> Prepared:
        state = page_state(facts)
        return Prepared(state, tuple(_row(line, say) for line in state.vms))

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, Prepared) or prepared.state == self._state:
            return
        state = prepared.state
        self._state = state
        self.headline.setText(self.say(state.headline))
        self.subline.setText(self.say(text("qt.vms.subline")))
        self._rows = prepared.rows
        self._show_rows()
        clear(self._nothing)
        if state.none is not None:
            empty = EmptyState(self.say(state.none[0]), "\n".join(map(self.say, state.none[1])), "server")
            empty.add_action(button(self.say(text("qt.read-again")), self.desk.read))
            empty.add_action(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit))
            self._nothing.addWidget(empty)
        self._stack.setCurrentIndex(0 if state.none is None else 1)
        for part in (self._search, self._back, self._give, self._about):
            part.setVisible(state.none is None)
        if state.vms and not self._table.current_key():
            self._table.choose(state.vms[0].uuid)
        self._chosen(self._table.current_key())

    def _show_rows(self) -> None:
        loads = self.desk.loads
        rows = tuple(
            replace(row, cells=(*row.cells, Cell(self.say(load.words), load.percent)))
            if (load := loads.get(f"vm:{row.key}")) is not None
            else replace(row, cells=(*row.cells, _NO_LOAD))
            for row in self._rows
        )
        self._table.show_rows(rows)
        self._table.show_column(_LOAD, shown=any(key.startswith("vm:") for key in loads))

    def show_thing(self, key: str) -> None:
        self._search.clear()
        self._table.choose(key.removeprefix("vm:"))

    def search_field(self) -> QLineEdit:
        return self._search

    def _line(self, uuid: str) -> VmLine | None:
        lines = self._state.vms if self._state is not None else ()
        return next((line for line in lines if line.uuid == uuid), None)

    def _chosen(self, uuid: str) -> None:
        line = self._line(uuid)
        self._give.setEnabled(line is not None)
        self._back.setEnabled(line is not None and bool(line.newest))
        about = text("qt.vms.choose") if line is None else text("qt.vms.about", name=line.name, changed=line.changed)
        self._about.setText(self.say(about))

    def _give_now(self) -> None:
        self._give_to(self._table.current_key())

    def _give_to(self, uuid: str) -> None:
        self.desk.wizard_asked.emit(uuid)

    def _take_back(self) -> None:
        line = self._line(self._table.current_key())
        if line is not None:
            self.desk.page_asked.emit("changes", line.newest)


_NO_LOAD = Cell("", -1.0)


def _row(line: VmLine, say: Say) -> Row:
    graphics = " + ".join(tell(say, words) for words in line.graphics)
    return Row(
        line.uuid,
        (
            Cell(tell(say, line.name)),
            Cell(tell(say, line.state.words), tone=line.state.tone, mark=line.state.mark),
            Cell(graphics),
            Cell(tell(say, line.guest)),
            Cell(say(line.memory), line.memory_mib),
            Cell(say(line.changed)),
        ),
    )

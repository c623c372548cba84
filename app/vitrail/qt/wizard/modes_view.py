# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes in their groups, with the suggestion on top and the headings once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vitrail.model.mode import Mode
from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.mode_row import Answers, cell, closed_row, column_grid, selectable_row
from vitrail.qt.wizard.page import PageView, words
from vitrail.qt.wizard.rows import LEFT_ROOM, RIGHT_ROOM, ChoiceRow, ChoiceRows
from vitrail.qt.wizard.state.modes import ModesPage

_HEADINGS = ("", "speed", "screens", "effort", "card")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the user was before the rows were made anew."""

    scroll: int
    row_had_focus: bool


class ModesView(PageView):
    """`picked` is told the mode; `answers` cards and settings."""

    def __init__(
        self,
        say: Say,
        state: ModesPage,
        picked: Callable[[Mode], None],
        answers: Answers,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(say, state.question, None, parent)
        self._picked, self._answers = picked, answers
        self._table: QWidget | None = None
        self.rows: dict[Mode, ChoiceRow] = {}
        self.choices = ChoiceRows((), lambda _: None, self)
        self.top.addWidget(self._advice(state))
        self.top.addWidget(self._headings())
        self._fill(state)

    def show_state(self, state: ModesPage) -> None:
        """Show the page after an answer; the place and the keyboard stay where they were."""
        old = self.choices.current()
        place = _Place(self.verticalScrollBar().value(), old is not None and old.hasFocus())
        self._fill(state)
        row = self.choices.current()
        if place.row_had_focus and row is not None:
            row.setFocus()
        QTimer.singleShot(0, self, lambda: self._return_to(place))

    def focus_first(self) -> QWidget | None:
        return self.choices.current()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # The suggestion may stand in a lower group; what Enter would take has to be seen.
        QTimer.singleShot(0, self, self._show_chosen)

    def _show_chosen(self) -> None:
        row = self.choices.current()
        if row is not None and row.isChecked():
            self.ensureWidgetVisible(row, 0, 2 * GAP)

    def _return_to(self, place: _Place) -> None:
        self.verticalScrollBar().setValue(place.scroll)
        row = self.choices.current()
        if place.row_had_focus and row is not None:
            self.ensureWidgetVisible(row, 0, 2 * GAP)

    def _advice(self, state: ModesPage) -> QWidget:
        notice = Notice(self.say(state.advice), Tone.INFO, mark="wand-sparkles")
        lines = QVBoxLayout()
        lines.setSpacing(2)
        notice.row.removeWidget(notice.label)
        strong = words(notice.label.text(), Kind.STRONG)
        notice.label.deleteLater()
        notice.label = strong
        lines.addWidget(strong)
        lines.addWidget(words(" ".join(self.say(reason) for reason in state.reasons)))
        notice.row.addLayout(lines, 1)
        return notice

    def _fill(self, state: ModesPage) -> None:
        table = QWidget()
        column = QVBoxLayout(table)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        rows: dict[Mode, ChoiceRow] = {}
        for group in state.groups:
            if group is not state.groups[0]:
                column.addSpacing(GAP)
            column.addWidget(words(self.say(group.title), Kind.TITLE))
            for row in group.rows:
                if row.selectable:
                    rows[row.mode] = selectable_row(self.say, row, self._answers)
                    column.addWidget(rows[row.mode])
                else:
                    column.addWidget(closed_row(self.say, row))
        self.choices.setParent(None)
        self.choices.deleteLater()
        modes = tuple(rows)
        self.rows = rows
        self.choices = ChoiceRows(tuple(rows.values()), lambda number: self._picked(modes[number]), self)
        if self._table is not None:
            self.body.removeWidget(self._table)
            self._table.hide()
            self._table.deleteLater()
        self._table = table
        self.body.addWidget(table)

    def _headings(self) -> QWidget:
        holder = QWidget()
        grid = column_grid()
        grid.setContentsMargins(LEFT_ROOM, 0, RIGHT_ROOM, 0)
        holder.setLayout(grid)
        for column, heading in enumerate(_HEADINGS):
            shown = self.say(text(f"wizard.modes.column.{heading}")) if heading else ""
            label = PlainLabel(shown, Kind.SMALL)
            grid.addWidget(cell(label), 0, column)
        return holder

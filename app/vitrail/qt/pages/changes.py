# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes: every plan that was ever applied, newest first; what Take back would write stands there before the click."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.outcome import Outcome, RunOutcome
from vitrail.model.text import Text, text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.changes_state import (
    ChangeLine,
    ChangesState,
    back_state,
    outcome_words,
    page_state,
    proof,
)
from vitrail.qt.pages.page import Page, clear
from vitrail.qt.rows import Cell, Row
from vitrail.qt.runner import Ticket
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.busy import BusyStrip
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import EmptyState, Notice
from vitrail.qt.widgets.diff import DiffView
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.widgets.table import Table
from vitrail.qt.words import diff_lines, tell

if TYPE_CHECKING:
    from vitrail.service.undoing import UndoPreview

_COLUMNS = ("when", "vm", "mode", "state")
_LINES = 6
_PROOF = ("result", "step", "expected", "seen")


class ChangesPage(Page):
    """The way back from everything."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        say = self.say
        self._state: ChangesState | None = None
        self._asked: Ticket | None = None
        self._plan = ""
        self._everything = False
        self._shown: tuple[UndoPreview, ...] = ()
        self._all = button(say(text("qt.changes.all")), self._ask_everything, mark="undo-2")
        self.add_button(self._all)
        self._table = Table(
            tuple(say(text(f"qt.changes.column.{name}")) for name in _COLUMNS), say(text("qt.rail.changes")), stretch=2
        )
        self._table.chosen.connect(self._chosen)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self._table)
        split.addWidget(self._detail())
        split.setStretchFactor(1, 1)
        split.setHandleWidth(2 * GAP)
        self._split = split
        self._nothing = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._nothing)
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._stack.addWidget(nothing)
        self.column.addWidget(self._stack, 1)

    @staticmethod
    def prepare(facts: Facts, say: Say) -> ChangesState:
        del say
        return page_state(facts)

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, ChangesState) or prepared == self._state:
            return
        state = prepared
        self._state = state
        self.headline.setText(self.say(state.headline))
        self.subline.setText(self.say(text("qt.changes.subline")))
        self._all.setVisible(state.any_in_force)
        clear(self._nothing)
        if state.none is not None:
            title = self.say(state.headline)
            self._nothing.addWidget(EmptyState(title, self.say(state.none), "history"))
        self._stack.setCurrentIndex(0 if state.none is None else 1)
        self._table.show_rows(tuple(self._row(line) for line in state.changes))
        # As high as its lines, up to six: the rest of the page is for the diff.
        wanted = self._table.height_of(min(_LINES, max(1, len(state.changes))))
        self._split.setSizes([wanted, max(200, self.height() - wanted)])
        if not self._table.current_key() and state.changes:
            self._table.choose(state.changes[0].run)
        else:
            self._chosen(self._table.current_key())

    def show_thing(self, key: str) -> None:
        lines = self._state.changes if self._state is not None else ()
        line = next((line for line in lines if line.plan_id == key), None)
        if line is not None:
            self._table.choose(line.run)

    def _detail(self) -> QWidget:
        detail = QWidget()
        column = QVBoxLayout(detail)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        self._result = QVBoxLayout()
        column.addLayout(self._result)
        self._title = PlainLabel("", Kind.TITLE)
        column.addWidget(self._title)
        self._sentences = PlainLabel("", Kind.MUTED)
        column.addWidget(self._sentences)
        self._busy = BusyStrip(self.say)
        column.addWidget(self._busy)
        self._diff = DiffView(self.say)
        self._proof = Table(
            tuple(self.say(text(f"qt.proof.column.{name}")) for name in _PROOF),
            self.say(text("qt.proof.name")),
            stretch=1,
        )
        self._blank = QWidget()
        self._views = QStackedWidget()
        # With nothing to show its room stays: what stands above it keeps its place.
        for view in (self._blank, self._diff, self._proof):
            self._views.addWidget(view)
        column.addWidget(self._views, 1)
        foot = QHBoxLayout()
        foot.setSpacing(GAP)
        self._written = PlainLabel("", Kind.SMALL)
        foot.addWidget(self._written, 1)
        self._check = button(self.say(text("qt.changes.check")), self._verify, mark="eye")
        self._back = button(self.say(text("qt.take-back")), self._take_back, primary=True, mark="undo-2")
        # Until what it would do is shown.
        self._back.setEnabled(False)
        foot.addWidget(self._check)
        foot.addWidget(self._back)
        column.addLayout(foot)
        return detail

    def _row(self, line: ChangeLine) -> Row:
        return Row(
            line.run,
            (
                Cell(line.when, line.applied_at),
                Cell(tell(self.say, line.vm)),
                Cell(self.say(line.mode)),
                Cell(tell(self.say, line.state.words), tone=line.state.tone, mark=line.state.mark),
            ),
        )

    def _chosen(self, run: str) -> None:
        """A change was chosen: show what taking it back would write, before anything can be clicked."""
        lines = self._state.changes if self._state is not None else ()
        line = next((line for line in lines if line.run == run), None)
        self._check.setVisible(line is not None)
        self._everything = False
        if line is None:
            self._plan = ""
            self._show_nothing(text("qt.changes.choose"))
            return
        self._plan = line.plan_id
        self._title.setText(self.say(text("qt.back.title" if line.in_force else "qt.back.title-gone", vm=line.vm)))
        if line.in_force:
            self._ask()
        else:
            self._show_nothing(text("qt.back.is-back"))

    def _ask_everything(self) -> None:
        self._everything = True
        self._title.setText(self.say(text("qt.back.title-all")))
        self._check.setVisible(False)
        self._ask()

    def _show_nothing(self, why: Text) -> None:
        self._drop()
        self._shown = ()
        self._sentences.setText(self.say(why))
        self._diff.show_diff("")
        self._views.setCurrentWidget(self._blank)
        self._back.setVisible(False)
        self._written.setText("")

    def _drop(self) -> None:
        if self._asked is not None:
            self._asked.drop()
        self._busy.end()

    def _ask(self) -> None:
        self._drop()
        plan, everything = self._plan, self._everything
        self._back.setEnabled(False)
        self._busy.begin(text("qt.back.asking"), self._drop)
        workplace = self.desk.workplace
        self._asked = self.desk.runner.read(
            lambda: workplace.preview_undo(None if everything else plan, everything),
            self._show_back,
            self._failed,
            self,
        )

    def _show_back(self, previews: tuple[UndoPreview, ...]) -> None:
        self._busy.end()
        self._shown = previews
        state = back_state(previews)
        self._sentences.setText("\n".join(self.say(sentence) for sentence in state.sentences))
        self._diff.show_diff(diff_lines(state.diff))
        self._views.setCurrentWidget(self._diff)
        self._back.setText(self.say(text("qt.take-back.all" if self._everything else "qt.take-back")))
        self._back.setVisible(True)
        self._back.setEnabled(state.possible)
        self._written.setText(self.say(text("qt.back.nothing-yet")))

    def _take_back(self) -> None:
        plan, everything = self._plan, self._everything
        self._back.setEnabled(False)
        self._busy.begin(text("qt.back.doing"), None, text("qt.back.later"))
        workplace = self.desk.workplace
        self.desk.runner.change(
            lambda: workplace.undo(None if everything else plan, everything=everything),
            self._taken_back,
            self._failed,
            self,
        )

    def _taken_back(self, outcomes: tuple[RunOutcome, ...]) -> None:
        self._busy.end()
        badge = outcome_words(outcomes)
        self._say_result(tell(self.say, badge.words), badge.tone)
        self.desk.read()

    def _verify(self) -> None:
        plan = self._plan
        self._drop()
        self._busy.begin(text("qt.proof.asking"), self._drop)
        workplace = self.desk.workplace
        self._asked = self.desk.runner.read(lambda: workplace.verify(plan), self._show_proof, self._failed, self)

    def _show_proof(self, outcomes: tuple[Outcome, ...]) -> None:
        self._busy.end()
        rows = tuple(
            Row(
                str(number),
                (
                    Cell(tell(self.say, line.result.words), tone=line.result.tone),
                    Cell(self.say(line.step)),
                    Cell(tell(self.say, line.expected)),
                    Cell(tell(self.say, line.seen)),
                ),
            )
            for number, line in enumerate(proof(outcomes))
        )
        self._proof.show_rows(rows)
        self._sentences.setText(self.say(text("qt.proof.says", count=len(rows)) if rows else text("qt.proof.none")))
        self._views.setCurrentWidget(self._proof if rows else self._blank)

    def _failed(self, error: VitrailError) -> None:
        self._busy.end()
        words = "\n".join(self.say(part) for part in (error.what, *error.next_steps))
        self._say_result(words, Tone.BAD)
        self._back.setEnabled(bool(self._shown))
        self.desk.read()

    def _say_result(self, words: str, tone: Tone) -> None:
        clear(self._result)
        notice = Notice(words, tone)
        close: Callable[[], None] = lambda: clear(self._result)  # noqa: E731 - a button's one line
        notice.row.addWidget(button(self.say(text("qt.seen")), close, small=True))
        self._result.addWidget(notice)

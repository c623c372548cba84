# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer loses, as a table of three columns, and beside it the screens that stay."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.mode_row import cell
from vitrail.qt.wizard.page import PageView, marked, opening, words
from vitrail.qt.wizard.state.losses import LossesPage


class LossesView(PageView):
    """The page; where this window may not be pressed, it says so in place of the advice."""

    def __init__(self, say: Say, state: LossesPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, None, parent)
        tone, mark = (Tone.WARN, "triangle-alert") if state.losses else (Tone.GOOD, "circle-check")
        self.body.addWidget(Notice(say(state.answer), tone, mark=mark))
        if state.losses:
            self.body.addSpacing(GAP)
            self.body.addWidget(self._table(state))
        self.section(say(state.stays_note))
        if state.stays:
            self.body.addWidget(self._stays(state))
        if state.stop is not None:
            self.body.addSpacing(GAP)
            self.body.addWidget(Notice(say(state.stop), Tone.BAD, mark="monitor-off"))
        elif state.press is not None:
            self.body.addSpacing(GAP)
            self.body.addWidget(Notice(say(state.press), Tone.WARN, mark="monitor"))

    def _table(self, state: LossesPage) -> Card:
        card = Card()
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GAP)
        grid.setVerticalSpacing(GAP + 4)
        for column, (heading, part) in enumerate((("what", 30), ("when", 26), ("until", 44))):
            label = words(self.say(text(f"wizard.losses.column.{heading}")), Kind.SMALL)
            grid.addWidget(cell(label), 0, column)
            grid.setColumnStretch(column, part)
        for line, loss in enumerate(state.losses, 1):
            grid.addWidget(cell(words(self.say(loss.what), Kind.STRONG)), line, 0)
            grid.addWidget(cell(words(opening(self.say(loss.when)))), line, 1)
            grid.addWidget(cell(words(opening(self.say(loss.until)))), line, 2)
        card.body.addLayout(grid)
        return card

    def _stays(self, state: LossesPage) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        for one in state.stays:
            line = QWidget()
            grid = QGridLayout(line)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.addWidget(words(self.say(one.output), Kind.STRONG), 0, 0)
            grid.addWidget(words(self.say(text("wizard.losses.stays-card", card=one.card)), Kind.MUTED), 1, 0)
            card.body.addLayout(marked(Tone.GOOD, line, mark="monitor"))
        return card

# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: as meant and as seen beside each other, and where it was read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from vitrail.model.outcome import PromiseResult
from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice, Pill
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.mode_row import cell
from vitrail.qt.wizard.page import PageView, bullets, marked, words
from vitrail.qt.wizard.state.check import CheckPage, ProofGroup
from vitrail.text.visible import visible

_TONES = {
    PromiseResult.KEPT: Tone.GOOD,
    PromiseResult.BROKEN: Tone.BAD,
    PromiseResult.UNKNOWN: Tone.UNKNOWN,
}


class CheckView(PageView):
    """What a new read saw."""

    def __init__(self, say: Say, state: CheckPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, None, parent)
        self.body.addWidget(Notice(say(state.answer), _TONES[state.overall]))
        self.body.addSpacing(GAP)
        for group in state.groups:
            self.body.addWidget(self._group(group))
        self.section(say(text("wizard.check.next")))
        self.body.addLayout(bullets([say(one) for one in state.next_steps]))

    def _group(self, group: ProofGroup) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        head = QHBoxLayout()
        head.addWidget(words(self.say(group.title), Kind.STRONG), 1)
        head.addWidget(Pill(self.say(group.word), _TONES[group.result]), 0, Qt.AlignmentFlag.AlignTop)
        card.body.addLayout(head)
        card.body.addLayout(self._table(group))
        for source in group.sources:
            read = self.say(text("wizard.check.evidence", source=source))
            card.body.addWidget(words(read, Kind.SMALL))
        return card

    def _table(self, group: ProofGroup) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GAP)
        grid.setVerticalSpacing(GAP // 2)
        for column, (heading, part) in enumerate((("where", 36), ("expected", 26), ("seen", 26), ("result", 12))):
            grid.setColumnStretch(column, part)
            grid.addWidget(cell(words(self.say(text(f"wizard.check.{heading}")), Kind.SMALL)), 0, column)
        for line, proof in enumerate(group.proofs, 1):
            for column, value in enumerate((proof.where, proof.expected, proof.seen)):
                grid.addWidget(cell(words(self._shown(value), Kind.MONO)), line, column)
            row = QWidget()
            row.setLayout(marked(_TONES[proof.result], words(self.say(proof.word))))
            grid.addWidget(row, line, 3)
        return grid

    def _shown(self, value: str) -> str:
        return visible(value) if value else self.say(text("wizard.check.nothing"))

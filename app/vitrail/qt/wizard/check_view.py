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
from vitrail.qt.wizard.page import PageView, bullets, words
from vitrail.qt.wizard.state.check import CheckPage, Proof
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
        for proof in state.proofs:
            self.body.addWidget(self._proof(proof))
        self.section(say(text("wizard.check.next")))
        self.body.addLayout(bullets([say(one) for one in state.next_steps]))

    def _proof(self, proof: Proof) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        head = QHBoxLayout()
        head.addWidget(words(self.say(proof.title), Kind.STRONG), 1)
        head.addWidget(Pill(self.say(proof.word), _TONES[proof.result]), 0, Qt.AlignmentFlag.AlignTop)
        card.body.addLayout(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GAP)
        grid.setVerticalSpacing(3)
        for column, (heading, value) in enumerate((("expected", proof.expected), ("seen", proof.seen))):
            grid.setColumnStretch(column, 1)
            grid.addWidget(cell(words(self.say(text(f"wizard.check.{heading}")), Kind.SMALL)), 0, column)
            grid.addWidget(cell(words(visible(value), Kind.MONO)), 1, column)
        card.body.addLayout(grid)
        for source, _ in proof.evidence:
            card.body.addWidget(words(self.say(text("wizard.check.evidence", source=source)), Kind.SMALL))
        return card

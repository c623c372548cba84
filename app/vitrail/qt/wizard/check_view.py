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
from vitrail.qt.wizard.state.check import CheckPage, Proof, ProofGroup
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
        for card in proof_cards(say, state):
            self.body.addWidget(card)
        self.section(say(text("wizard.check.next")))
        self.body.addLayout(bullets([say(one) for one in state.next_steps]))


def proof_cards(say: Say, state: CheckPage) -> tuple[Card, ...]:
    """A card a place that was read, each promise a line of its table."""
    return tuple(_group(say, group) for group in state.groups)


def _group(say: Say, group: ProofGroup) -> Card:
    card = Card()
    card.body.setSpacing(GAP + 4)
    head = QHBoxLayout()
    head.addWidget(words(say(group.source), Kind.MUTED), 1)
    head.addWidget(Pill(say(group.word), _TONES[group.result]), 0, Qt.AlignmentFlag.AlignTop)
    card.body.addLayout(head)
    grid = QGridLayout()
    grid.setHorizontalSpacing(3 * GAP)
    grid.setVerticalSpacing(GAP - 2)
    for column, (heading, part) in enumerate((("what", 40), ("expected", 23), ("seen", 23), ("result", 14))):
        grid.setColumnStretch(column, part)
        grid.addWidget(cell(words(say(text(f"wizard.check.{heading}")), Kind.SMALL)), 0, column)
    for line, proof in enumerate(group.proofs, 1):
        _add_proof(say, grid, line, proof)
    card.body.addLayout(grid)
    return card


def _add_proof(say: Say, grid: QGridLayout, line: int, proof: Proof) -> None:
    grid.addWidget(cell(words(say(proof.title))), line, 0)
    for column, value in enumerate((proof.expected, proof.seen), 1):
        shown = visible(value) if value else say(text("wizard.check.nothing"))
        grid.addWidget(cell(words(shown, Kind.MONO)), line, column)
    result = QWidget()
    result.setLayout(marked(_TONES[proof.result], words(say(proof.word))))
    grid.addWidget(result, line, 3, Qt.AlignmentFlag.AlignTop)

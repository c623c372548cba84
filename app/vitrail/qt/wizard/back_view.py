# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back, shown before it is written and told after."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.outcome import RunResult
from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.fitted import fitted_diff
from vitrail.qt.wizard.page import PageView, bullets, marked, words
from vitrail.qt.wizard.state.takeback import BackCard, TakeBackPage
from vitrail.text.visible import visible

_TONES = {
    RunResult.TAKEN_BACK: Tone.GOOD,
    RunResult.NOTHING_TO_DO: Tone.GOOD,
    RunResult.INCOMPLETE: Tone.BAD,
    RunResult.UNKNOWN: Tone.UNKNOWN,
    RunResult.APPLIED: Tone.WARN,
    RunResult.AWAITING_KEEP: Tone.WARN,
}


class TakeBackView(PageView):
    """Before the click the diff, after it the result above the same diff."""

    def __init__(self, say: Say, state: TakeBackPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, state.lead if state.result is None else None, parent)
        if state.result is not None:
            self.body.addWidget(Notice(say(state.lead), _TONES[state.result]))
            self.body.addSpacing(GAP)
        for one in state.cards:
            self.body.addWidget(self._card(one))

    def _card(self, one: BackCard) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        card.body.addWidget(words(self.say(one.title), Kind.STRONG))
        if one.note is not None:
            card.body.addLayout(marked(Tone.INFO, words(self.say(one.note))))
        card.body.addWidget(fitted_diff(self.say, one.diff))
        if one.left:
            card.body.addWidget(words(self.say(text("wizard.back.left")), Kind.STRONG))
            card.body.addLayout(bullets([visible(line) for line in one.left]))
        return card

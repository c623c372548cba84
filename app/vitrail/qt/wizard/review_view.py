# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change in full: what it does, the diff, how it is taken back."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Pill
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.findings_view import findings_card
from vitrail.qt.wizard.fitted import fitted_diff
from vitrail.qt.wizard.page import PageView, marked, words
from vitrail.qt.wizard.state.review import ReviewPage, StepCard


class ReviewView(PageView):
    """The plan to read before it is written."""

    def __init__(self, say: Say, state: ReviewPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, state.lead, parent)
        for step in state.cards:
            if step.section is not None:
                self.section(say(step.section))
            self.body.addWidget(self._card(step))
        if state.notices:
            self.section(say(text("wizard.review.noticed")))
            self.body.addWidget(findings_card(say, state.notices))
        self.body.addWidget(words(say(text("wizard.review.id", id=state.plan_id)), Kind.SMALL))

    def _card(self, step: StepCard) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        card.body.addWidget(words(f"{step.number}. {self.say(step.summary)}", Kind.TITLE))
        where = self.say(text("wizard.review.where", writer=step.writer, when=step.when))
        card.body.addWidget(words(where, Kind.MUTED))
        if step.blocked is not None:
            row = QHBoxLayout()
            row.addWidget(Pill(self.say(step.blocked), Tone.WARN, mark="lock"))
            row.addStretch(1)
            card.body.addLayout(row)
        if step.diff:
            card.body.addWidget(fitted_diff(self.say, step.diff))
        else:
            card.body.addLayout(marked(Tone.INFO, words(self.say(text("wizard.review.by-a-tool")))))
        undo = self.say(text("wizard.review.undo", undo=step.undo))
        card.body.addLayout(marked(Tone.INFO, words(undo), mark="undo-2"))
        return card

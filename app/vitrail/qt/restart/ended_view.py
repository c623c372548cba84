# SPDX-License-Identifier: GPL-3.0-or-later
"""After Keep or Take back: what came of it, and the one next step."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.outcome import RunOutcome, RunResult
from vitrail.model.text import Text, text
from vitrail.qt.theme import Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Say
from vitrail.qt.wizard.page import PageView, bullets, marked, words

_GOOD = (RunResult.APPLIED, RunResult.TAKEN_BACK, RunResult.NOTHING_TO_DO)


class EndedView(PageView):
    """`how` is `kept` or `taken-back`."""

    def __init__(
        self, say: Say, how: str, vm_name: str, outcomes: tuple[RunOutcome, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(say, text(f"qt.ended.{how}.question"), None, parent)
        well = all(outcome.result in _GOOD for outcome in outcomes)
        tone, answer = (Tone.GOOD, "well") if well else (Tone.WARN, "not-all")
        self.body.addWidget(Notice(say(text(f"qt.ended.{how}.{answer}", vm=vm_name)), tone))
        details = [step.detail for outcome in outcomes for step in outcome.steps if step.detail is not None]
        if details:
            self.body.addWidget(_details(say, details))
        self.section(say(text("wizard.check.next")))
        self.body.addLayout(bullets([say(text(f"qt.ended.{how}.next", vm=vm_name))]))


def _details(say: Say, details: list[Text]) -> Card:
    card = Card()
    for detail in dict.fromkeys(details):
        card.body.addLayout(marked(Tone.INFO, words(say(detail))))
    return card

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a plan with changes to the computer ends in this version: why, what is held back, what to do instead."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Say
from vitrail.qt.wizard.findings_view import findings_card
from vitrail.qt.wizard.page import PageView, bullets, marked, words
from vitrail.qt.wizard.state.restart import RestartPage


class RestartView(PageView):
    """An end without anything written."""

    def __init__(self, say: Say, state: RestartPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, None, parent)
        self.body.addWidget(Notice(say(state.why), Tone.INFO, mark="life-buoy"))
        self.section(say(text("wizard.restart.held-back")))
        card = Card()
        card.body.setSpacing(GAP)
        for one in state.held_back:
            card.body.addLayout(marked(Tone.PLAIN, words(say(one)), mark="lock"))
        self.body.addWidget(card)
        if state.against:
            self.section(say(text("wizard.trouble.against")))
            self.body.addWidget(findings_card(say, state.against))
        self.section(say(text("wizard.restart.instead")))
        self.body.addLayout(bullets([say(one) for one in state.instead]))

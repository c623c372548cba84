# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that installing the root's part writes and runs, to read before the password is asked for."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.fitted import fitted_diff, fitted_listing
from vitrail.qt.wizard.page import PageView, bullets, words
from vitrail.qt.wizard.state.helper import HelperFile, HelperPage


class HelperView(PageView):
    """The files one below the other, the program that writes them last."""

    def __init__(self, say: Say, state: HelperPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, state.lead, parent)
        if state.missing:
            self.body.addWidget(Notice(say(text("wizard.helper.missing")), Tone.BAD))
            self.body.addLayout(bullets([say(one) for one in state.missing]))
        else:
            self.body.addWidget(Notice(say(text("wizard.helper.password")), Tone.INFO, mark="lock"))
        for file in state.files:
            self.body.addWidget(self._file(file))
        self.section(say(text("wizard.helper.program")))
        self.body.addWidget(words(say(state.digest), Kind.MUTED))
        self.body.addWidget(fitted_listing(say, state.program))

    def _file(self, file: HelperFile) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        card.body.addWidget(words(file.path, Kind.STRONG))
        card.body.addWidget(words(self.say(file.what), Kind.MUTED))
        if file.diff:
            card.body.addWidget(fitted_diff(self.say, file.diff))
        return card

# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong, whether anything was written, and what to do now."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Notice
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.findings_view import findings_card
from vitrail.qt.wizard.page import PageView, bullets, words
from vitrail.qt.wizard.state.trouble import Kind as Trouble
from vitrail.qt.wizard.state.trouble import TroublePage

_TONES = {
    Trouble.REFUSED: Tone.WARN,
    Trouble.UNREACHABLE: Tone.UNKNOWN,
    Trouble.UNREADABLE: Tone.WARN,
    Trouble.FAILED: Tone.WARN,
    Trouble.UNSETTLED: Tone.BAD,
}


class TroubleView(PageView):
    """One error as a page."""

    def __init__(self, say: Say, state: TroublePage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.title, state.written, parent)
        self.body.addWidget(Notice(say(state.what), _TONES[state.kind]))
        if state.next_steps:
            self.section(say(text("wizard.trouble.next")))
            self.body.addLayout(bullets([say(one) for one in state.next_steps]))
        if state.against:
            self.section(say(text("wizard.trouble.against")))
            self.body.addWidget(findings_card(say, state.against))
        if state.in_favour:
            self.body.addSpacing(GAP)
            fine = ", ".join(say(one.title).rstrip(".") for one in state.in_favour)
            title = say(text("wizard.trouble.in-favour", count=len(state.in_favour)))
            self.body.addWidget(words(f"{title}: {fine}.", Kind.SMALL))

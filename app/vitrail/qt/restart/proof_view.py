# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages after a restart: the proof with the time that is left, and what went wrong where it was taken back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from vitrail.model.text import text
from vitrail.qt.restart.proof import Countdown, ProofPage, StoryLine, StoryPage
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.wizard.check_view import proof_cards
from vitrail.qt.wizard.page import PageView, bullets, words
from vitrail.text.visible import visible

_SHOWN_LINES = 12


class ProofView(PageView):
    """In the trial boot."""

    def __init__(self, say: Say, state: ProofPage, time_left: Countdown, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, None, parent)
        self._time = Notice(say(time_left.words), time_left.tone, mark="history")
        self.top.addWidget(self._time)
        self.body.addWidget(words(say(state.lead)))
        self.body.addSpacing(GAP)
        for card in proof_cards(say, state.check):
            self.body.addWidget(card)

    def show_time(self, time_left: Countdown) -> None:
        """Say how much time is left now."""
        self._time.label.setText(self.say(time_left.words))


class StoryView(PageView):
    """After a trial that did not last."""

    def __init__(self, say: Say, state: StoryPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, state.lead, parent)
        self.body.addWidget(Notice(say(state.why), Tone.INFO, mark="undo-2"))
        if state.advice:
            self.section(say(text("qt.story.try")))
            self.body.addLayout(bullets([say(one) for one in state.advice]))
        self.boxes: list[QPlainTextEdit] = []
        """What was seen then, as text that can be copied."""
        self.section(say(text("qt.story.seen-then")))
        for line in state.lines:
            self.body.addWidget(self._line(line))

    def _line(self, line: StoryLine) -> Card:
        card = Card()
        card.body.setSpacing(GAP // 2)
        card.body.addWidget(words(self.say(line.what), Kind.STRONG))
        if line.reason is not None:
            card.body.addWidget(words(self.say(line.reason), Kind.MUTED))
        elif not line.seen:
            card.body.addWidget(words(self.say(text("qt.story.nothing")), Kind.MUTED))
        else:
            card.body.addWidget(self._lines(line))
        return card

    def _lines(self, line: StoryLine) -> QPlainTextEdit:
        """Copyable, and as high as its lines up to a limit."""
        box = QPlainTextEdit("\n".join(visible(one) for one in line.seen))
        box.setReadOnly(True)
        box.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        box.setFont(font_of(Kind.MONO, box.font()))
        box.setAccessibleName(self.say(line.what))
        box.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        box.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        shown = min(len(line.seen), _SHOWN_LINES) + 1
        box.setFixedHeight(box.fontMetrics().lineSpacing() * shown + GAP)
        self.boxes.append(box)
        return box

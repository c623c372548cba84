# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes while they are written, one line a step."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from vitrail.model.outcome import StepResult
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, MarkLabel
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.page import PageView, words
from vitrail.qt.wizard.state.run import ApplyPage, Progress, StepLine

_TONES = {
    StepResult.DONE: Tone.GOOD,
    StepResult.SAME: Tone.GOOD,
    StepResult.FAILED: Tone.BAD,
    StepResult.TAKEN_BACK: Tone.INFO,
    StepResult.MERGED: Tone.INFO,
    StepResult.LEFT: Tone.WARN,
    StepResult.UNKNOWN: Tone.UNKNOWN,
}


class RunView(PageView):
    """Made anew at every piece of news: there are few lines, and it keeps no state."""

    def __init__(self, say: Say, state: ApplyPage, parent: QWidget | None = None) -> None:
        super().__init__(say, state.question, state.lead, parent)
        card = Card()
        card.body.setSpacing(GAP + 4)
        for line in state.lines:
            card.body.addLayout(self._line(line))
        self.body.addWidget(card)

    def _line(self, line: StepLine) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        if line.result is not None:
            row.addWidget(MarkLabel(_TONES[line.result]), 0, Qt.AlignmentFlag.AlignTop)
        else:
            mark = "arrow-right" if line.progress is Progress.RUNNING else "circle"
            row.addWidget(MarkLabel(Tone.INFO, mark=mark), 0, Qt.AlignmentFlag.AlignTop)
        shown = self.say(line.summary)
        if line.detail is not None:
            shown = f"{shown}\n{self.say(line.detail)}"
        row.addWidget(words(shown), 1)
        word = PlainLabel(self.say(line.word), Kind.MUTED)
        word.setWordWrap(False)
        row.addWidget(word, 0, Qt.AlignmentFlag.AlignTop)
        return row

# SPDX-License-Identifier: GPL-3.0-or-later
"""One question with a few answers below each other."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.elided import ElidedLabel
from vitrail.qt.wizard.page import PageView, marked, words
from vitrail.qt.wizard.rows import ChoiceRow, ChoiceRows
from vitrail.qt.wizard.state.options import Option, OptionsPage


class OptionsView(PageView):
    """`picked` is told the key of the answer."""

    def __init__(
        self, say: Say, state: OptionsPage, picked: Callable[[str], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(say, state.question, state.lead, parent)
        free = [option for option in state.options if option.why_not is None]
        rows = {option.key: self._row(option) for option in free}
        for option in state.options:
            self.body.addWidget(rows[option.key] if option.key in rows else self._closed(option))
        self.choices = ChoiceRows(tuple(rows.values()), lambda number: picked(free[number].key), self)
        if state.empty:
            self.body.addWidget(Notice(say(state.empty[0]), Tone.INFO))
            for more in state.empty[1:]:
                self.body.addWidget(words(say(more)))

    def focus_first(self) -> QWidget | None:
        return self.choices.current()

    def _row(self, option: Option) -> ChoiceRow:
        title = self.say(option.title)
        detail = "" if option.detail is None else self.say(option.detail)
        note = "" if option.note is None else self.say(option.note)
        row = ChoiceRow(". ".join(part for part in (title, note, detail) if part))
        head = QHBoxLayout()
        head.setSpacing(2 * GAP)
        head.addWidget(ElidedLabel(title, Kind.STRONG), 1)
        if note:
            aside = PlainLabel(note, Kind.MUTED)
            aside.setWordWrap(False)
            head.addWidget(aside, 0, Qt.AlignmentFlag.AlignRight)
        row.body.addLayout(head)
        if detail:
            row.body.addWidget(words(detail, Kind.MUTED))
        row.setChecked(option.selected)
        row.let_clicks_through()
        return row

    def _closed(self, option: Option) -> QWidget:
        card = Card()
        card.body.addWidget(ElidedLabel(self.say(option.title), Kind.STRONG))
        if option.why_not is not None:
            card.body.addLayout(marked(Tone.PLAIN, words(self.say(option.why_not)), mark="lock"))
        return card

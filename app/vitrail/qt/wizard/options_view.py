# SPDX-License-Identifier: GPL-3.0-or-later
"""One question with a few answers below each other."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import MarkLabel, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.elided import ElidedLabel
from vitrail.qt.wizard.page import PageView, words
from vitrail.qt.wizard.rows import ChoiceRow, ChoiceRows, ClosedRow
from vitrail.qt.wizard.state.options import Option, OptionsPage


class OptionsView(PageView):
    """`picked` is told the key of the answer."""

    def __init__(
        self, say: Say, state: OptionsPage, picked: Callable[[str], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(say, state.question, state.lead, parent)
        free = [option for option in state.options if option.why_not is None]
        self.rows = rows = {option.key: self._row(option) for option in free}
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
        face = QHBoxLayout()
        face.setSpacing(2 * GAP)
        if option.mark is not None:
            face.addWidget(MarkLabel(Tone.INFO, mark=option.mark, size=24))
        lines = QVBoxLayout()
        lines.setSpacing(2)
        face.addLayout(lines, 1)
        head = QHBoxLayout()
        head.setSpacing(2 * GAP)
        head.addWidget(ElidedLabel(title, Kind.STRONG), 1)
        if note:
            aside = PlainLabel(note, Kind.MUTED)
            aside.setWordWrap(False)
            head.addWidget(aside, 0, Qt.AlignmentFlag.AlignRight)
        lines.addLayout(head)
        if detail:
            lines.addWidget(words(detail, Kind.MUTED))
        row.body.addLayout(face)
        row.setChecked(option.selected)
        row.let_clicks_through()
        return row

    def _closed(self, option: Option) -> QWidget:
        title = self.say(option.title)
        row = ClosedRow(title)
        row.body.addWidget(ElidedLabel(title, Kind.STRONG))
        if option.why_not is not None:
            row.body.addWidget(words(self.say(option.why_not)))
        return row

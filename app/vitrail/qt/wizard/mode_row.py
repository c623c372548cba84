# SPDX-License-Identifier: GPL-3.0-or-later
"""One mode as a row of the table: columns that stand below each other without being one big grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.text import Text, text
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.cards import Pill
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.page import bullets, marked, opening, words
from vitrail.qt.wizard.pickers import Picker
from vitrail.qt.wizard.rows import ChoiceRow, ClosedRow
from vitrail.qt.wizard.state.modes import ModeRow

COLUMNS = (32, 15, 16, 14, 23)
"""Parts of a hundred: mode, speed, screens lost, effort, card."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a row tells: another card, another value of a setting."""

    card: Callable[[Mode, PciAddress | None], None]
    setting: Callable[[str, str], None]


def column_grid() -> QGridLayout:
    """A grid whose columns have the same widths in every row and in the heading."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(2 * GAP)
    grid.setVerticalSpacing(2)
    for column, part in enumerate(COLUMNS):
        grid.setColumnStretch(column, part)
    return grid


def cell(label: PlainLabel) -> PlainLabel:
    """A label that takes the column's width, whatever it says."""
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


def selectable_row(say: Say, row: ModeRow, answers: Answers) -> ChoiceRow:
    """A mode that can be chosen."""
    face = ChoiceRow(_spoken(say, row))
    face.body.addLayout(_columns(say, row, _cards(say, row, answers)))
    if row.caution is not None:
        face.body.addLayout(marked(Tone.WARN, words(say(row.caution))))
    if row.selected or row.unsure:
        _add_details(say, face.body, row)
    if row.selected:
        _add_settings(say, face.body, row, answers)
    face.setChecked(row.selected)
    face.let_clicks_through()
    return face


def closed_row(say: Say, row: ModeRow) -> ClosedRow:
    """A mode that cannot be chosen: what it would be like where it is possible, why not and what would change it."""
    card = ClosedRow(_spoken(say, row))
    if row.possible:
        names = "\n".join(say(one.label) for one in row.cards if one.possible)
        card.body.addLayout(_columns(say, row, cell(words(names))))
        _add_details(say, card.body, row)
    else:
        card.body.addLayout(_name_and_reasons(say, row))
    return card


def _columns(say: Say, row: ModeRow, card: QWidget) -> QGridLayout:
    grid = column_grid()
    grid.addLayout(_name(say, row), 0, 0)
    grid.addLayout(_facts_cell(say, row.speed, None), 0, 1)
    grid.addLayout(_facts_cell(say, row.screens, row.screens_note), 0, 2)
    grid.addLayout(_facts_cell(say, row.effort, None), 0, 3)
    grid.addWidget(card, 0, 4, Qt.AlignmentFlag.AlignTop)
    return grid


def _name_and_reasons(say: Say, row: ModeRow) -> QGridLayout:
    grid = column_grid()
    grid.addLayout(_name(say, row), 0, 0)
    right = QVBoxLayout()
    right.setSpacing(GAP // 2)
    for why in row.why:
        right.addWidget(cell(words(say(why))))
    if row.changes:
        right.addWidget(cell(words(say(text("wizard.modes.changes")), Kind.STRONG)))
        right.addLayout(bullets([say(one) for one in row.changes]))
    right.addStretch(1)
    grid.addLayout(right, 0, 1, 1, len(COLUMNS) - 1)
    for column in range(len(COLUMNS)):
        grid.addWidget(_spacer(), 1, column)
    return grid


def _spacer() -> QWidget:
    """Keeps a column in being: a grid gives an empty one no spacing, and the rows would not stand below each other."""
    spacer = QWidget()
    spacer.setFixedHeight(0)
    return spacer


def _name(say: Say, row: ModeRow) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(cell(words(opening(say(row.name)), Kind.STRONG)))
    column.addWidget(cell(words(say(row.about), Kind.MUTED)))
    if row.suggested or row.not_yet or row.changes_computer or row.now:
        pills = QHBoxLayout()
        pills.setContentsMargins(0, 4, 0, 0)
        if row.now:
            pills.addWidget(Pill(say(text("wizard.modes.pill.now")), Tone.GOOD))
        if row.suggested:
            pills.addWidget(Pill(say(text("wizard.modes.pill.suggested")), Tone.INFO, mark="wand-sparkles"))
        if row.not_yet:
            pills.addWidget(Pill(say(text("wizard.modes.pill.not-yet")), Tone.PLAIN, mark="lock"))
        if row.changes_computer:
            pills.addWidget(Pill(say(text("wizard.modes.pill.changes-computer")), Tone.PLAIN, mark="refresh-cw"))
        pills.addStretch(1)
        column.addLayout(pills)
    column.addStretch(1)
    return column


def _facts_cell(say: Say, what: Text, note: Text | None) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(cell(words(say(what))))
    if note is not None:
        column.addWidget(cell(words(say(note), Kind.MUTED)))
    column.addStretch(1)
    return column


def _cards(say: Say, row: ModeRow, answers: Answers) -> QWidget:
    """The card to pick; its address below, because names can be long and cards alike."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(3)
    if len(row.cards) > 1:
        column.addWidget(_picker(say, row, answers))
    elif row.cards:
        column.addWidget(cell(words(say(row.cards[0].label))))
    if row.card is not None:
        column.addWidget(cell(words(row.card.short, Kind.SMALL)))
    return holder


def _picker(say: Say, row: ModeRow, answers: Answers) -> Picker:
    entries = []
    for card in row.cards:
        label = card.label if card.possible else text("wizard.modes.card-impossible", card=card.label)
        entries.append((say(label), card.possible))
    addresses = [card.address for card in row.cards]
    current = addresses.index(row.card) if row.card in addresses else -1
    return Picker(
        say(text("wizard.modes.card-picker", mode=row.name)),
        entries,
        current,
        lambda number: answers.card(row.mode, addresses[number]),
    )


def _add_details(say: Say, body: QVBoxLayout, row: ModeRow) -> None:
    if row.why:
        body.addSpacing(GAP // 2)
        for why in row.why:
            body.addLayout(marked(Tone.INFO, words(say(why))))
    if row.changes:
        body.addSpacing(GAP // 2)
        body.addWidget(words(say(text("wizard.modes.needs")), Kind.STRONG))
        body.addLayout(bullets([say(one) for one in row.changes]))


def _add_settings(say: Say, body: QVBoxLayout, row: ModeRow, answers: Answers) -> None:
    if not row.settings:
        return
    body.addSpacing(GAP)
    grid = column_grid()
    grid.setVerticalSpacing(GAP // 2)
    for line, field in enumerate(row.settings):
        values = [value for value, _ in field.values]
        label = say(field.label)
        grid.addWidget(cell(words(label)), line, 0, Qt.AlignmentFlag.AlignVCenter)
        picker = Picker(
            label,
            [(say(words_of), True) for _, words_of in field.values],
            values.index(field.current),
            lambda number, key=field.key, values=values: answers.setting(key, values[number]),  # type: ignore[misc]
        )
        grid.addWidget(picker, line, 1, 1, 3)
    for column in range(len(COLUMNS)):
        grid.addWidget(_spacer(), len(row.settings), column)
    body.addLayout(grid)


def _spoken(say: Say, row: ModeRow) -> str:
    """The row as a screen reader says it, headings included."""
    parts = [say(row.name), say(row.about)]
    if row.selectable:
        for heading, value in (("speed", row.speed), ("screens", row.screens), ("effort", row.effort)):
            parts.append(f"{say(text(f'wizard.modes.column.{heading}'))}: {say(value)}")
    else:
        parts += [say(why) for why in row.why]
    return ". ".join(part.rstrip(".") for part in parts)

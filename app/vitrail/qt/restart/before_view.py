# SPDX-License-Identifier: GPL-3.0-or-later
"""The page before the restart: ready? what happens when? black? and a code with the rescue steps for the telephone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.restart.before import BeforePage, rescue_text
from vitrail.qt.restart.qr import CodeView, matrix_of
from vitrail.qt.restart.sheet_paper import print_sheet, save_sheet
from vitrail.qt.restart.timeline_view import TimelineView
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Card, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.page import PageView, bullets, words


class _Ticked(PlainLabel):
    """The words beside a box: a click on them ticks it, and unlike a box's own words they wrap."""

    def __init__(self, said: str, box: QCheckBox) -> None:
        super().__init__(said)
        self._box = box
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        del event
        self._box.toggle()


class BeforeView(PageView):
    """`ready_changed` is called whenever all that must be ready is, or is not any more."""

    def __init__(
        self, say: Say, state: BeforePage, ready_changed: Callable[[bool], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(say, state.question, state.lead, parent)
        self._state, self._ready_changed = state, ready_changed
        self._boxes: list[tuple[QCheckBox, bool]] = []
        self.body.addWidget(Notice(say(state.dark), Tone.WARN, mark="monitor-off"))
        self.body.addWidget(self._checks())
        self.section(say(text("qt.before.times")))
        self.body.addWidget(self._times())
        self.section(say(text("qt.before.guard")))
        self.body.addWidget(Notice(say(state.strength), state.tone, mark="life-buoy"))
        if state.reasons:
            self.body.addLayout(bullets([say(reason) for reason in state.reasons]))
        self.section(say(text("qt.before.rescue")))
        self.body.addWidget(self._rescue())

    @property
    def ready(self) -> bool:
        """Whether everything is ticked that has to be."""
        return all(box.isChecked() for box, must in self._boxes if must)

    def focus_first(self) -> QWidget | None:
        return self._boxes[0][0] if self._boxes else None

    def _checks(self) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        card.body.addWidget(words(self.say(text("qt.before.checks")), Kind.STRONG))
        for check in self._state.checks:
            row = QHBoxLayout()
            row.setSpacing(GAP)
            said = self.say(check.words)
            box = QCheckBox()
            box.setAccessibleName(said)
            box.toggled.connect(lambda _: self._ready_changed(self.ready))
            row.addWidget(box, 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(_Ticked(said, box), 1)
            card.body.addLayout(row)
            self._boxes.append((box, check.must))
        return card

    def _times(self) -> Card:
        card = Card()
        card.body.setSpacing(GAP)
        card.body.addWidget(TimelineView(self._state.marks, self.say(text("qt.before.times"))))
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GAP)
        grid.setVerticalSpacing(GAP // 2)
        grid.setColumnStretch(2, 1)
        top = Qt.AlignmentFlag.AlignTop
        for line, mark in enumerate(self._state.marks):
            grid.addWidget(words(f"{line + 1}", Kind.MUTED), line, 0, top)
            grid.addWidget(words(mark.clock, Kind.STRONG), line, 1, top)
            grid.addWidget(words(self.say(mark.words)), line, 2, top)
        card.body.addLayout(grid)
        card.body.addWidget(words(self.say(self._state.start), Kind.MUTED))
        return card

    def _rescue(self) -> Card:
        card = Card()
        row = QHBoxLayout()
        row.setSpacing(3 * GAP)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        column.addLayout(bullets([self.say(line) for line in self._state.rescue]))
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP)
        sheet = rescue_text(self.say, self._state)
        buttons.addWidget(button(self.say(text("qt.before.print")), lambda: print_sheet(self, sheet), mark="book-open"))
        buttons.addWidget(button(self.say(text("qt.before.save")), lambda: save_sheet(self, self.say, sheet)))
        copied = button(
            self.say(text("qt.before.copy")), lambda: QGuiApplication.clipboard().setText(sheet), mark="copy"
        )
        buttons.addWidget(copied)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(1)
        row.addLayout(column, 1)
        row.addLayout(self._code(sheet))
        card.body.addLayout(row)
        return card

    def _code(self, sheet: str) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(GAP // 2)
        modules = matrix_of(sheet)
        if modules is None:
            column.addWidget(words(self.say(text("qt.before.code-too-long")), Kind.MUTED))
        else:
            column.addWidget(CodeView(modules, self.say(text("qt.before.code-name"))))
            column.addWidget(words(self.say(text("qt.before.code")), Kind.SMALL))
        column.addStretch(1)
        return column

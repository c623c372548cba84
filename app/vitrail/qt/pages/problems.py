# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems: every finding with what would change it, and, opened, what was seen, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vitrail.model.finding import Finding
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.marks import mark_icon
from vitrail.qt.pages.page import Page, clear, scrolled
from vitrail.qt.pages.problems_state import ProblemLine, ProblemsState, counts, line_of, page_state
from vitrail.qt.theme import GAP, theme_of
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Card, MarkLabel, Pill
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.words import tell

if TYPE_CHECKING:
    from vitrail.qt.load.evidence import TroublePlot
    from vitrail.service.load_findings import Trouble


class ProblemCard(Card):
    """One finding; its evidence opens below it."""

    def __init__(self, line: ProblemLine, say: Say, plot: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line, self._say = line, say
        row = QHBoxLayout()
        row.setSpacing(GAP + 4)
        row.addWidget(MarkLabel(line.tone, size=20), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(GAP // 2)
        words.addWidget(PlainLabel(say(line.title), Kind.STRONG))
        if line.remedy is not None:
            words.addWidget(PlainLabel(say(line.remedy)))
        row.addLayout(words, 1)
        row.addWidget(Pill(say(line.kind), line.tone), 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(row)
        if plot is not None:
            room = QHBoxLayout()
            room.setContentsMargins(32, GAP // 2, 0, 0)
            room.addWidget(plot)
            self.body.addLayout(room)
        foot = QHBoxLayout()
        foot.setContentsMargins(26, 0, 0, 0)
        self._opener = button(say(text("qt.problems.evidence")), self._swap, quiet=True, mark="chevron-right")
        self._opener.setAccessibleDescription(say(line.title))
        if not line.evidence:
            self._opener.hide()
        foot.addWidget(self._opener)
        copy = button(say(text("qt.problems.copy")), self._copy, quiet=True, mark="copy")
        copy.setAccessibleDescription(say(line.title))
        foot.addWidget(copy)
        foot.addStretch(1)
        self.body.addLayout(foot)
        self._seen = PlainLabel("\n".join(self._evidence()), Kind.MONO)
        self._seen.setContentsMargins(32, 0, 0, GAP // 2)
        self._seen.hide()
        self.body.addWidget(self._seen)

    @property
    def opened(self) -> str:
        """Its key where its evidence is open, else empty."""
        return "" if self._seen.isHidden() else self._line.key

    def open_again(self, keys: frozenset[str]) -> None:
        """Open its evidence where it is one of these."""
        if self._line.key in keys:
            self._swap()

    def _evidence(self) -> tuple[str, ...]:
        return tuple(f"{tell(self._say, one.source)}: {tell(self._say, one.value)}" for one in self._line.evidence)

    def _swap(self) -> None:
        opened = self._seen.isHidden()
        self._seen.setVisible(opened)
        theme = theme_of(self.palette())
        self._opener.setIcon(mark_icon("chevron-down" if opened else "chevron-right", theme.accent_ink, 16, room=5))

    def _copy(self) -> None:
        parts = [self._say(self._line.title)]
        if self._line.remedy is not None:
            parts.append(self._say(self._line.remedy))
        QGuiApplication.clipboard().setText("\n".join((*parts, *self._evidence())))


class ProblemsPage(Page):
    """Every finding of the machine."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._state: ProblemsState | None = None
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, GAP, 0)
        self._list.setSpacing(GAP)
        content = QWidget()
        content.setLayout(self._list)
        self.column.addWidget(scrolled(content), 1)
        self._passed_shown = False
        self._plots: dict[str, TroublePlot] = {}
        self._told: tuple[Finding, ...] = ()
        desk.troubles_found.connect(lambda _: self._show_troubles())

    @staticmethod
    def prepare(facts: Facts, say: Say) -> ProblemsState:
        del say
        return page_state(facts)

    def show_prepared(self, prepared: object) -> None:
        if isinstance(prepared, ProblemsState) and prepared != self._state:
            self._state = prepared
            self._show()

    def _show(self) -> None:
        state = self._state
        if state is None:
            return
        troubles = self.desk.troubles
        self._told = tuple(one.finding for one in troubles)
        count = state.count + sum(map(counts, self._told))
        self.headline.setText(
            self.say(text("qt.problems.headline", count=count) if count else text("qt.problems.none"))
        )
        self.subline.setText("  ·  ".join(self.say(part) for part in state.subline))
        opened = frozenset(card.opened for card in self.findChildren(ProblemCard))
        clear(self._list)
        self._plots = {}
        for trouble in troubles:
            self._list.addWidget(self._trouble(trouble))
        for line in state.open:
            self._list.addWidget(ProblemCard(line, self.say))
        if state.passed:
            words = text("qt.problems.hide-passed" if self._passed_shown else "qt.problems.show-passed")
            swap = button(self.say(words), self._swap_passed, quiet=True)
            self._list.addWidget(swap, 0, Qt.AlignmentFlag.AlignLeft)
        if self._passed_shown:
            for line in state.passed:
                self._list.addWidget(ProblemCard(line, self.say))
        self._list.addStretch(1)
        for place in range(self._list.count()):
            item = self._list.itemAt(place)
            card = None if item is None else item.widget()
            if isinstance(card, ProblemCard):
                card.open_again(opened)

    def _trouble(self, trouble: Trouble) -> ProblemCard:
        """What is wrong with the load, with what was measured drawn below it."""
        from vitrail.qt.load.evidence import TroublePlot  # noqa: PLC0415 - only where there is such a trouble

        key = f"{trouble.finding.id}/{trouble.key}"
        card = None if self.desk.facts is None else self.desk.facts.card_at(trouble.card)
        plot = self._plots[key] = TroublePlot(trouble, 0 if card is None else card.hue, self.say)
        return ProblemCard(line_of(trouble.finding, key), self.say, plot)

    def _show_troubles(self) -> None:
        """Judged anew: the same troubles only get their newer points."""
        troubles = self.desk.troubles
        if tuple(one.finding.title for one in troubles) != tuple(one.title for one in self._told):
            self._show()
            return
        for one in troubles:
            self._plots[f"{one.finding.id}/{one.key}"].show_trouble(one)

    def _swap_passed(self) -> None:
        self._passed_shown = not self._passed_shown
        self._show()

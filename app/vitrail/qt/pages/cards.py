# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphics cards: one card at a time with everything that was read of it; second tab, every IOMMU group."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.cards_state import CardsState, CardState, Line, Section, page_state
from vitrail.qt.pages.groups import GroupsView, ShownGroups, shown_groups
from vitrail.qt.pages.page import Page, clear, scrolled
from vitrail.qt.picture.nodes import CardButton, card_height
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.cards import Card, EmptyState, MarkLabel, Pill
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.words import tell

_LIST_WIDTH = 356
_AT_ONCE = 16


class CardsPage(Page):
    """Every card of the machine."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._state: CardsState | None = None
        self._chosen = ""
        self._not_listed: tuple[CardState, ...] = ()
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.timeout.connect(lambda: self._list_some(_AT_ONCE))
        self._tabs = QTabWidget()
        self._tabs.setAccessibleName(self.say(text("qt.rail.cards")))
        self.column.addWidget(self._tabs, 1)
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP)
        self._list.setContentsMargins(0, 0, GAP, 0)
        self._group = QButtonGroup(self)
        self._details = QVBoxLayout()
        self._details.setContentsMargins(0, 0, GAP, 0)
        self._tabs.addTab(self._cards_tab(), self.say(text("qt.cards.tab")))
        self._groups = GroupsView(self.say, lambda term: desk.page_asked.emit("help", term))
        self._tabs.addTab(self._groups, self.say(text("qt.groups.tab")))

    @staticmethod
    def prepare(facts: Facts, say: Say) -> tuple[CardsState, ShownGroups]:
        return page_state(facts), shown_groups(facts, say)

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, tuple):
            return
        state, groups = prepared
        self._groups.show_groups(groups)
        if state == self._state:
            return
        self._state = state
        self.headline.setText(self.say(state.headline))
        self.subline.setText(self.say(text("qt.cards.subline")))
        clear(self._list)
        self._list.addStretch(1)
        self._not_listed = state.cards
        self._list_some(_AT_ONCE)
        keys = [card.node.key for card in state.cards]
        self._choose(self._chosen if self._chosen in keys else (keys[0] if keys else ""))

    def _list_some(self, count: int) -> None:
        """The next few cards, and the others as soon as the window had its turn: all at once would stop it."""
        for card in self._not_listed[:count]:
            node = CardButton(card.node, self.say, self)
            node.setMinimumHeight(round(card_height(QFontMetricsF(node.font()).height(), folded=False)))
            node.setChecked(node.key == self._chosen)
            node.walked.connect(self._walk)
            node.clicked.connect(lambda _=False, key=card.node.key: self._choose(key))
            self._group.addButton(node)
            self._list.insertWidget(self._list.count() - 1, node)
        self._not_listed = self._not_listed[count:]
        if self._not_listed:
            self._more.start()

    def show_thing(self, key: str) -> None:
        self._tabs.setCurrentIndex(0)
        self._choose(key if key.startswith("card:") else f"card:{key}")

    def search_field(self) -> QLineEdit:
        self._tabs.setCurrentWidget(self._groups)
        return self._groups.search

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return (("groups", lambda: self._tabs.setCurrentWidget(self._groups)),)

    def _cards_tab(self) -> QWidget:
        tab = QWidget()
        row = QHBoxLayout(tab)
        row.setContentsMargins(0, 2 * GAP, 0, 0)
        row.setSpacing(2 * GAP)
        left = QWidget()
        left.setLayout(self._list)
        area = scrolled(left)
        area.setFixedWidth(_LIST_WIDTH)
        row.addWidget(area)
        right = QWidget()
        right.setLayout(self._details)
        row.addWidget(scrolled(right), 1)
        return tab

    def _choose(self, key: str) -> None:
        self._chosen = key
        for made in self._group.buttons():
            if isinstance(made, CardButton):
                made.setChecked(made.key == key)
        clear(self._details)
        cards = self._state.cards if self._state is not None else ()
        card = next((card for card in cards if card.node.key == key), None)
        if card is not None:
            self._details.addWidget(self._detail(card))
            self._details.addStretch(1)
        elif self._state is not None and self._state.none is not None:
            title = self.say(text("qt.lack.no-cards"))
            self._details.addWidget(EmptyState(title, self.say(self._state.none), "gpu"))

    def _walk(self, arrow: int) -> None:
        cards = self._state.cards if self._state is not None else ()
        keys = [card.node.key for card in cards]
        step = {int(Qt.Key.Key_Up): -1, int(Qt.Key.Key_Down): 1}.get(arrow, 0)
        place = keys.index(self._chosen) + step if self._chosen in keys else 0
        self._list_some(len(keys))
        if 0 <= place < len(keys):
            self._choose(keys[place])
            for made in self._group.buttons():
                if isinstance(made, CardButton) and made.key == keys[place]:
                    made.setFocus()

    def _detail(self, card: CardState) -> Card:
        frame = Card(hue=card.node.hue)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(PlainLabel(tell(self.say, card.name), Kind.TITLE))
        words.addWidget(PlainLabel("  ·  ".join(tell(self.say, part) for part in card.below), Kind.MUTED))
        head.addLayout(words, 1)
        pill = Pill(tell(self.say, card.badge.words), card.badge.tone, mark=card.badge.mark)
        head.addWidget(pill, 0, Qt.AlignmentFlag.AlignTop)
        frame.body.addLayout(head)
        for section in card.sections:
            frame.body.addSpacing(GAP + 4)
            frame.body.addWidget(PlainLabel(self.say(section.title), Kind.STRONG))
            frame.body.addLayout(self._section(section))
        return frame

    def _section(self, section: Section) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GAP)
        grid.setVerticalSpacing(GAP - 2)
        grid.setColumnStretch(2, 1)
        grid.setColumnMinimumWidth(0, 150)
        grid.setColumnMinimumWidth(1, 16)
        last = None
        for number, line in enumerate(section.lines):
            label = PlainLabel("" if line.label == last else self.say(line.label), Kind.MUTED)
            label.setFixedWidth(150)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._said(line), number, 2)
            # Without anything in it a column loses its spacing too, and sections would not line up.
            mark = QWidget() if line.tone is None else MarkLabel(line.tone, size=16)
            mark.setFixedWidth(16)
            grid.addWidget(mark, number, 1, Qt.AlignmentFlag.AlignTop)
            last = line.label
        return grid

    def _said(self, line: Line) -> PlainLabel:
        return PlainLabel("\n".join(tell(self.say, words) for words in line.words))

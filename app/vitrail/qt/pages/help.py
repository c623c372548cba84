# SPDX-License-Identifier: GPL-3.0-or-later
"""Help: how to get out of everything first, then what the words mean."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page, clear, scrolled, search_line
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.cards import Card
from vitrail.qt.widgets.labels import Kind, PlainLabel

_WAYS_OUT = ("window", "terminal", "everything", "console", "nothing")
_KEYS = ("pages", "read", "search", "walk")


class HelpPage(Page):
    """What to do when lost, and a glossary."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        say = self.say
        self.headline.setText(say(text("qt.help.headline")))
        self.subline.setText(say(text("qt.help.subline")))
        self._search = search_line(say(text("qt.help.search")))
        self._search.textChanged.connect(lambda _: self._filter())
        self.column.addWidget(self._search)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, GAP, 0)
        column.setSpacing(2 * GAP)
        column.addWidget(self._listed("qt.help.out", _WAYS_OUT))
        column.addWidget(self._listed("qt.help.keys", _KEYS))
        self._terms = Card()
        column.addWidget(self._terms)
        column.addStretch(1)
        self.column.addWidget(scrolled(content), 1)
        self._entries: dict[str, tuple[QWidget, str]] = {}
        self._known: tuple[object, ...] = ()

    def show_facts(self, facts: Facts) -> None:
        if facts.knowledge.glossary == self._known:
            return
        self._known = facts.knowledge.glossary
        clear(self._terms.body)
        self._terms.body.addWidget(PlainLabel(self.say(text("qt.help.words")), Kind.TITLE))
        self._entries = {}
        terms = sorted(facts.knowledge.glossary, key=lambda term: self.say(term.name).casefold())
        for term in terms:
            entry = QWidget()
            column = QVBoxLayout(entry)
            column.setContentsMargins(0, GAP // 2, 0, GAP // 2)
            column.setSpacing(2)
            name, meaning = self.say(term.name), self.say(term.meaning)
            column.addWidget(PlainLabel(name, Kind.STRONG))
            column.addWidget(PlainLabel(meaning))
            self._terms.body.addWidget(entry)
            self._entries[term.id] = (entry, f"{name} {meaning}".casefold())

    def show_thing(self, key: str) -> None:
        if key in self._entries:
            self._search.setText(self._entries[key][0].findChild(PlainLabel).text())

    def search_field(self) -> QLineEdit:
        return self._search

    def _listed(self, prefix: str, names: tuple[str, ...]) -> Card:
        card = Card()
        card.body.addWidget(PlainLabel(self.say(text(f"{prefix}.title")), Kind.TITLE))
        for name in names:
            card.body.addSpacing(GAP // 2)
            card.body.addWidget(PlainLabel(self.say(text(f"{prefix}.{name}"))))
        return card

    def _filter(self) -> None:
        needles = self._search.text().casefold().split()
        for widget, words in self._entries.values():
            widget.setVisible(all(needle in words for needle in needles))

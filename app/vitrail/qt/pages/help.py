# SPDX-License-Identifier: GPL-3.0-or-later
"""Help: how to get out of everything first, then what the words mean."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page, clear, scrolled, search_line
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.cards import Card
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say

_WAYS_OUT = ("window", "terminal", "everything", "console", "nothing")
_AT_ONCE = 8
_KEYS = ("pages", "read", "search", "mark", "walk")


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the glossary, said."""

    id: str
    name: str
    meaning: str


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
        self._entries: list[tuple[QWidget, str]] = []
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.timeout.connect(self._show_some)
        self._known: tuple[Entry, ...] = ()

    @staticmethod
    def prepare(facts: Facts, say: Say) -> tuple[Entry, ...]:
        entries = (Entry(term.id, say(term.name), say(term.meaning)) for term in facts.knowledge.glossary)
        return tuple(sorted(entries, key=lambda entry: entry.name.casefold()))

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, tuple) or prepared == self._known:
            return
        self._known = prepared
        clear(self._terms.body)
        self._terms.body.addWidget(PlainLabel(self.say(text("qt.help.words")), Kind.TITLE))
        self._entries = []
        self._show_some()

    def _show_some(self) -> None:
        """The next few words, and the others as soon as the window had its turn: all at once would stop it."""
        begun = len(self._entries)
        for term in self._known[begun : begun + _AT_ONCE]:
            entry = QWidget()
            column = QVBoxLayout(entry)
            column.setContentsMargins(0, GAP // 2, 0, GAP // 2)
            column.setSpacing(2)
            column.addWidget(PlainLabel(term.name, Kind.STRONG))
            column.addWidget(PlainLabel(term.meaning))
            self._terms.body.addWidget(entry)
            self._entries.append((entry, f"{term.name} {term.meaning}".casefold()))
        self._filter()
        if len(self._entries) < len(self._known):
            self._more.start()

    def show_thing(self, key: str) -> None:
        name = next((entry.name for entry in self._known if entry.id == key), None)
        if name is not None:
            self._search.setText(name)

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
        for widget, words in self._entries:
            widget.setVisible(all(needle in words for needle in needles))

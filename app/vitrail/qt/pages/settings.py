# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: language, light or dark, messages of trouble. Nothing stands here that does nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QGridLayout, QSystemTrayIcon, QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page
from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.preferences import Preferences
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.cards import Card
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.words import sentence_start
from vitrail.source.resources import resources

_OWN_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}


class SettingsPage(Page):
    """What the user can set."""

    def __init__(self, desk: Desk, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._preferences = preferences
        say = self.say
        self.headline.setText(say(text("qt.rail.settings")))
        self.subline.setText(say(text("qt.settings.subline")))
        card = Card()
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GAP)
        grid.setVerticalSpacing(2 * GAP)
        grid.setColumnStretch(2, 1)
        self._scheme = QComboBox()
        for scheme in Scheme:
            self._scheme.addItem(say(text(f"qt.settings.scheme.{scheme.value}")), scheme)
        self._scheme.setCurrentIndex(list(Scheme).index(preferences.scheme))
        self._scheme.currentIndexChanged.connect(self._wear)
        self._language = QComboBox()
        self._language.addItem(say(text("qt.settings.language.system")), None)
        for code in _languages():
            self._language.addItem(_OWN_NAMES.get(code, code), code)
        self._language.setCurrentIndex(max(0, self._language.findData(preferences.language)))
        self._language.currentIndexChanged.connect(self._speak)
        for number, (name, field) in enumerate((("scheme", self._scheme), ("language", self._language))):
            label = PlainLabel(say(text(f"qt.settings.{name}")), Kind.STRONG)
            field.setAccessibleName(label.text())
            field.setMinimumWidth(260)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(field, number, 1)
        self._later = PlainLabel("", Kind.MUTED)
        self._later.setVisible(False)
        grid.addWidget(self._later, 2, 1, 1, 2)
        card.body.addLayout(grid)
        card.body.addSpacing(GAP)
        self._notices = QCheckBox(say(text("qt.settings.notices")))
        self._notices.setChecked(preferences.wants_notices())
        self._notices.toggled.connect(lambda on: preferences.want_notices(wanted=on))
        card.body.addWidget(self._notices)
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            self._notices.setEnabled(False)
            card.body.addWidget(PlainLabel(say(text("qt.settings.notices.no-tray")), Kind.MUTED))
        self.column.addWidget(card)
        where = Card()
        where.body.addWidget(PlainLabel(say(text("qt.settings.place")), Kind.STRONG))
        self._place = PlainLabel("", Kind.BODY)
        where.body.addWidget(self._place)
        self.column.addWidget(where)
        self.column.addStretch(1)

    @staticmethod
    def prepare(facts: Facts, say: Say) -> str:
        words = text("qt.settings.looks-at", label=facts.label, connection=facts.connection)
        return sentence_start(say(words))

    def show_prepared(self, prepared: object) -> None:
        self._place.setText(str(prepared))

    def _wear(self) -> None:
        scheme = Scheme(self._scheme.currentData())
        self._preferences.scheme = scheme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            wear(app, scheme)

    def _speak(self) -> None:
        self._preferences.language = self._language.currentData()
        self._later.setText(self.say(text("qt.settings.language.later")))
        self._later.setVisible(True)


def _languages() -> tuple[str, ...]:
    """The languages that there is a catalogue for."""
    folder = resources() / "translations"
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The window: the rail, the page that is shown, and always which computer this is. Pages are made when first shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.by_name import NAMES, page_class, prepare
from vitrail.qt.pages.page import Page, clear
from vitrail.qt.pages.problems_state import ProblemsState, counts
from vitrail.qt.place_banner import PlaceBanner
from vitrail.qt.preferences import Preferences
from vitrail.qt.rail import PAGES, Rail
from vitrail.qt.restart.strip import ResumeStrip
from vitrail.qt.theme import GAP, PAGE_MARGIN, Tone
from vitrail.qt.widgets.busy import BusyStrip
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Notice
from vitrail.qt.words import sentence_start

if TYPE_CHECKING:
    from vitrail.qt.load.notices import Notices

FIRST_SIZE = QSize(1320, 860)
_PACES_S = {"load": 1.0, "overview": 5.0, "vms": 5.0, "problems": 5.0}
"""How often the load is measured while such a page is seen."""
_SETTLED_MS = 800
"""How long the first picture is left alone before anything is measured."""


class MainWindow(QMainWindow):
    """Shows one place.

    Signals:
        closed: the user closed it.
    """

    closed = Signal()

    def __init__(self, desk: Desk, preferences: Preferences) -> None:
        super().__init__()
        self._desk = desk
        self._preferences = preferences
        say = desk.say
        self.setWindowTitle(sentence_start(say(text("qt.window.title", place=desk.workplace.label))))
        self.setMinimumSize(980, 620)
        desk.preparers = {name: partial(prepare, name) for name in NAMES}
        self._pages: dict[str, Page] = {}
        self._given: dict[str, object] = {}
        self._name = ""
        self._lay_out()
        desk.began.connect(self._began)
        desk.facts_read.connect(self._facts_read)
        desk.pages_prepared.connect(lambda: self._freshen(self._name))
        self._settled = False
        self._notices: Notices | None = None
        desk.troubles_found.connect(self._troubles_found)
        desk.pages_prepared.connect(lambda: QTimer.singleShot(_SETTLED_MS, self, self._settle))
        desk.reading_failed.connect(self._reading_failed)
        desk.page_asked.connect(self.show_page)
        self._shortcuts()
        self.resize(FIRST_SIZE)
        geometry = preferences.geometry
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.show_page("overview")

    @property
    def page_names(self) -> tuple[str, ...]:
        """Every page, in the rail's order."""
        return NAMES

    def page(self, name: str) -> Page:
        """The page with this name, made now if it was never shown."""
        if name not in self._pages:
            page = self._make(name)
            self._pages[name] = page
            self._stack.addWidget(page)
        self._freshen(name)
        return self._pages[name]

    def _make(self, name: str) -> Page:
        if name == "settings":
            from vitrail.qt.pages.settings import SettingsPage  # noqa: PLC0415 - like every page, once it is needed

            return SettingsPage(self._desk, self._preferences)
        return page_class(name)(self._desk)

    def _freshen(self, name: str) -> None:
        """Give the page what was prepared for it last; pages that are not shown get it when they are."""
        self._desk.require(name)
        if name in self._desk.prepared and self._given.get(name) is not self._desk.prepared[name]:
            self._given[name] = self._desk.prepared[name]
            self._pages[name].show_prepared(self._desk.prepared[name])

    def show_page(self, name: str, key: str = "") -> None:
        """Show this page, at the thing with this key."""
        page = self.page(name)
        self._name = name
        # The rail counts the problems whatever page is shown.
        self._desk.in_sight = frozenset((name, "problems"))
        self._stack.setCurrentWidget(page)
        self._rail.show_page(name)
        if key:
            page.show_thing(key)
        self._pace()

    def _settle(self) -> None:
        self._settled = True
        # A mark wants the seconds before it, whatever page is shown then.
        _ = self._desk.marking
        self._pace()

    def _pace(self) -> None:
        """Measure the load as often as the page that is seen needs it, and not at all for nobody."""
        facts = self._desk.facts
        if facts is None or not (self._settled or self._name == "load"):
            return
        # Without a card and without a VM there is nothing to measure either.
        seen = self.isVisible() and not self.isMinimized() and bool(facts.cards or facts.vms)
        self._desk.sampling.pace(_PACES_S.get(self._name) if seen else None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._pace()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._pace()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._pace()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._preferences.geometry = self.saveGeometry()
        super().closeEvent(event)
        self.closed.emit()

    def _lay_out(self) -> None:
        desk = self._desk
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._rail = Rail(desk.say)
        self._rail.chosen.connect(self.show_page)
        row.addWidget(self._rail)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        kind, label = desk.workplace.kind, desk.workplace.label
        self._rail.place.setText(desk.say(text(f"qt.place.short.{kind.value}")))
        column.addWidget(PlaceBanner(kind, label, desk.say))
        self.strip = ResumeStrip(desk.say)
        self.strip.opened.connect(desk.proof_asked)
        self.strip.asked_again.connect(desk.look_for_resume)
        desk.resume_read.connect(self.strip.show_resume)
        column.addWidget(self.strip)
        self._troubles = QVBoxLayout()
        self._troubles.setContentsMargins(PAGE_MARGIN, 0, PAGE_MARGIN, 0)
        column.addLayout(self._troubles)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._busy = BusyStrip(desk.say)
        self._busy.setContentsMargins(PAGE_MARGIN, 0, PAGE_MARGIN, GAP)
        column.addWidget(self._busy)
        row.addLayout(column, 1)
        self.setCentralWidget(whole)

    def _shortcuts(self) -> None:
        for number, (name, _) in enumerate(PAGES, start=1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.activated.connect(lambda name=name: self.show_page(name))
        QShortcut(QKeySequence(QKeySequence.StandardKey.HelpContents), self).activated.connect(
            lambda: self.show_page("help")
        )
        QShortcut(QKeySequence("Ctrl+M"), self).activated.connect(self._mark)
        QShortcut(QKeySequence("F5"), self).activated.connect(self._desk.read)
        QShortcut(QKeySequence("Ctrl+F"), self).activated.connect(self._search)

    def _mark(self) -> None:
        """Something stuttered: keep the moment, and show that it is being kept."""
        if self._desk.facts is not None and self._desk.sampling.measures:
            self._desk.marking.mark()
            self.show_page("load")

    def _search(self) -> None:
        field = self.page(self._name).search_field()
        if field is not None:
            field.setFocus()
            field.selectAll()

    def _began(self) -> None:
        # Reading again behind a page that is there is no news; the first look is.
        if self._desk.facts is None:
            self._busy.begin(text("qt.reading"))

    def _facts_read(self, _: Facts) -> None:
        self._busy.end()
        clear(self._troubles)
        self._freshen(self._name)
        self._pace()
        self._count_problems()

    def _count_problems(self) -> None:
        problems = self._desk.prepared.get("problems")
        count = problems.count if isinstance(problems, ProblemsState) else 0
        self._rail.show_problems(count + sum(counts(one.finding) for one in self._desk.troubles))

    def _troubles_found(self) -> None:
        self._count_problems()
        if self._notices is None:
            if not self._desk.troubles:
                return
            from vitrail.qt.load.notices import Notices, TrayMessages, can_tell  # noqa: PLC0415 - with the load

            tray = TrayMessages(self._come_to_problems, self) if can_tell() else None
            wanted = self._preferences.wants_notices
            self._notices = Notices(
                lambda: tray is not None and wanted(), self._desk.say, tray.tell if tray else _nobody
            )
        self._notices.hear(self._desk.troubles)

    def _come_to_problems(self) -> None:
        self.show_page("problems")
        self.raise_()
        self.activateWindow()

    def _reading_failed(self, error: VitrailError) -> None:
        self._busy.end()
        clear(self._troubles)
        words = "\n".join(self._desk.say(part) for part in (error.what, *error.next_steps))
        notice = Notice(words, Tone.BAD)
        notice.row.addWidget(button(self._desk.say(text("qt.read-again")), self._desk.read, small=True))
        notice.row.addWidget(button(self._desk.say(text("qt.open-demo")), self._desk.demo_asked.emit, small=True))
        self._troubles.addWidget(notice)


def _nobody(title: str, words: str) -> None:
    """This desktop has no place for messages."""
    del title, words

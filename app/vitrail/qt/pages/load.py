# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load: this version measures nothing, and the page says so instead of drawing a curve."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import EmptyState
from vitrail.qt.widgets.labels import Say


class LoadPage(Page):
    """An honest empty page."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.headline.setText(self.say(text("qt.rail.load")))
        self.subline.setText(self.say(text("qt.load.subline")))
        empty = EmptyState(self.say(text("qt.load.title")), self.say(text("qt.load.why")), "activity")
        empty.add_action(button(self.say(text("qt.load.who")), lambda: desk.page_asked.emit("cards", "")))
        self.column.addWidget(empty, 1)

    @staticmethod
    def prepare(facts: Facts, say: Say) -> None:
        """No fact changes what stands here."""
        del facts, say

    def show_prepared(self, prepared: object) -> None:
        del prepared

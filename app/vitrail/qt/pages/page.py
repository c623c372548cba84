# SPDX-License-Identifier: GPL-3.0-or-later
"""What every page has: a headline, a line below it, room for its buttons, and one way in for facts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.marks import mark_icon
from vitrail.qt.theme import GAP, PAGE_MARGIN, theme_of
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say


class Page(QWidget):
    """One page of the window."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.say = desk.say
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(PAGE_MARGIN, PAGE_MARGIN - 6, PAGE_MARGIN, PAGE_MARGIN - 8)
        self.column.setSpacing(2 * GAP)
        head = QHBoxLayout()
        head.setSpacing(2 * GAP)
        words = QVBoxLayout()
        words.setSpacing(GAP // 2)
        self.headline = PlainLabel("", Kind.HEADLINE)
        self.subline = PlainLabel("", Kind.MUTED)
        words.addWidget(self.headline)
        words.addWidget(self.subline)
        head.addLayout(words, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GAP)
        head.addLayout(self._buttons)
        head.setAlignment(self._buttons, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(head)

    def add_button(self, made: QPushButton) -> None:
        """Put a button beside the headline."""
        self._buttons.addWidget(made, 0, Qt.AlignmentFlag.AlignTop)

    @staticmethod
    @abstractmethod
    def prepare(facts: Facts, say: Say) -> object:
        """What there is to show, worked out where nobody waits: on the reader's thread, without any widget."""

    @abstractmethod
    def show_prepared(self, prepared: object) -> None:
        """Show what `prepare` made."""

    def show_thing(self, key: str) -> None:
        """Bring the thing with this key into view; pages without things have nothing to do."""

    def search_field(self) -> QLineEdit | None:
        """Where Ctrl+F goes; None where there is nothing to search."""
        return None

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Other views of this page, by name, each with what shows it."""
        return ()


def scrolled(content: QWidget) -> QScrollArea:
    """The widget in a frameless area that scrolls up and down only."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def search_line(words: str) -> QLineEdit:
    """A field to search in; its placeholder is its accessible name."""
    field = QLineEdit()
    field.setPlaceholderText(words)
    field.setAccessibleName(words)
    field.setClearButtonEnabled(True)
    field.addAction(mark_icon("search", theme_of(field.palette()).muted, 16), QLineEdit.ActionPosition.LeadingPosition)
    return field


def clear(layout: QVBoxLayout) -> None:
    """Take every widget out of the layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()

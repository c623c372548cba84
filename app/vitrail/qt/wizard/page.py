# SPDX-License-Identifier: GPL-3.0-or-later
"""What all pages share: the question as a headline, a sentence below it, a body that scrolls where room is short."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vitrail.model.text import Text
from vitrail.qt.theme import GAP, PAGE_MARGIN, Tone
from vitrail.qt.widgets.cards import MarkLabel
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.elided import breakable


class PageView(QScrollArea):
    """A page: `body` is what a page fills; `top` stays where it is while the body scrolls."""

    def __init__(self, say: Say, question: Text, lead: Text | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.say = say
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._pinned = QWidget(self)
        self.top = QVBoxLayout(self._pinned)
        self.top.setContentsMargins(PAGE_MARGIN, 2 * GAP, PAGE_MARGIN, GAP)
        self.top.setSpacing(GAP)
        self.question = PlainLabel(say(question), Kind.HEADLINE)
        self.top.addWidget(self.question)
        if lead is not None:
            self.top.addWidget(words(say(lead), Kind.MUTED))
        inside = QWidget()
        # Ignored, so that the scroll area goes by the height that the width at hand needs, not by the narrowest case.
        inside.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        column = QVBoxLayout(inside)
        column.setContentsMargins(PAGE_MARGIN, GAP, PAGE_MARGIN, 2 * GAP)
        column.setSpacing(GAP)
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP)
        column.addLayout(self.body)
        column.addStretch(1)
        self.setWidget(inside)
        self.setAccessibleName(say(question))

    def resizeEvent(self, event: QResizeEvent) -> None:
        # The viewport's width, so that headings up here stand above their columns also beside a scroll bar.
        width = self.viewport().width()
        height = self._pinned.heightForWidth(width)
        self.setViewportMargins(0, height, 0, 0)
        self._pinned.setGeometry(0, 0, width, height)
        super().resizeEvent(event)

    def section(self, title: str) -> None:
        """A small headline inside the page."""
        self.body.addSpacing(GAP)
        self.body.addWidget(words(title, Kind.STRONG))

    def focus_first(self) -> QWidget | None:
        """The widget that should have the keyboard when the page appears, None for the next button."""
        return None


def words(what: str, kind: Kind = Kind.BODY) -> PlainLabel:
    """A label that wraps even where a name has no blanks."""
    return PlainLabel(breakable(what), kind)


def opening(what: str) -> str:
    """The words as the beginning of a line: the same phrase also stands inside sentences, in small letters."""
    return what[:1].upper() + what[1:]


def marked(tone: Tone, what: QWidget, *, mark: str | None = None) -> QLayout:
    """A widget with an icon before it, at the height of its first line."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GAP)
    row.addWidget(MarkLabel(tone, mark=mark), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(what, 1)
    return row


def bullets(lines: Sequence[str]) -> QLayout:
    """Sentences one below the other, each with a point before it."""
    column = QVBoxLayout()
    column.setSpacing(GAP // 2)
    for line in lines:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(PlainLabel("•"), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words(line), 1)
        column.addLayout(row)
    return column

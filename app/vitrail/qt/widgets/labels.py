# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels: always plain text, because what they show may be a name that somebody else chose."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCursor, QFont, QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from vitrail.model.text import Text
from vitrail.qt.theme import theme_of

Say = Callable[[Text], str]
"""Turns a `Text` into the user's language (a speaker's `say`)."""


class Kind(Enum):
    """What a line of text is for."""

    HEADLINE = auto()
    TITLE = auto()
    STRONG = auto()
    BODY = auto()
    MUTED = auto()
    SMALL = auto()
    MONO = auto()


_SCALE = {Kind.HEADLINE: 1.4, Kind.TITLE: 1.15, Kind.SMALL: 0.92, Kind.MONO: 0.95}
"""Of the platform's font size; 1 for the rest."""
_BOLD = frozenset({Kind.HEADLINE, Kind.TITLE, Kind.STRONG})


def font_of(kind: Kind, base: QFont) -> QFont:
    """The platform's font in the size and weight of this kind of text."""
    scale = _SCALE.get(kind, 1.0)
    font = QFont(base)
    if kind is Kind.MONO:
        font.setFamilies(["DejaVu Sans Mono", "Noto Sans Mono", "monospace"])
        font.setStyleHint(QFont.StyleHint.Monospace)
    if font.pointSizeF() > 0:
        font.setPointSizeF(base.pointSizeF() * scale)
    else:
        font.setPixelSize(round(base.pixelSize() * scale))
    font.setBold(kind in _BOLD)
    return font


class PlainLabel(QLabel):
    """A label that never reads its text as anything but text, wraps, and can be selected."""

    def __init__(self, words: str = "", kind: Kind = Kind.BODY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setText(words)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.ApplicationPaletteChange:
            self._dress()

    def _dress(self) -> None:
        self.setFont(font_of(self._kind, QFont()))
        if self._kind in (Kind.MUTED, Kind.SMALL):
            palette = QPalette()
            palette.setColor(QPalette.ColorRole.WindowText, theme_of(palette).muted)
            self.setPalette(palette)


def say_label(say: Say, what: Text, kind: Kind = Kind.BODY) -> PlainLabel:
    """A label that says `what` in the user's language."""
    return PlainLabel(say(what), kind)


class TermLink(QPushButton):
    """A term that opens its entry in the glossary."""

    def __init__(self, words: str, term: str, opened: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.setProperty("quiet", "true")
        self.setCursor(QCursor(Qt.CursorShape.PointingHandCursor))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda: opened(term))

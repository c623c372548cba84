# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffs and listings as high as they are long, within reason; a longer one scrolls in its own frame."""

from __future__ import annotations

from PySide6.QtGui import QFontMetricsF

from vitrail.qt.widgets.diff import DiffView
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import diff_lines

_LEAST_LINES = 3
_MOST_LINES = 18
_AROUND = 58
"""Height of what stands around the lines: the bar above them and the frame."""


def fitted_diff(say: Say, diff: str) -> DiffView:
    """What changes in a file."""
    view = DiffView(say)
    view.show_diff(diff_lines(diff))
    return _fitted(view, diff)


def fitted_listing(say: Say, words: str) -> DiffView:
    """A program, or lines to type."""
    view = DiffView(say)
    view.show_listing(words)
    return _fitted(view, words)


def _fitted(view: DiffView, words: str) -> DiffView:
    lines = min(max(len(words.splitlines()), _LEAST_LINES), _MOST_LINES)
    line = QFontMetricsF(font_of(Kind.MONO, view.font())).lineSpacing()
    view.setFixedHeight(round(lines * line) + _AROUND)
    return view

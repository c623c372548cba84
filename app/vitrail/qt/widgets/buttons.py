# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons in their three weights: the one next step, a choice beside it, a quiet one inside a sentence."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton

from vitrail.qt.marks import mark_icon
from vitrail.qt.theme import theme_of

_ICON = 16
_ROOM = 5


def button(
    words: str,
    clicked: Callable[[], object],
    *,
    primary: bool = False,
    quiet: bool = False,
    small: bool = False,
    mark: str | None = None,
) -> QPushButton:
    """A button; its words are its accessible name."""
    made = QPushButton(words)
    made.setProperty("primary", primary)
    made.setProperty("quiet", quiet)
    made.setProperty("small", small)
    made.setAutoDefault(False)
    if mark is not None:
        theme = theme_of(made.palette())
        made.setIcon(mark_icon(mark, theme.on_accent if primary else theme.accent_ink, _ICON, room=_ROOM))
        made.setIconSize(QSize(_ICON + _ROOM, _ICON))
    # Without the lambda Qt would hand over whether the button is checked.
    made.clicked.connect(lambda: clicked())  # noqa: PLW0108
    return made

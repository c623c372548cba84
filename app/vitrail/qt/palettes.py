# SPDX-License-Identifier: GPL-3.0-or-later
"""Which palette the application wears: the desktop's own, or ours where no desktop says anything or the user chose.

Apart from the theme because this changes the application, and the theme only looks.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from vitrail.qt.sheet import sheet_of
from vitrail.qt.theme import mix, theme_of


class Scheme(StrEnum):
    """The user's wish in Settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def wear(app: QApplication, scheme: Scheme) -> None:
    """Give the application the palette of this scheme and the sheet that goes with it."""
    if scheme is Scheme.SYSTEM:
        app.setPalette(QPalette())
        wants_dark = app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        if _nobody_chose(app):
            app.setPalette(_palette(dark=wants_dark))
    else:
        app.setPalette(_palette(dark=scheme is Scheme.DARK))
    app.setStyleSheet(sheet_of(theme_of(app.palette())))


def _nobody_chose(app: QApplication) -> bool:
    """Whether the palette is Fusion's own, which means that no desktop theme set one."""
    fusion = QStyleFactory.create("Fusion")
    if fusion is None:
        return False
    own = fusion.standardPalette()
    roles = (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.Highlight)
    return all(app.palette().color(role) == own.color(role) for role in roles)


def _palette(*, dark: bool) -> QPalette:
    window = QColor("#15181e") if dark else QColor("#f5f6f9")
    surface = QColor("#1e222a") if dark else QColor("#ffffff")
    text = QColor("#e9ecf1") if dark else QColor("#161b24")
    accent = QColor("#3b78e7") if dark else QColor("#1f5fd0")
    role = QPalette.ColorRole
    palette = QPalette()
    for which, color in (
        (role.Window, window),
        (role.WindowText, text),
        (role.Base, surface),
        (role.AlternateBase, mix(surface, text, 0.03)),
        (role.Text, text),
        (role.Button, mix(surface, text, 0.08) if dark else surface),
        (role.ButtonText, text),
        (role.ToolTipBase, mix(surface, text, 0.08)),
        (role.ToolTipText, text),
        (role.BrightText, QColor("white")),
        (role.Highlight, accent),
        (role.HighlightedText, QColor("white")),
        (role.Link, mix(accent, text, 0.35) if dark else accent),
        (role.PlaceholderText, mix(text, surface, 0.4)),
        (role.Light, mix(surface, QColor("white"), 0.1)),
        (role.Midlight, mix(surface, text, 0.08)),
        (role.Mid, mix(surface, text, 0.25)),
        (role.Dark, mix(surface, text, 0.4)),
        (role.Shadow, QColor("black")),
    ):
        palette.setColor(which, color)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, mix(text, window, 0.45))
    return palette

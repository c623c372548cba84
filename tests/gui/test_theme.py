# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is read stands at 4.5:1, every line that means something at 3:1, in light, dark and odd palettes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QPalette

from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.theme import LINE_CONTRAST, TEXT_CONTRAST, Theme, contrast, theme_of


def odd(window: str, base: str, words: str, accent: str) -> QPalette:
    palette = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, window),
        (QPalette.ColorRole.Base, base),
        (QPalette.ColorRole.WindowText, words),
        (QPalette.ColorRole.Highlight, accent),
    ):
        palette.setColor(role, QColor(color))
    return palette


def themes(qapp) -> dict[str, Theme]:
    found = {}
    for scheme in (Scheme.LIGHT, Scheme.DARK):
        wear(qapp, scheme)
        found[scheme.value] = theme_of(qapp.palette())
    found["pale"] = theme_of(odd("#fdf6e3", "#eee8d5", "#93a1a1", "#b5e853"))
    found["night"] = theme_of(odd("#002b36", "#073642", "#586e75", "#268bd2"))
    found["contrast"] = theme_of(odd("#000000", "#000000", "#ffffff", "#ffff00"))
    return found


@pytest.mark.parametrize("name", ["light", "dark", "pale", "night", "contrast"])
def test_words_are_readable(qapp, name: str) -> None:
    theme = themes(qapp)[name]
    for ground in (theme.window, theme.surface):
        assert contrast(theme.text, ground) >= TEXT_CONTRAST
        assert contrast(theme.muted, ground) >= TEXT_CONTRAST
        assert contrast(theme.accent_ink, ground) >= TEXT_CONTRAST
    assert contrast(theme.on_accent, theme.accent) >= TEXT_CONTRAST
    assert contrast(theme.accent_ink, theme.accent_soft) >= TEXT_CONTRAST
    for shades in (*theme.hues, *theme.tones.values(), theme.added, theme.removed):
        for ground in (theme.window, theme.surface, shades.soft):
            assert contrast(shades.ink, ground) >= TEXT_CONTRAST
        for ground in (theme.window, theme.surface):
            assert contrast(shades.line, ground) >= LINE_CONTRAST


def test_the_first_six_cards_have_six_colours(qapp) -> None:
    for theme in themes(qapp).values():
        assert len({shades.line.name() for shades in theme.hues[:6]}) == 6


def test_words_on_notices_are_readable(qapp) -> None:
    for theme in themes(qapp).values():
        for shades in theme.tones.values():
            assert contrast(theme.text, shades.soft) >= TEXT_CONTRAST


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.48, abs=0.01)

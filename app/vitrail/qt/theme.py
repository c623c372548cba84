# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours and distances, derived from the platform's palette and font, for light and dark.

Kept in one place so that contrast can be computed and tested: whatever is read as text stands at 4.5:1 or better on
the surface it is drawn on, whatever is a line or a border that carries meaning at 3:1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

TEXT_CONTRAST = 4.5
LINE_CONTRAST = 3.0

GAP = 8
"""The unit of distance, in device-independent pixels; everything is 1/2, 1, 2, 3 or 4 of it."""
PAGE_MARGIN = 28
RADIUS = 10
"""Of panes and cards; buttons and pills are smaller."""

KEYBOARD_REASONS = frozenset(
    {
        Qt.FocusReason.TabFocusReason,
        Qt.FocusReason.BacktabFocusReason,
        Qt.FocusReason.ShortcutFocusReason,
    }
)
"""Ways to get the focus that call for a visible ring."""

_HUES = (188, 217, 36, 258, 338, 152, 14, 292, 62, 204)
"""Degrees on the colour wheel, neighbours far apart, so that the first six cards cannot be confused."""


class Tone(Enum):
    """What a status means; each has a colour and a mark, and always stands beside a word."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"
    INFO = "info"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Shades:
    """One colour in its uses: `soft` behind text, `line` for borders and curves, `ink` for text and marks."""

    soft: QColor
    line: QColor
    ink: QColor


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour of the desktop for one palette."""

    dark: bool
    window: QColor
    surface: QColor
    sunken: QColor
    hairline: QColor
    text: QColor
    muted: QColor
    accent: QColor
    on_accent: QColor
    accent_soft: QColor
    accent_ink: QColor
    added: Shades
    removed: Shades
    tones: dict[Tone, Shades]
    hues: tuple[Shades, ...]

    def hue(self, index: int) -> Shades:
        """The identity colour of the card with this index; past the last they come round again."""
        return self.hues[index % len(self.hues)]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What every other colour is made to stand out from."""

    window: QColor
    surface: QColor
    text: QColor
    dark: bool


def luminance(color: QColor) -> float:
    """Relative luminance as WCAG 2 defines it, 0 to 1."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - WCAG's constants

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def contrast(one: QColor, other: QColor) -> float:
    """The contrast ratio of two opaque colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mix(one: QColor, other: QColor, part: float) -> QColor:
    """`one` with `part` (0 to 1) of `other` in it."""
    keep = 1 - part
    return QColor.fromRgbF(
        one.redF() * keep + other.redF() * part,
        one.greenF() * keep + other.greenF() * part,
        one.blueF() * keep + other.blueF() * part,
    )


def readable(color: QColor, *grounds: QColor, ratio: float = TEXT_CONTRAST) -> QColor:
    """`color`, moved towards black or white no further than needed to reach `ratio` on every ground."""
    darkest = min(luminance(ground) for ground in grounds)
    # Black and white stand equally far from a ground of this luminance.
    pole = QColor("black") if darkest > 0.18 else QColor("white")  # noqa: PLR2004
    for step in range(51):
        tried = mix(color, pole, step / 50)
        if all(contrast(tried, ground) >= ratio for ground in grounds):
            return tried
    return pole


def theme_of(palette: QPalette) -> Theme:
    """The theme of this palette; computed once for the four colours that it rests on."""
    return _derive(*(palette.color(QPalette.ColorGroup.Active, role).rgb() for role in _ROLES))


_ROLES = (
    QPalette.ColorRole.Window,
    QPalette.ColorRole.Base,
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Highlight,
)


@lru_cache(maxsize=8)
def _derive(window_rgb: int, surface_rgb: int, words_rgb: int, highlight_rgb: int) -> Theme:
    window, surface = QColor.fromRgb(window_rgb), QColor.fromRgb(surface_rgb)
    text = readable(QColor.fromRgb(words_rgb), window, surface, ratio=7)
    dark = luminance(window) < luminance(text)
    accent = readable(QColor.fromRgb(highlight_rgb), QColor("white"))
    accent_soft = mix(surface, accent, 0.22 if dark else 0.10)
    sunken = mix(window, text, 0.05)
    grounds = Grounds(window, surface, text, dark)
    return Theme(
        dark=dark,
        window=window,
        surface=surface,
        sunken=sunken,
        hairline=mix(surface, text, 0.20 if dark else 0.14),
        text=text,
        muted=readable(mix(text, window, 0.32), window, surface, sunken, ratio=5),
        accent=accent,
        on_accent=QColor("white"),
        accent_soft=accent_soft,
        accent_ink=readable(accent, surface, window, accent_soft),
        added=_shades(150, 0.55, grounds),
        removed=_shades(350, 0.65, grounds),
        tones=_tones(grounds),
        hues=tuple(_shades(hue, 0.62, grounds) for hue in _HUES),
    )


def _shades(hue: int, saturation: float, grounds: Grounds) -> Shades:
    window, surface, text, dark = grounds.window, grounds.surface, grounds.text, grounds.dark
    pure = QColor.fromHslF(hue / 360, saturation, 0.62 if dark else 0.46)
    bright = QColor.fromHslF(hue / 360, saturation, 0.58 if dark else 0.62)
    parts = (0.24 if dark else 0.17, 0.12, 0.07, 0.0)
    softs = [mix(surface, pure, part) for part in parts]
    soft = next((tried for tried in softs if contrast(text, tried) >= TEXT_CONTRAST), surface)
    return Shades(
        soft=soft,
        line=readable(bright, surface, window, ratio=LINE_CONTRAST),
        ink=readable(pure, surface, window, soft),
    )


def _tones(grounds: Grounds) -> dict[Tone, Shades]:
    window, surface, text = grounds.window, grounds.surface, grounds.text
    grey = mix(text, window, 0.4)
    plain = Shades(
        soft=mix(surface, text, 0.07),
        line=readable(grey, surface, window, ratio=LINE_CONTRAST),
        ink=readable(grey, surface, window, mix(surface, text, 0.07), ratio=5),
    )
    return {
        Tone.GOOD: _shades(156, 0.70, grounds),
        Tone.WARN: _shades(36, 0.85, grounds),
        Tone.BAD: _shades(345, 0.70, grounds),
        Tone.INFO: _shades(215, 0.70, grounds),
        Tone.UNKNOWN: plain,
        Tone.PLAIN: plain,
    }

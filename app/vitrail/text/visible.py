# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted words made harmless for a screen: one rule, for every room that shows a name or a tool's output.

Kept apart from the catalogue because a diff or an evidence value is shown word for word without any message.
"""

from __future__ import annotations

MAX_SHOWN = 400
"""A name or a message longer than this says nothing more; the middle is left out, both ends stay."""

_PLAIN_SPACES = "\u00a0\u2007\u202f"


def visible(words: str, limit: int = MAX_SHOWN) -> str:
    """The words on one line, control, bidi and other unseen characters spelled `⟨U+202E⟩`, at most `limit` long."""
    if len(words) > limit:
        half = (limit - 1) // 2
        words = f"{words[:half]}…{words[-half:]}"
    if words.isprintable():
        return words
    return "".join(_shown(char) for char in words)


def visible_lines(words: str) -> str:
    """The same for text that is made of lines, such as a diff: line ends and tabs stay, nothing is left out."""
    return "\n".join(
        line if line.isprintable() else "".join(char if char == "\t" else _shown(char) for char in line)
        for line in words.replace("\r\n", "\n").split("\n")
    )


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    if char in _PLAIN_SPACES:
        return " "
    return f"⟨U+{ord(char):04X}⟩"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what a file says, or why it would not say it, into a `Reading`.

Separate because every reader meets the same failures (missing, forbidden, broken, garbled), and each must be told to
the user in the same words with the same next step.
"""

from __future__ import annotations

from collections.abc import Iterable
from errno import EACCES, EFBIG, EISDIR, ELOOP, ENOENT, ENOTDIR, EPERM, EXDEV

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.source.root import Root

_MISSING = frozenset({ENOENT, ENOTDIR})
_FORBIDDEN = frozenset({EACCES, EPERM})
_MISSHAPEN = frozenset({EFBIG, EISDIR, ELOOP, EXDEV})


def is_missing(error: OSError) -> bool:
    """Whether the path leads to nothing, as opposed to something that would not answer."""
    return error.errno in _MISSING


def unread(root: Root, path: str, error: OSError) -> Unknown:
    """Why this path could not be read, with what would change it."""
    shown = shown_path(path)
    if error.errno in _MISSING:
        return Unknown(text("probe.missing" if root.live else "probe.not-recorded", path=shown))
    if error.errno in _FORBIDDEN:
        return Unknown(text("probe.forbidden", path=shown))
    if error.errno in _MISSHAPEN and not root.live:
        return Unknown(text("probe.misshapen", path=shown))
    return Unknown(text("probe.failed", path=shown, error=error.strerror or type(error).__name__))


def garbled(path: str, words: str) -> Unknown:
    """The path was read and says something that nobody expects there."""
    return Unknown(text("probe.garbled", path=shown_path(path), words=words[:80]))


def shown_path(path: str) -> str:
    """A path of the root as people know it."""
    return clean(f"/{path}")


def clean(name: str) -> str:
    """A file's name with bytes that are no UTF-8 replaced, so that it can be shown, stored and sent."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_words(root: Root, path: str) -> Reading[str]:
    """A file's text."""
    try:
        return Known(root.read(path), shown_path(path))
    except OSError as error:
        return unread(root, path, error)


def read_count(root: Root, path: str) -> Reading[int]:
    """A file that holds one number that is not negative."""
    words = read_words(root, path)
    if isinstance(words, Unknown):
        return words
    if not (words.value.isascii() and words.value.isdigit() and len(words.value) < 20):  # noqa: PLR2004 - 64 bits
        return garbled(path, words.value)
    return Known(int(words.value), words.source)


def presence(root: Root, *paths: str) -> bool | None:
    """Whether one of these exists; None where none was seen and one could not be looked at."""
    hidden = False
    for path in paths:
        try:
            root.resolve(path)
        except OSError as error:
            hidden = hidden or not is_missing(error)
        else:
            return True
    return None if hidden else False


def first_unknown(readings: Iterable[Reading[int]]) -> Unknown | None:
    """The first of these that was not read."""
    return next((reading for reading in readings if isinstance(reading, Unknown)), None)

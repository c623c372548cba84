# SPDX-License-Identifier: GPL-3.0-or-later
"""Words and marked blocks inside files that are the user's: put in, and taken out again after others edited on.

Nothing here replaces a line of the user's. Words go to the end of one line, blocks to the end of the file between two
marks. What cannot be told apart from someone else's work stays: taking out then gives None.
"""

from __future__ import annotations

import re
from collections.abc import Callable

BEGIN = "# >>> Vitrail: do not edit; take it back with: vitrail undo"
END = "# <<< Vitrail"

_BLOCK = re.compile(rf"^{re.escape(BEGIN)}\n(.*?)^{re.escape(END)}\n", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"^# (>>>|<<<) Vitrail", re.MULTILINE)
_OPTIONS = re.compile(r"[ \t]*options[ \t]+(?=\S)")
_REFIND = re.compile(r'[ \t]*"(?:[^"]|"")*"[ \t]+"((?:[^"]|"")*)"[ \t\r]*')


class Unrenderable(ValueError):
    """The file that is there is not one that this change can be put into."""


Place = Callable[[str], tuple[int, int] | None]
"""Where in a line's text the words stand that count, None where the line has none."""


def whole_line(line: str) -> tuple[int, int] | None:
    """Words of a file that is nothing but a command line; comments and empty lines are skipped."""
    bare = line.strip()
    return (0, len(line.rstrip())) if bare and not bare.startswith("#") else None


def entry_options(line: str) -> tuple[int, int] | None:
    """Words of a loader entry's `options` line."""
    match = _OPTIONS.match(line)
    return (match.end(), len(line.rstrip())) if match else None


def refind_options(line: str) -> tuple[int, int] | None:
    """Words in the second pair of quotes of a line of refind_linux.conf."""
    match = _REFIND.fullmatch(line)
    return match.span(1) if match else None


def _all_words(text: str, place: Place) -> list[str]:
    spans = [(line, place(line)) for line in text.split("\n")]
    return [word for line, span in spans if span is not None for word in line[span[0] : span[1]].split()]


def add_words(text: str, words: tuple[str, ...], place: Place, *, last: bool) -> str:
    """The text with those words that it lacks at the end of its last (or first) line of words."""
    lines = text.split("\n")
    found = [(number, span) for number, line in enumerate(lines) if (span := place(line)) is not None]
    if not found:
        raise Unrenderable("no-line")
    number, (start, end) = found[-1 if last else 0]
    present = _all_words(text, place) if last else lines[number][start:end].split()
    missing = [word for word in words if word not in present]
    if missing:
        line = lines[number]
        lines[number] = f"{line[:end]}{' ' if line[start:end].strip() else ''}{' '.join(missing)}{line[end:]}"
    return "\n".join(lines)


def take_words_out(before: str, current: str, words: tuple[str, ...], place: Place) -> str:
    """The text without those words that were not there before; each goes once, where it stands last."""
    former = _all_words(before, place)
    lines = current.split("\n")
    for word in words:
        if word in former:
            continue
        for number in reversed(range(len(lines))):
            shorter = _without(lines[number], word, place)
            if shorter is not None:
                lines[number] = shorter
                break
    return "\n".join(lines)


def _without(line: str, word: str, place: Place) -> str | None:
    span = place(line)
    if span is None:
        return None
    part = line[span[0] : span[1]]
    matches = list(re.finditer(rf"(?:(?<=\s)|^){re.escape(word)}(?=\s|$)", part))
    if not matches:
        return None
    start, end = matches[-1].span()
    if part[:start].strip():
        start = len(part[:start].rstrip())
    elif part[end:]:
        end = len(part) - len(part[end:].lstrip())
    return line[: span[0]] + part[:start] + part[end:] + line[span[1] :]


def block_of(text: str) -> str | None:
    """What stands between our marks, None where there are none. Raises Unrenderable where they are not one pair."""
    blocks = _BLOCK.findall(text)
    if len(_MARK.findall(text)) != 2 * len(blocks) or len(blocks) > 1:
        raise Unrenderable("marks")
    return str(blocks[0]) if blocks else None


def without_block(text: str) -> str:
    """The text without our marks and what stands between them."""
    return _BLOCK.sub("", text)


def put_block(text: str, content: str) -> str:
    """The text with this content between our marks, at its end or where the marks are already."""
    block = f"{BEGIN}\n{content}{END}\n"
    if block_of(text) is not None:
        return _BLOCK.sub(lambda _: block, text)
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{block}"


def take_block_out(before: str, after: str, current: str) -> str | None:
    """The current text with our block as it was before; None where someone edited inside the block."""
    try:
        now, ours, former = block_of(current), block_of(after), block_of(before)
    except Unrenderable:
        return None
    if now is None:
        return current
    if now != ours:
        return None
    return without_block(current) if former is None else put_block(current, former)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text on a terminal: headings, paragraphs, aligned tables, marks. Nothing untrusted passes unseen.

Words come as `Text`, data as plain strings; both are made harmless here, so no command can forget it. Colour only adds
to a mark and its word, and only where a terminal asked for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from shutil import get_terminal_size

from vitrail.cli.outlet import STDOUT, Outlet
from vitrail.model.errors import VitrailError
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.text.speaker import Speaker
from vitrail.text.visible import visible, visible_lines

_NARROWEST = 40
_WIDEST = 120
_GAP = "  "
_LONGEST_CELL = 4000
_MOST_SEEN = 6

Cell = str | int | Text | None
Words = Cell | Known[str] | Known[str | None] | Known[int] | Known[int | None] | Known[bool] | Unknown

_BOLD, _RED, _YELLOW, _GREEN, _DIM = "1", "31", "33", "32", "2"


class Page:
    """One stream with its language, width and colours."""

    def __init__(self, speaker: Speaker, outlet: Outlet = STDOUT) -> None:
        self.say = speaker.say
        self._outlet = outlet
        terminal = outlet.is_terminal
        self.width = max(_NARROWEST, min(_WIDEST, get_terminal_size((100, 24)).columns)) if terminal else 100
        self._colours = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def write(self, line: str = "") -> None:
        """One line as it is; callers pass only what `words` has made harmless."""
        self._outlet.put(line + "\n")

    def words(self, item: Words) -> str:
        """A cell's content in the user's language, on one line."""
        match item:
            case Known(value=value):
                return self.words(value)
            case Unknown(reason=reason):
                return self.say(text("cli.unknown", reason=reason))
            case Text():
                return self.say(item)
            case None:
                return "-"
            case bool():
                return self.say(text("cli.yes") if item else text("cli.no"))
        return visible(str(item), _LONGEST_CELL)

    def heading(self, title: Text) -> None:
        """A title with an empty line before it."""
        self.write()
        for line in _broken(self.say(title), self.width):
            self.write(self._colour(line, _BOLD))

    def paragraph(self, words: Text, indent: int = 0) -> None:
        """A sentence, wrapped."""
        self.entry("", words, indent)

    def entry(self, label: str, item: Words, indent: int = 0) -> None:
        """A label and what belongs to it, wrapped with a hanging indent."""
        first = " " * indent + label
        for line in self._wrapped(first, self.words(item), len(first) if label else indent):
            self.write(line)

    def facts(self, rows: list[tuple[Text, Words]], indent: int = 2) -> None:
        """Labels on the left, what was seen on the right; what is unknown for one reason is said together, below."""
        unread: dict[Text, list[str]] = {}
        said = []
        for label, item in rows:
            if isinstance(item, Unknown):
                unread.setdefault(item.reason, []).append(self.say(label))
            else:
                said.append((self.say(label), item))
        wide = max((_columns(words) for words, _ in said), default=0)
        for words, item in said:
            self.entry(_padded(words, wide) + _GAP, item, indent)
        for reason, labels in unread.items():
            self.entry("? ", text("cli.unknown-facts", labels="; ".join(labels), reason=reason), indent)

    def table(self, heads: tuple[Text, ...], rows: list[tuple[Words, ...]], indent: int = 2) -> None:
        """Aligned columns; the last one wraps."""
        cells = [[self.say(head) for head in heads], *([self.words(item) for item in row] for row in rows)]
        wide = [max(_columns(row[column]) for row in cells) for column in range(len(heads) - 1)]
        for number, row in enumerate(cells):
            first = " " * indent + "".join(
                _padded(cell, size) + _GAP for cell, size in zip(row[:-1], wide, strict=True)
            )
            for line in self._wrapped(first, row[-1], _columns(first)):
                self.write(self._colour(line, _DIM) if number == 0 else line)

    def diff(self, words: str) -> None:
        """A unified diff; only its first column gets a colour."""
        for line in visible_lines(words.rstrip("\n")).split("\n"):
            colour = {"+": _GREEN, "-": _RED, "@": _DIM}.get(line[:1], "")
            self.write(self._colour(line, colour) if colour else line)

    def finding(self, finding: Finding, indent: int = 2) -> None:
        """A mark, a word, the sentence; below it what would change it, then what it rests on."""
        mark, word, colour = _mark(finding)
        label = self._colour(f"{mark} {self.say(word)}", colour) + _GAP
        shown = len(mark) + 1 + _columns(self.say(word)) + len(_GAP)
        for line in self._wrapped(" " * indent + label, self.say(finding.title), indent + shown, indent + shown):
            self.write(line)
        if finding.status is not Status.PASS:
            if finding.remedy is not None:
                self.entry("", text("cli.remedy", remedy=finding.remedy), indent + 2)
            if finding.by_hand:
                self._by_hand(finding, indent + 2)
                return
            for seen in finding.evidence[:_MOST_SEEN]:
                nothing = seen.value in ("", "-")
                found = text("cli.evidence.nothing") if nothing else seen.value
                self.entry("", text("cli.evidence", source=seen.source, value=found), indent + 2)
            if len(finding.evidence) > _MOST_SEEN:
                self.entry("", text("cli.evidence.more", count=len(finding.evidence) - _MOST_SEEN), indent + 2)

    def _by_hand(self, finding: Finding, indent: int) -> None:
        """Whole lines without an indent, however wide: they are copied."""
        for heading, lines in finding.by_hand:
            self.entry("", heading, indent)
            for line in lines:
                self.write(visible_lines(line))

    def findings(self, findings: Iterable[Finding], indent: int = 2) -> None:
        """Findings in their order; those that say the same of several cards are said once, with all their evidence."""
        same: dict[tuple[Text, Status, Severity, Text | None], Finding] = {}
        for finding in findings:
            key = (finding.title, finding.status, finding.severity, finding.remedy)
            before = same.get(key)
            evidence = before.evidence + finding.evidence if before else finding.evidence
            same[key] = replace(finding, evidence=tuple(dict.fromkeys(evidence)))
        for finding in same.values():
            self.finding(finding, indent)

    def failure(self, error: VitrailError) -> None:
        """What happened, what it rests on, the next things to do."""
        self.paragraph(text("cli.failed", what=error.what))
        self.findings(finding for finding in error.findings if finding.status is not Status.PASS)
        for step in error.next_steps:
            self.entry("→ ", step, 2)

    def _wrapped(self, first: str, words: str, hang: int, used: int | None = None) -> list[str]:
        room = max(20, self.width - hang)
        lines = _broken(words, room if used is None else max(20, self.width - used)) or [""]
        return [(first + lines[0]).rstrip(), *(" " * hang + line for line in lines[1:])]

    def _colour(self, words: str, code: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self._colours and code else words


def _mark(finding: Finding) -> tuple[str, Text, str]:
    match finding.status, finding.severity:
        case Status.PASS, _:
            return "✓", text("cli.mark.pass"), _GREEN
        case Status.UNKNOWN, _:
            return "?", text("cli.mark.unknown"), _YELLOW
        case _, Severity.BLOCKS:
            return "✗", text("cli.mark.blocks"), _RED
        case _, Severity.WARNS:
            return "!", text("cli.mark.warns"), _YELLOW
    return "·", text("cli.mark.info"), ""


def _broken(words: str, room: int) -> list[str]:
    lines, line = [], ""
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if line and _columns(longer) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def _padded(words: str, size: int) -> str:
    return words + " " * (size - _columns(words))


def _columns(words: str) -> int:
    """How many columns a terminal takes for this."""
    if words.isascii():
        return len(words)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - a library to load, rarely needed

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in words)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How a document is laid out: line ends, indentation, quotes; so that what is new looks like what is there."""

from __future__ import annotations

import re

from vitrail.xmldoc.document import Path
from vitrail.xmldoc.spans import Span

_INDENT = re.compile(r"[ \t]*")
_REST_OF_LINE = re.compile(r"(?:[ \t]|<!--(?:(?!-->)[^\r\n])*-->)*(?:\r?\n|\Z)")
_BLANK_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")


class Layout:
    """The layout of one text, asked for while its edits are placed."""

    def __init__(self, words: str, spans: dict[Path, Span]) -> None:
        self._words = words
        self._spans = spans
        first_line_end = words.find("\n")
        self.newline = (
            "" if first_line_end < 0 else "\r\n" if words[first_line_end - 1 : first_line_end] == "\r" else "\n"
        )
        self.quote = '"' if words.count('="') > words.count("='") else "'"
        self.unit = self._unit()

    def _unit(self) -> str:
        root, child = self._indent(()), self._indent((0,))
        if root is None or child is None or not child.startswith(root) or child == root:
            return "  "
        return child[len(root) :]

    def _indent(self, path: Path) -> str | None:
        """The blanks before an element that begins its line, None where it does not."""
        span = self._spans.get(path)
        if span is None:
            return None
        line = self._words.rfind("\n", 0, span.start) + 1
        match = _INDENT.match(self._words, line)
        return match[0] if match and match.end() == span.start else None

    def child_indent(self, parent: Path) -> str:
        """The blanks before a child of `parent`."""
        index = 0
        while (*parent, index) in self._spans:
            indent = self._indent((*parent, index))
            if indent is not None:
                return indent
            index += 1
        return (self._indent(parent) or "") + self.unit

    def lines_of(self, span: Span) -> tuple[int, int]:
        """The stretch to cut for an element: its whole lines where nothing else stands on them, else itself."""
        line = self._words.rfind("\n", 0, span.start) + 1
        rest = _BLANK_REST_OF_LINE.match(self._words, span.end)
        if rest is None or self._words[line : span.start].strip():
            return span.start, span.end
        return line, rest.end()

    def place(self, parent: Path, before: Path | None) -> tuple[int, str, str]:
        """Where a new child goes behind `before` (None: first), and what to write before and after it."""
        span = self._spans[parent]
        start = span.inner if before is None else self._spans[before].end
        known = self._indent(parent if before is None else before)
        if not self.newline or known is None:
            return start, "", ""
        indent = self.child_indent(parent) if before is None else known
        rest = _REST_OF_LINE.match(self._words, start)
        if rest is not None and rest.end() <= span.inner_end:
            return rest.end(), indent, self.newline
        last = not self._words[start : span.inner_end].strip()
        tail = self.newline + (self._indent(parent) or "") if last and rest is None else ""
        return start, self.newline + indent, tail

    def inside_empty(self, parent: Path, written: list[str]) -> str:
        """The content of an element that was written `<a/>` until now."""
        if not self.newline or self._indent(parent) is None:
            return "".join(written)
        indent = self.child_indent(parent)
        lines = "".join(f"{self.newline}{indent}{one}" for one in written)
        return f"{lines}{self.newline}{self._indent(parent)}"

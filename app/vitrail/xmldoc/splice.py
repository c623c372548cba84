# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out edits by splicing the text, so that everything an edit does not name stays byte for byte.

Each edit becomes a replacement of one stretch of the original text; comments, quotes, attribute order, line ends and
prolog survive because nothing writes them again. The result is parsed once more before anyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vitrail.xmldoc.document import Path, at, parse
from vitrail.xmldoc.edits import Edit, Element, Insert, Remove, SetAttribute, Verbatim
from vitrail.xmldoc.layout import Layout
from vitrail.xmldoc.spans import Span, locate

_ATTRIBUTE = re.compile(r"""\s+(?P<name>[^\s=/>]+)\s*=\s*(?P<value>"[^"]*"|'[^']*')""")
_TAG_NAME = re.compile(r"<[^\s/>]+")
_IN_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_IN_ATTRIBUTES = {**_IN_TEXT, ord("\n"): "&#10;", ord("\r"): "&#13;", ord("\t"): "&#9;"}


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    new: str


def edit(words: str, edits: Sequence[Edit]) -> str:
    """The document with these edits. Without any, the very same string."""
    if not edits:
        return words
    return _Edited(words, tuple(edits)).text()


class _Edited:
    """One document while its edits are turned into splices."""

    def __init__(self, words: str, edits: tuple[Edit, ...]) -> None:
        self._words = words
        self._root = parse(words)
        self._spans = locate(words, self._root)
        self._layout = Layout(words, self._spans)
        self._removed = {edit.path for edit in edits if isinstance(edit, Remove)}
        self._edits = tuple(edit for edit in edits if not self._inside_removed(edit))

    def _inside_removed(self, one: Edit) -> bool:
        """Whether a removal of something around it makes this edit moot."""
        path = one.parent if isinstance(one, Insert) else one.path
        upto = len(path) if isinstance(one, Remove) else len(path) + 1
        return any(path[:length] in self._removed for length in range(upto))

    def text(self) -> str:
        inserts: dict[Path, list[Insert]] = {}
        attributes: dict[Path, list[SetAttribute]] = {}
        removes: dict[Path, list[Path]] = {}
        for one in self._edits:
            match one:
                case Insert():
                    inserts.setdefault(one.parent, []).append(one)
                case SetAttribute():
                    attributes.setdefault(one.path, []).append(one)
                case Remove():
                    removes.setdefault(one.path[:-1], []).append(one.path)
        splices = [splice for path, wanted in attributes.items() for splice in self._set_attributes(path, wanted)]
        for parent, paths in removes.items():
            splices += self._remove(parent, paths, filled=parent in inserts)
        for parent, wanted in inserts.items():
            splices += self._insert(parent, wanted)
        result = self._joined(splices)
        parse(result)
        return result

    def _joined(self, splices: list[_Splice]) -> str:
        parts: list[str] = []
        position = 0
        for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
            if splice.start < position:
                raise ValueError("edits overlap")
            parts += (self._words[position : splice.start], splice.new)
            position = splice.end
        return "".join((*parts, self._words[position:]))

    def _set_attributes(self, path: Path, wanted: list[SetAttribute]) -> list[_Splice]:
        span = self._spans[path]
        head_end = span.inner
        name_match = _TAG_NAME.match(self._words, span.start)
        position = name_match.end() if name_match else span.start
        there: dict[str, re.Match[str]] = {}
        while (match := _ATTRIBUTE.match(self._words, position)) and match.end() <= head_end:
            there[match["name"]] = match
            position = match.end()
        splices: list[_Splice] = []
        added = ""
        for one in wanted:
            old = there.get(one.name)
            if one.value is None:
                if old:
                    splices.append(_Splice(old.start(), old.end(), ""))
            elif old:
                quote = old["value"][0]
                splices.append(_Splice(*old.span("value"), _quoted(one.value, quote)))
            else:
                added += f" {one.name}={_quoted(one.value, self._layout.quote)}"
        if added:
            splices.append(_Splice(position, position, added))
        return splices

    def _remove(self, parent: Path, paths: list[Path], *, filled: bool) -> list[_Splice]:
        stretches = [self._layout.lines_of(self._spans[path]) for path in paths]
        span = self._spans[parent]
        left = self._joined_inner(span, stretches)
        if not filled and not left.strip() and len(paths) == len(at(self._root, parent).children):
            return [_Splice(span.inner - 1, span.end, "/>")]
        return [_Splice(start, end, "") for start, end in stretches]

    def _joined_inner(self, span: Span, stretches: list[tuple[int, int]]) -> str:
        parts: list[str] = []
        position = span.inner
        for start, end in sorted(stretches):
            parts.append(self._words[position:start])
            position = max(position, end)
        return "".join((*parts, self._words[position : span.inner_end]))

    def _insert(self, parent: Path, wanted: list[Insert]) -> list[_Splice]:
        span = self._spans[parent]
        if span.closed_by_itself:
            name = _TAG_NAME.match(self._words, span.start)
            inner = self._layout.inside_empty(parent, [self._written(one, parent) for one in wanted])
            tail = f">{inner}</{name[0][1:] if name else ''}>"
            return [_Splice(span.end - 2, span.end, tail)]
        splices = []
        for one in wanted:
            before = None if one.after is None else (*parent, one.after)
            place, head, tail = self._layout.place(parent, before)
            if isinstance(one.new, Verbatim) and self._words.startswith(one.new.lead, place):
                place += len(one.new.lead)
            splices.append(_Splice(place, place, head + self._written(one, parent) + tail))
        return splices

    def _written(self, one: Insert, parent: Path) -> str:
        if isinstance(one.new, Verbatim):
            return one.new.source
        return _serialised(one.new, self._layout, self._layout.child_indent(parent))


def _quoted(value: str, quote: str) -> str:
    ours = {**_IN_ATTRIBUTES, ord(quote): "&apos;" if quote == "'" else "&quot;"}
    return quote + value.translate(ours) + quote


def _serialised(new: Element, layout: Layout, indent: str) -> str:
    head = "<" + new.tag + "".join(f" {name}={_quoted(value, layout.quote)}" for name, value in new.attributes)
    if not new.children:
        return f"{head}>{new.text.translate(_IN_TEXT)}</{new.tag}>" if new.text else f"{head}/>"
    below = indent + layout.unit
    start = layout.newline + below if layout.newline else ""
    stop = layout.newline + indent if layout.newline else ""
    inner = "".join(start + _serialised(child, layout, below) for child in new.children)
    return f"{head}>{inner}{stop}</{new.tag}>"

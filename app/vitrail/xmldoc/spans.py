# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each element of a well-formed document stands in its text.

Apart from the tree, because only edits need it: reading a thousand domains does not pay for it. The parser has
accepted the text before, so a `<` can only begin a comment, a CDATA section, an instruction or a tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vitrail.xmldoc.document import Node, Path

_MARKUP = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?P<closing>/)?(?P<name>[^\s/>]+)(?:"[^"]*"|'[^']*'|[^"'>])*>""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Span:
    """`start` to `end` is the element, `inner` to `inner_end` what is between its tags (equal where it is `<a/>`)."""

    start: int
    inner: int
    inner_end: int
    end: int

    @property
    def closed_by_itself(self) -> bool:
        """Whether it is written `<a/>`."""
        return self.inner == self.end


def locate(words: str, root: Node) -> dict[Path, Span]:
    """The span of every element by its path."""
    open_tags: list[tuple[Path, int, int]] = []
    next_child = [0]
    found: dict[Path, Span] = {}
    for match in _MARKUP.finditer(words):
        if match["name"] is None:
            continue
        if match["closing"]:
            path, start, inner = open_tags.pop()
            next_child.pop()
            found[path] = Span(start, inner, match.start(), match.end())
            continue
        path = (*open_tags[-1][0], next_child[-1]) if open_tags else root.path
        next_child[-1] += 1
        if match[0].endswith("/>"):
            found[path] = Span(match.start(), match.end(), match.end(), match.end())
        else:
            open_tags.append((path, match.start(), match.end()))
            next_child.append(0)
    return found

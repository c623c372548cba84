# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirt document as a frozen tree. The one place that parses XML, and so the one that refuses hostile XML.

Names carry their namespace by URI (`{uri}local`), never by prefix. A node knows its path (child indices from the
root), which is how edits name it; comments are no nodes, since edits splice the text and never touch them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from lxml import etree

from vitrail.model.errors import Unreadable
from vitrail.model.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 1024 * 1024
"""Far above any real domain; what is larger is refused before it is parsed."""

QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"

Path = tuple[int, ...]
Wanted = Mapping[str, "Wanted | None"]
"""Names of children, each with those that are wanted of it; None for all."""

# The text is decoded already, so whatever encoding its declaration names is history.
_PARSER = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
_LINE = re.compile(r", line \d+, column \d+$")
_PROLOG = re.compile(r"\ufeff?(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


class Node(NamedTuple):
    """One element; `text` is its own text, blanks at both ends stripped.

    A named tuple because a thousand domains have many thousand elements, and no other immutable object is made as fast.
    """

    tag: str
    attributes: tuple[tuple[str, str], ...]
    text: str
    children: tuple[Node, ...]
    path: Path

    def get(self, name: str) -> str | None:
        """The value of an attribute, None where it is not there."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def all(self, *tags: str) -> tuple[Node, ...]:
        """Every element that this chain of child names leads to, in document order."""
        found: list[Node] = [self]
        for tag in tags:
            found = [child for node in found for child in node.children if child.tag == tag]
        return tuple(found)

    def find(self, *tags: str) -> Node | None:
        """The first element that this chain of child names leads to."""
        found = self.all(*tags)
        return found[0] if found else None

    def value(self, *tags: str) -> str:
        """The text of the first such element, empty where there is none."""
        node = self.find(*tags)
        return "" if node is None else node.text


def _refuse_doctype(words: str) -> None:
    prolog = _PROLOG.match(words)
    start = prolog.end() if prolog else 0
    if words.startswith("<!DOCTYPE", start):
        line = words.count("\n", 0, start) + 1
        column = start - words.rfind("\n", 0, start)
        raise Unreadable(text("xmldoc.doctype", line=line, column=column), text("xmldoc.doctype.next"))


def parse(words: str, only: Wanted | None = None) -> Node:
    """The tree of a document. Raises Unreadable for anything but one plain, well-formed document.

    `only`: what of the root is wanted; the rest is checked to be well-formed and left out.
    """
    try:
        data = words.removeprefix("\ufeff").encode()
    except UnicodeEncodeError as error:
        raise Unreadable(text("xmldoc.encoding"), text("xmldoc.encoding.next")) from error
    if len(data) > MAX_BYTES:
        raise Unreadable(text("xmldoc.too-large", limit_kib=MAX_BYTES // 1024))
    _refuse_doctype(words)
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = _LINE.sub("", (error.msg or "").strip()).strip()
        raise Unreadable(
            text("xmldoc.malformed", line=line or 1, column=column or 1, reason=reason), text("xmldoc.malformed.next")
        ) from error
    return _node(root, (), only)


def _node(element: etree._Element, path: Path, only: Wanted | None) -> Node:
    own = element.text or ""
    children: list[Node] = []
    place = 0
    for child in element:
        own += child.tail or ""
        tag = child.tag
        # Comments and processing instructions have a function for a tag.
        if not isinstance(tag, str):
            continue
        if only is None or tag in only:
            children.append(_node(child, (*path, place), None if only is None else only[tag]))
        place += 1
    attributes = cast("Iterable[tuple[str, str]]", element.items())
    return Node(element.tag, tuple(attributes), own.strip(), tuple(children), path)


def parse_domain(words: str, only: Wanted | None = None) -> Node:
    """The tree of a domain. Raises Unreadable, with a hint, for libvirt's other documents."""
    root = parse(words, only)
    if root.tag != "domain":
        hint = "xmldoc.not-a-domain.wrapped" if root.find("domain") else "xmldoc.not-a-domain.next"
        raise Unreadable(text("xmldoc.not-a-domain", root=root.tag), text(hint, root=root.tag))
    return root


def walk(node: Node) -> tuple[Node, ...]:
    """A node and everything below it, in document order."""
    return (node, *(below for child in node.children for below in walk(child)))


def at(root: Node, path: Path) -> Node:
    """The node with this path."""
    for index in path:
        root = root.children[index]
    return root

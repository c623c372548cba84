# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a document: a closed union of small edits that name elements by their path.

Paths are those of the document as it was read; all edits of one call are meant against that one state.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.xmldoc.document import Path


@dataclass(frozen=True, slots=True)
class Element:
    """An element to be written."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Element, ...] = ()
    text: str = ""


def element(tag: str, *children: Element, **attributes: str) -> Element:
    """An element with these children and attributes, in the order given."""
    return Element(tag, tuple(attributes.items()), children)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """An element that comes back as it once stood, comments and quotes included.

    `lead` is what stood between it and the child in front (comments, blank lines): where that still stands there, the
    element goes behind it.
    """

    source: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a new child into `parent`, behind its child number `after`, or first where that is None."""

    parent: Path
    after: int | None
    new: Element | Verbatim


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an element out, with its line where it stands alone on one."""

    path: Path


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """Give an attribute a value, or take it away (None)."""

    path: Path
    name: str
    value: str | None


Edit = Insert | Remove | SetAttribute

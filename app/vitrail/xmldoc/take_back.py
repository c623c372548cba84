# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking an edit back from a document that others may have edited on: only what the edit did is undone.

Three documents: `before` and `after` say what the edit did, `current` is what is there now. Equal to `after`: the text
before comes back byte for byte. Else each change is undone where the current document still says what the edit had
said; where it says something else, it is someone else's now and stays, and that is reported.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from vitrail.xmldoc.compare import contains, identity, match, same_value, signature
from vitrail.xmldoc.document import Node, Path, parse, walk
from vitrail.xmldoc.edits import Edit, Insert, Remove, SetAttribute, Verbatim
from vitrail.xmldoc.layout import Layout
from vitrail.xmldoc.spans import locate
from vitrail.xmldoc.splice import edit

# libvirt notes these by itself beside a model; they describe the edit's model, so they go with it.
_FILLED_BESIDE_MODEL = ("device", "ram", "vram", "vram64", "vgamem")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The document without the edit, and the paths of what could not be taken out of it."""

    text: str
    left: tuple[str, ...]


def take_back(before: str, after: str, current: str) -> TakenBack:
    """`current` without what led from `before` to `after`. Raises Unreadable."""
    if current in (after, before):
        return TakenBack(before, ())
    former = _Former(before)
    undo = _Undo(former, parse(current))
    undo.element(former.root, parse(after), undo.current, "")
    return TakenBack(edit(current, (*undo.edits, *undo.returns())), tuple(undo.left))


class _Former:
    """The document before, asked for the words that elements of it were written in."""

    def __init__(self, words: str) -> None:
        self.root = parse(words)
        self._words = words
        self._spans = locate(words, self.root)
        self._layout = Layout(words, self._spans)
        self._addresses = [signature(node) for node in walk(self.root) if node.tag == "address"]

    def source(self, node: Node, taken: Container[object]) -> str:
        """The element as it was written, without a guest address that something else has taken meanwhile."""
        span = self._spans[node.path]
        source = self._words[span.start : span.end]
        address = node.find("address")
        if address is None or self._addresses.count(signature(address)) > 1:
            return source
        if signature(address) not in taken:
            return source
        own = parse(source).find("address")
        return edit(source, (Remove(own.path),)) if own is not None else source

    def lead(self, path: Path, predecessor: int | None, gone: tuple[Path, ...]) -> str:
        """What stood between an element and the sibling in front of it, without siblings that are gone too."""
        parent = path[:-1]
        position = self._layout.place(parent, None if predecessor is None else (*parent, predecessor))[0]
        parts = []
        for start, end in (self._layout.lines_of(self._spans[one]) for one in (*gone, path)):
            parts.append(self._words[position:start])
            position = end
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Place:
    """The last sibling that is still there: its number before and now, and those behind it that are gone."""

    before: int | None = None
    current: int | None = None
    gone: tuple[Path, ...] = ()


@dataclass
class _Undo:
    """The edits that undo, gathered while three trees are walked at once."""

    former: _Former
    current: Node
    edits: list[Edit] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    gone: list[tuple[Path, _Place, Node]] = field(default_factory=list)
    """What comes back: the parent as it is now, the place, the element as it was."""

    def returns(self) -> tuple[Insert, ...]:
        """The edits that put back what the edit had removed; known only when all that goes away is known."""
        going = {one.path for one in self.edits if isinstance(one, Remove)}
        staying = [
            node
            for node in walk(self.current)
            if not any(node.path[:length] in going for length in range(len(node.path) + 1))
        ]
        taken = {signature(node) for node in staying if node.tag == "address"}
        return tuple(
            Insert(
                parent,
                place.current,
                Verbatim(self.former.source(was, taken), self.former.lead(was.path, place.before, place.gone)),
            )
            for parent, place, was in self.gone
        )

    def element(self, before: Node, after: Node, current: Node, path: str) -> None:
        """Undo what happened to one element that all three have."""
        if signature(before) == signature(after):
            return
        if before.text not in (after.text, current.text):
            if current.text == after.text and not (before.children or current.children):
                self.edits.append(Remove(current.path))
                self.gone.append((current.path[:-1], _Place(before.path[-1], current.path[-1]), before))
                return
            self.left.append(path.removesuffix("/") or before.tag)
        self._attributes(before, after, current, path)
        self._children(before, after, current, path)

    def _attributes(self, before: Node, after: Node, current: Node, path: str) -> None:
        names = dict.fromkeys(name for name, _ in (*before.attributes, *after.attributes))
        changed = [name for name in names if not same_value(name, before.get(name), after.get(name))]
        for name in changed:
            was, meant, now = before.get(name), after.get(name), current.get(name)
            if same_value(name, now, was):
                continue
            if meant is None or same_value(name, now, meant):
                self.edits.append(SetAttribute(current.path, name, was))
            else:
                self.left.append(f"{path}@{name}")
        if before.tag == "model" and changed:
            self.edits += [
                SetAttribute(current.path, name, None)
                for name in _FILLED_BESIDE_MODEL
                if name not in names and current.get(name) is not None
            ]

    def _children(self, before: Node, after: Node, current: Node, path: str) -> None:
        now = {one.path: other for one, other in match(after.children, current.children) if one and other}
        matched = {other.path for other in now.values()}
        others = [child for child in current.children if child.path not in matched]
        place = _Place()
        for was, meant in match(before.children, after.children):
            there = now.get(meant.path) if meant is not None else None
            if was is None:
                self._added(meant, there, path)
            elif meant is None:
                place = self._removed(was, others, current, place)
            elif there is not None:
                self.element(was, meant, there, f"{path}{_local(was)}/")
                place = _Place(was.path[-1], there.path[-1])
            elif signature(was) != signature(meant):
                self.left.append(f"{path}{_local(was)}")

    def _added(self, meant: Node | None, there: Node | None, path: str) -> None:
        if meant is None or there is None:
            return
        if contains(there, meant):
            self.edits.append(Remove(there.path))
        else:
            self.left.append(f"{path}{_local(meant)}")

    def _removed(self, was: Node, others: list[Node], current: Node, place: _Place) -> _Place:
        """Put an element back where it stood, unless someone has done so."""
        back = next((one for one in others if identity(one) == identity(was) and contains(one, was)), None)
        if back is not None:
            others.remove(back)
            return _Place(was.path[-1], back.path[-1])
        self.gone.append((current.path, place, was))
        return _Place(place.before, place.current, (*place.gone, was.path))


def _local(node: Node) -> str:
    return node.tag.rpartition("}")[2]

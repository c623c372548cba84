# SPDX-License-Identifier: GPL-3.0-or-later
"""Two documents held against each other by meaning: which element is which, and what a define did not keep.

libvirt adds addresses, aliases and defaults, drops comments, and writes numbers its own way; none of that is a
difference. An element that was meant and is missing, an attribute with another value, or a display or host device that
nobody asked for is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vitrail.xmldoc.devices import number, read_hostdev
from vitrail.xmldoc.document import QEMU, Node, parse
from vitrail.xmldoc.vm import memory_kib

_NUMERIC = {"domain", "bus", "slot", "function", "index", "port", "chassis", "controller", "target", "unit"}
_FILLED_BY_LIBVIRT = ("pc", "q35", "virt")
_WATCHED = ("video", "graphics", "hostdev", "shmem")


def _of(node: Node, tag: str, name: str) -> tuple[str | None, ...]:
    below = node.find(tag)
    return (None if below is None else below.get(name),)


def _host_device(node: Node) -> tuple[str | None, ...]:
    hostdev = read_hostdev(node)
    if hostdev.type in ("pci", "mdev"):
        return (hostdev.type, str(hostdev.pci or hostdev.mdev_uuid or ""))
    source = node.find("source")
    return (hostdev.type, None if source is None else " ".join(_values(source)))


def _values(node: Node) -> list[str]:
    below = [value for child in node.children for value in _values(child)]
    return [*(_canonical_value(name, value) for name, value in node.attributes), node.text, *below]


# What tells two elements of one kind apart, by the names that libvirt itself goes by.
_IDENTITY: dict[str, Callable[[Node], tuple[str | None, ...]]] = {
    "hostdev": _host_device,
    "graphics": lambda node: (node.get("type"),),
    "disk": lambda node: _of(node, "target", "dev"),
    "interface": lambda node: _of(node, "mac", "address"),
    "controller": lambda node: (node.get("type"), node.get("index")),
    "channel": lambda node: (node.get("type"), *_of(node, "target", "name")),
    "shmem": lambda node: (node.get("name"),),
    "input": lambda node: (node.get("type"), node.get("bus")),
    "audio": lambda node: (node.get("id"),),
    "feature": lambda node: (node.get("name"),),
    "timer": lambda node: (node.get("name"),),
    "vcpupin": lambda node: (node.get("vcpu"),),
    "listen": lambda node: (node.get("type"),),
    "boot": lambda node: (node.get("dev"), node.get("order")),
    QEMU + "arg": lambda node: (node.get("value"),),
    QEMU + "env": lambda node: (node.get("name"),),
    QEMU + "property": lambda node: (node.get("name"),),
    QEMU + "device": lambda node: (node.get("alias"),),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was meant; `path` as in `devices/video/model/@type`, `-` where there is nothing."""

    path: str
    meant: str
    seen: str


def same_value(name: str, one: str | None, other: str | None) -> bool:
    """Whether two attribute values mean the same: numbers in any base where the attribute is one."""
    if one == other:
        return True
    if one is None or other is None or name not in _NUMERIC:
        return False
    first, second = number(one), number(other)
    return first is not None and first == second


def _canonical_value(name: str, value: str) -> str:
    as_number = number(value) if name in _NUMERIC else None
    return value if as_number is None else str(as_number)


def signature(node: Node) -> tuple[object, ...]:
    """What makes an element equal to another: name, attributes, own text, children; not comments, not layout."""
    attributes = sorted((name, _canonical_value(name, value)) for name, value in node.attributes)
    return (node.tag, tuple(attributes), node.text, tuple(signature(child) for child in node.children))


def contains(big: Node, small: Node) -> bool:
    """Whether `big` is `small`, perhaps with more in it: what libvirt makes of an element that it was given."""
    if big.tag != small.tag or not _same_text(small, big):
        return False
    if not all(same_value(name, value, big.get(name)) for name, value in small.attributes):
        return False
    left = list(big.children)
    for child in small.children:
        found = next((one for one in left if contains(one, child)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def identity(node: Node) -> tuple[object, ...]:
    """What an element is, whatever it says now; elements that are only counted share it."""
    told = _IDENTITY.get(node.tag)
    return (node.tag, *(told(node) if told else ()))


Pair = tuple[Node | None, Node | None]


def match(ones: Sequence[Node], others: Sequence[Node]) -> tuple[Pair, ...]:
    """Which element of the one is which of the other, in the order of `ones`; what is left of `others` at the end."""
    partner: dict[int, Node] = {}
    taken: set[int] = set()
    rules: tuple[Callable[[Node, Node], bool], ...] = (
        lambda one, other: signature(one) == signature(other),
        lambda one, other: identity(one) == identity(other) and contains(other, one),
        lambda one, other: identity(one) == identity(other),
    )
    for rule in rules:
        for index, one in enumerate(ones):
            if index in partner:
                continue
            for place, other in enumerate(others):
                if place not in taken and one.tag == other.tag and rule(one, other):
                    partner[index] = other
                    taken.add(place)
                    break
    pairs: list[Pair] = [(one, partner.get(index)) for index, one in enumerate(ones)]
    pairs += [(None, other) for place, other in enumerate(others) if place not in taken]
    return tuple(pairs)


def differences(meant: str, seen: str, about: str | None = None) -> tuple[Difference, ...]:
    """What of `meant` is not in `seen`. Raises Unreadable.

    `about` is the text before the edit: with it, only what the edit changed is compared, so that libvirt's ways with
    the rest of a hand-written document are no news.
    """
    before = None if about is None else parse(about)
    return tuple(_differing(parse(meant), parse(seen), before, ""))


def _differing(meant: Node, seen: Node, before: Node | None, path: str) -> list[Difference]:
    if before is not None and signature(before) == signature(meant):
        return []
    found = [
        Difference(f"{path}@{name}", value, seen.get(name) or "-")
        for name, value in meant.attributes
        if (before is None or before.get(name) != value) and not _kept(meant, name, value, seen.get(name))
    ]
    if (before is None or before.text != meant.text) and not _same_text(meant, seen):
        found.append(Difference(path.removesuffix("/") or meant.tag, meant.text, seen.text or "-"))
    earlier = dict(_by_path(match(meant.children, before.children))) if before is not None else {}
    for one, other in match(meant.children, seen.children):
        if one is not None:
            old = earlier.get(one.path)
            place = path + _label(one, meant.children)
            if other is not None:
                found += _differing(one, other, old, f"{place}/")
            elif old is None or signature(old) != signature(one):
                found.append(Difference(place, _brief(one), "-"))
        elif other is not None and other.tag in _WATCHED and path == "devices/":
            found.append(Difference(path + _label(other, seen.children), "-", _brief(other)))
    return found


def _by_path(pairs: tuple[Pair, ...]) -> list[tuple[tuple[int, ...], Node]]:
    return [(one.path, other) for one, other in pairs if one is not None and other is not None]


def _kept(meant: Node, name: str, value: str, seen: str | None) -> bool:
    if same_value(name, value, seen):
        return True
    if name == "unit" and meant.text:
        # An amount is compared with its unit, as a text.
        return True
    if name in ("port", "tlsPort") and value == "-1":
        return True
    return name == "machine" and value in _FILLED_BY_LIBVIRT and (seen or "").startswith(("pc-", "virt-"))


def _same_text(meant: Node, seen: Node) -> bool:
    if meant.text == seen.text:
        return True
    if meant.get("unit") or seen.get("unit"):
        return memory_kib(meant) is not None and memory_kib(meant) == memory_kib(seen)
    return meant.tag == "uuid" and _plain_uuid(meant.text) == _plain_uuid(seen.text)


def _plain_uuid(words: str) -> str:
    return re.sub(r"[^0-9a-f]", "", words.lower())


def _local(node: Node) -> str:
    return node.tag.rpartition("}")[2]


def _brief(node: Node) -> str:
    """An element in short: what it is, and which."""
    return " ".join((_local(node), *(str(part) for part in identity(node)[1:] if part)))


def _label(node: Node, siblings: Sequence[Node]) -> str:
    """The element's name in a path, told apart from its siblings."""
    alike = [one for one in siblings if one.tag == node.tag]
    which = "/".join(str(part) for part in identity(node)[1:] if part)
    if not which and len(alike) > 1:
        which = str(alike.index(node) + 1)
    return f"{_local(node)}[{which}]" if which else _local(node)

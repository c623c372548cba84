# SPDX-License-Identifier: GPL-3.0-or-later
"""Load data that only root sees: what the kernel counts for each open file of a graphics card that a QEMU holds.

Nothing is understood here: the kernel's text goes out as it is, and whoever asked makes load of it. Nobody names a
process or a path; only QEMUs are looked at, by the program that they run and not by a name that they give themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal

_QEMU = re.compile(r"qemu-system-[a-z0-9_]{1,20}|qemu-kvm", re.ASCII)
_CARD = re.compile(r"/(dri|accel)/[a-zA-Z]{1,10}[0-9]{1,4}", re.ASCII)
"""A card's file; inside another mount namespace it keeps the end of its name."""
_DELETED = " (deleted)"
_COUNTED = b"drm-driver:"
_PAGE_BYTES = 256 * 1024
_FILE_BYTES = 16 * 1024
_LOOKED = 20_000

_Place = tuple[int, int]


def watch(tree: Tree, after: str | None) -> dict[str, Any]:
    """One page: `{path, text}` by process and descriptor, and the path to go on after, None at the end."""
    begin = _place_of(after) if after is not None else (-1, -1)
    entries: list[dict[str, str]] = []
    size = 0
    for looked, place in enumerate(_descriptors(tree, begin)):
        if size > _PAGE_BYTES or looked == _LOOKED:
            return {"entries": entries, "next": _path_of(begin)}
        begin = place
        text = _counted(tree, place)
        if text is not None:
            entries.append({"path": _path_of(place), "text": text})
            size += len(text)
    return {"entries": entries, "next": None}


def _path_of(place: _Place) -> str:
    return "proc/{}/fdinfo/{}".format(*place)


def _place_of(path: str) -> _Place:
    _, process, _, descriptor = path.split("/")
    return int(process), int(descriptor)


def _descriptors(tree: Tree, after: _Place) -> Iterator[_Place]:
    """The open files of every QEMU that come after this one."""
    for process in _numbers(tree, "proc"):
        if process >= after[0] and _is_qemu(tree, process):
            for descriptor in _numbers(tree, f"proc/{process}/fd"):
                if (process, descriptor) > after:
                    yield process, descriptor


def _numbers(tree: Tree, folder: str) -> list[int]:
    return sorted(int(name) for name in tree.names(folder) if name.isascii() and name.isdigit())


def _is_qemu(tree: Tree, process: int) -> bool:
    name = _link(tree, f"proc/{process}/exe").removesuffix(_DELETED).rpartition("/")[2]
    return _QEMU.fullmatch(name) is not None


def _link(tree: Tree, path: str) -> str:
    """Where it leads; the file itself is not touched: one on a dead server would never answer."""
    try:
        return os.readlink(path, dir_fd=tree.descriptor)
    except OSError:
        return ""


def _counted(tree: Tree, place: _Place) -> str | None:
    process, descriptor = place
    if _CARD.search(_link(tree, f"proc/{process}/fd/{descriptor}")) is None:
        return None
    try:
        content = tree.fact(_path_of(place), _FILE_BYTES)
    except (OSError, Refusal):
        return None
    return content.decode("utf-8", "replace") if _COUNTED in content else None

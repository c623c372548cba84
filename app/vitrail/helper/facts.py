# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recording of this machine holds, for a desktop whose sandbox cannot read it: the fixed list, in pages.

The list is the model's; nobody names a path. What is here is the machine as it is, not scrubbed: it stays on it.
"""

from __future__ import annotations

import base64
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from typing import Any

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal
from vitrail.model.masking import signs_of, without_passwords
from vitrail.model.paths import BELOW_A_CLASS_LINK, BELOW_A_FUNCTION, EVERYWHERE, WAKING, ReadPath, Treatment

_FUNCTION = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", re.ASCII)
_ASLEEP = frozenset({"D3cold", "D3hot", "suspended"})
_CLASSES = ("sys/class/", "sys/bus/")
_PAGE_BYTES = 256 * 1024
_FILE_BYTES = 128 * 1024
_EDID_BYTES = 128

Entry = dict[str, Any]


def facts(tree: Tree, after: str | None) -> dict[str, Any]:
    """One page: entries in the order of their paths, and the path to go on after, None at the end."""
    entries: list[Entry] = []
    size = 0
    for path, item in sorted(_found(tree).items()):
        if after is not None and path <= after:
            continue
        if size > _PAGE_BYTES:
            return {"entries": entries, "next": entries[-1]["path"]}
        entry = _entry(tree, path, item.treatment)
        if entry is not None:
            entries.append(entry)
            size += len(str(entry["value"])) + len(path)
    return {"entries": entries, "next": None}


def _found(tree: Tree) -> dict[str, ReadPath]:
    found = {path: item for item in EVERYWHERE for path in _expand(tree, item.pattern)}
    for path in [path for path, item in found.items() if item.treatment is Treatment.LINK]:
        if not path.startswith(_CLASSES):
            continue
        try:
            real = tree.resolve(path)
        except OSError:
            continue
        # Only what hangs on a card or is one; loop devices and tunnels are no business of ours.
        if any(_FUNCTION.fullmatch(part) for part in real.split("/")):
            found.update(_below(tree, real))
    return found


def _below(tree: Tree, real: str) -> Iterator[tuple[str, ReadPath]]:
    items = BELOW_A_FUNCTION if _FUNCTION.fullmatch(real.rpartition("/")[2]) else BELOW_A_CLASS_LINK
    asleep = any(tree.words(f"{real}/{name}") in _ASLEEP for name in ("power_state", "power/runtime_status"))
    for item in items:
        if not (asleep and item.pattern in WAKING):
            for path in _expand(tree, f"{real}/{item.pattern}"):
                yield path, item


def _expand(tree: Tree, pattern: str) -> list[str]:
    paths = [""]
    for part in pattern.split("/"):
        if "*" in part:
            paths = [f"{path}/{name}" for path in paths for name in fnmatch.filter(tree.names(path), part)]
        else:
            paths = [f"{path}/{part}" if path else part for path in paths]
    return paths


def _entry(tree: Tree, path: str, treatment: Treatment) -> Entry | None:
    """One path as its treatment says, None where it is not there."""
    try:
        match treatment:
            case Treatment.LINK | Treatment.VOLUME if treatment is Treatment.LINK or _is_link(tree, path):
                return {"path": path, "kind": "link", "value": os.readlink(path, dir_fd=tree.descriptor)}
            case Treatment.FOLDER:
                with tree.folder(tree.resolve(path)):
                    return {"path": path, "kind": "folder", "value": ""}
            case Treatment.EXISTS:
                os.stat(tree.resolve(path), dir_fd=tree.descriptor, follow_symlinks=False)
                return {"path": path, "kind": "exists", "value": ""}
        content = tree.fact(path, _EDID_BYTES if treatment is Treatment.EDID else _FILE_BYTES)
    except (OSError, Refusal):
        return None
    if treatment is Treatment.KERNEL_CONFIG and not path.endswith(".gz"):
        content = b"".join(line for line in content.splitlines(keepends=True) if b"IOMMU" in line or b"VFIO" in line)
    # Root's files are read for whoever asks; passwords in them are not theirs.
    if treatment in (Treatment.FILE, Treatment.SIGNS):
        mask = signs_of if treatment is Treatment.SIGNS else without_passwords
        content = mask(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    try:
        return {"path": path, "kind": "text", "value": content.decode()}
    except UnicodeDecodeError:
        return {"path": path, "kind": "base64", "value": base64.b64encode(content).decode()}


def _is_link(tree: Tree, path: str) -> bool:
    return stat.S_ISLNK(os.stat(path, dir_fd=tree.descriptor, follow_symlinks=False).st_mode)

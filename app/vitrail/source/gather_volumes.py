# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks and volumes a recording keeps: those that the start lies on, and of the others only that they are there.

Separate from the gathering because names and ids of volumes may be telling, so what is kept is decided beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.source.volumes import MOUNTINFO, Mount, below, block_of, mounts_of, number_of

if TYPE_CHECKING:
    from vitrail.source.root import Root

_UDEV_LINES = ("E:ID_FS_UUID=", "E:ID_FS_TYPE=", "E:ID_PART_ENTRY_SCHEME=")
_NOWHERE = "none"


@dataclass(frozen=True, slots=True)
class StartVolumes:
    """The paths that are kept, as they are on the machine."""

    paths: frozenset[str]
    folders: tuple[str, ...]

    def wants(self, path: str) -> bool:
        """Whether a recording keeps this file or link."""
        return path in self.paths or path.startswith(self.folders)


def start_volumes(root: Root) -> StartVolumes:
    """What the start's mounts lead to; nothing where they cannot be read."""
    paths: set[str] = set()
    folders: set[str] = set()
    for mount in _mounts(root):
        name = block_of(root, mount)
        if name is None:
            continue
        paths |= {f"sys/dev/block/{mount.device}", mount.source.lstrip("/")}
        for one in (name, *_below(root, name)):
            paths.add(f"sys/class/block/{one}")
            number = number_of(root, one)
            paths |= {f"sys/dev/block/{number}", f"run/udev/data/b{number}"}
            folders.add(f"{_place(root, one)}/")
    for name in _names(root, "sys/class/block"):
        # Whether anything is encrypted at all is told by the kinds of all volumes.
        if name.startswith("dm-"):
            paths |= {f"sys/class/block/{name}", f"sys/devices/virtual/block/{name}/dm/uuid"}
    return StartVolumes(frozenset(paths), tuple(folder for folder in folders if folder != "/"))


def mount_lines(words: str) -> str:
    """The start's lines of mountinfo; of where they are mounted from, only local devices."""
    kept = []
    for line in words.split("\n"):
        before, _, after = line.partition(" - ")
        for mount in mounts_of(line):
            source = mount.source if mount.source.startswith("/dev/") else _NOWHERE
            kind = after.split(" ")[0]
            kept.append(f"{' '.join(before.split(' ')[:6])} - {kind} {source} rw\n")
    return "".join(kept)


def volume_words(path: str, words: str) -> str:
    """What is kept of a volume's file: of an id only its kind, of udev's knowledge what tells the file system."""
    if path.endswith("/dm/uuid"):
        return f"{words.partition('-')[0]}-"
    if path.startswith("run/udev/data/"):
        return "\n".join(line for line in words.split("\n") if line.startswith(_UDEV_LINES))
    return words


def _mounts(root: Root) -> tuple[Mount, ...]:
    return mounts_of(_said(root, MOUNTINFO))


def _below(root: Root, name: str) -> tuple[str, ...]:
    try:
        return below(root, name)
    except OSError:
        return ()


def _place(root: Root, name: str) -> str:
    try:
        return root.resolve(f"sys/class/block/{name}")
    except OSError:
        return ""


def _said(root: Root, path: str) -> str:
    try:
        return root.read(path)
    except OSError:
        return ""


def _names(root: Root, folder: str) -> tuple[str, ...]:
    try:
        return root.names(folder)
    except OSError:
        return ()

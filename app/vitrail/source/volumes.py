# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start's file systems are mounted from, down to the disk: names and numbers as the kernel has them.

Separate because two sides walk the same way: the reader, and the recording, which keeps of all disks and volumes only
these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitrail.source.root import Root

MOUNTINFO = "proc/self/mountinfo"
BLOCKS = "sys/class/block"
MOUNTS = ("/", "/boot", "/boot/efi", "/efi")
"""Where a start's file systems are mounted; what is elsewhere is no part of it."""

_ESCAPE = re.compile(r"\\([0-7]{3})")
_NUMBER = re.compile(r"[0-9]{1,7}:[0-9]{1,7}", re.ASCII)
_NODE = re.compile(r"/dev/(?:[A-Za-z0-9_+:@%.-]*[A-Za-z0-9_+:@%-]/)*[A-Za-z0-9_+:@%.-]*[A-Za-z0-9_+:@%-]", re.ASCII)
_FIELDS_BEFORE_TYPE = 6
_FIELDS_AFTER_TYPE = 2
_MOST_LAYERS = 16


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    mount: str
    kind: str
    source: str
    inside: str
    device: str
    """Major and minor number; btrfs and what lies on no disk have a major of 0."""


def mounts_of(lines: str) -> tuple[Mount, ...]:
    """The start's mounts, in the order of `MOUNTS`; what is mounted over another hides it."""
    found: dict[str, Mount] = {}
    for line in lines.split("\n"):
        before, _, after = line.partition(" - ")
        first, last = before.split(" "), after.split(" ")
        if len(first) < _FIELDS_BEFORE_TYPE or len(last) < _FIELDS_AFTER_TYPE:
            continue
        mount = _plain(first[4])
        # An automount point that nobody has used yet is no file system.
        if mount in MOUNTS and last[0] != "autofs" and _NUMBER.fullmatch(first[2]):
            found[mount] = Mount(mount, last[0], _plain(last[1]), _plain(first[3]), first[2])
    return tuple(found[mount] for mount in MOUNTS if mount in found)


def _plain(field: str) -> str:
    return _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), field)


def block_of(root: Root, mount: Mount) -> str | None:
    """The kernel's name of what is mounted (`nvme0n1p2`, `dm-0`), None where it is no block device."""
    path = f"sys/dev/block/{mount.device}"
    if mount.device.startswith("0:"):
        # btrfs has numbers of its own; the name that it was mounted by is a device's, or a link to one.
        if not _NODE.fullmatch(mount.source):
            return None
        path = mount.source[1:]
    try:
        return root.link(path).rpartition("/")[2] or None
    except OSError:
        name = path.removeprefix("dev/")
        return name if path.startswith("dev/") and "/" not in name else None


def place_of(root: Root, name: str) -> str:
    """The folder of a block device. Raises OSError."""
    return root.resolve(f"{BLOCKS}/{name}")


def number_of(root: Root, name: str) -> str | None:
    """Major and minor number of a block device, None where it does not tell."""
    try:
        words = root.read(f"{BLOCKS}/{name}/dev")
    except OSError:
        return None
    return words if _NUMBER.fullmatch(words) else None


def below(root: Root, name: str) -> tuple[str, ...]:
    """What a device is made of: the first device of each layer below it, down to the partition or disk.

    Raises OSError where a layer cannot be looked at.
    """
    found: list[str] = []
    while len(found) < _MOST_LAYERS:
        place = place_of(root, name)
        slaves = slaves_of(root, place)
        if slaves:
            name = slaves[0]
        elif is_virtual(place) and root.exists(f"{place}/partition"):
            # A partition of a RAID: the RAID has the members.
            name = place.split("/")[-2]
        else:
            break
        if name in found:
            break
        found.append(name)
    return tuple(found)


def slaves_of(root: Root, place: str) -> tuple[str, ...]:
    """The devices right below one, () for partitions and disks."""
    try:
        return tuple(name for name in root.names(f"{place}/slaves") if not name.startswith("."))
    except OSError:
        return ()


def is_virtual(place: str) -> bool:
    """Whether this is no disk but something made of others."""
    return place.startswith("sys/devices/virtual/")

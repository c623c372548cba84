# SPDX-License-Identifier: GPL-3.0-or-later
"""The file systems that the start lies on, and what is between them and the disk. Read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.boot import FileSystem, Layer
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.unread import read_words, shown_path, unread
from vitrail.source.volumes import BLOCKS, MOUNTINFO, Mount, below, block_of, is_virtual, mounts_of, number_of, place_of

if TYPE_CHECKING:
    from vitrail.source.root import Root

UDEV = "run/udev/data"
_BY_UUID = "dev/disk/by-uuid"
_KINDS = {"LVM": Layer.LVM, "CRYPT": Layer.CRYPT, "DMRAID": Layer.RAID, "RAID": Layer.RAID}
"""How the ids of the device mapper begin."""
_TABLES = {"dos": "msdos"}
"""Partition tables that GRUB calls by another name than udev."""


def read_file_systems(root: Root) -> Reading[tuple[FileSystem, ...]]:
    """The file systems that are mounted where a start's files are."""
    words = read_words(root, MOUNTINFO)
    if isinstance(words, Unknown):
        return words
    return Known(tuple(_file_system(root, mount) for mount in mounts_of(words.value)), words.source)


def _file_system(root: Root, mount: Mount) -> FileSystem:
    name = block_of(root, mount)
    if name is None:
        reason = Unknown(text("probe.boot.no-device", mount=mount.mount, kind=mount.kind))
        nothing = Known((Layer.OTHER,), f"/{MOUNTINFO}")
        return FileSystem(mount.mount, mount.kind, reason, mount.inside, nothing, reason)
    said = _udev(root, name)
    try:
        chain = (name, *below(root, name))
        places = [place_of(root, one) for one in chain]
    except OSError as error:
        failed = unread(root, f"{BLOCKS}/{name}", error)
        return FileSystem(mount.mount, mount.kind, _uuid(root, name, said), mount.inside, failed, failed)
    layers = [_layer(root, place) for place in places if is_virtual(place) and not root.exists(f"{place}/partition")]
    return FileSystem(
        mount.mount,
        mount.kind,
        _uuid(root, name, said),
        mount.inside,
        Known(tuple(layers), shown_path(places[0])),
        _table(root, chain[-1], places[-1]),
    )


def _layer(root: Root, place: str) -> Layer:
    kind = device_mapper_kind(root, place)
    if kind is not None:
        return _KINDS.get(kind, Layer.OTHER)
    return Layer.RAID if root.exists(f"{place}/md/level") else Layer.OTHER


def device_mapper_kind(root: Root, place: str) -> str | None:
    """What a volume of the device mapper says that it is (`CRYPT`, `LVM`), None where it says nothing."""
    try:
        return root.read(f"{place}/dm/uuid").partition("-")[0]
    except OSError:
        return None


def _udev(root: Root, name: str) -> dict[str, str]:
    """What udev found out about a device. A machine without udev has none, and then the links are asked."""
    number = number_of(root, name)
    if number is None:
        return {}
    try:
        words = root.read(f"{UDEV}/b{number}")
    except OSError:
        return {}
    lines = (line[2:].partition("=") for line in words.split("\n") if line.startswith("E:"))
    return {key: value for key, _, value in lines}


def _uuid(root: Root, name: str, said: dict[str, str]) -> Reading[str]:
    if said.get("ID_FS_UUID"):
        return Known(said["ID_FS_UUID"], f"/{UDEV}")
    try:
        for uuid in root.names(_BY_UUID):
            if root.link(f"{_BY_UUID}/{uuid}").rpartition("/")[2] == name:
                return Known(uuid, f"/{_BY_UUID}")
    except OSError as error:
        return unread(root, _BY_UUID, error)
    return Unknown(text("probe.boot.no-uuid", name=name))


def _table(root: Root, name: str, place: str) -> Reading[str | None]:
    if not root.exists(f"{place}/partition"):
        return Known(None, shown_path(place))
    scheme = _udev(root, name).get("ID_PART_ENTRY_SCHEME")
    if scheme is None:
        return Unknown(text("probe.boot.no-table", name=name))
    return Known(_TABLES.get(scheme, scheme), f"/{UDEV}")

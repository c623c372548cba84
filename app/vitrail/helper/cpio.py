# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives that an initramfs is made of (cpio, form "newc"), written whole and read piece by piece.

No program is needed for it, and the same members give the same bytes: no time, no owner but root, one order.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass

_MAGICS = (b"070701", b"070702")
_HEADER = 110
_TRAILER = "TRAILER!!!"
_FOLDER, _PROGRAM, _PLAIN, _LINK = (
    stat.S_IFDIR | 0o755,
    stat.S_IFREG | 0o755,
    stat.S_IFREG | 0o644,
    stat.S_IFLNK | 0o777,
)
_MOST_NAME = 4096


class CpioError(ValueError):
    """These bytes are no such archive."""


@dataclass(frozen=True, slots=True)
class Member:
    """One name in an archive; a link's content is where it leads."""

    name: str
    mode: int
    content: bytes = b""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it leads somewhere else."""
        return stat.S_ISLNK(self.mode)


def folder(name: str) -> Member:
    """A folder that everybody may enter."""
    return Member(name, _FOLDER)


def plain(name: str, content: bytes) -> Member:
    """A file that is read."""
    return Member(name, _PLAIN, content)


def script(name: str, content: bytes) -> Member:
    """A file that is run."""
    return Member(name, _PROGRAM, content)


def link(name: str, target: str) -> Member:
    """A symbolic link."""
    return Member(name, _LINK, target.encode())


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


def _record(number: int, member: Member) -> bytes:
    name = member.name.encode() + b"\0"
    links = 2 if member.is_folder else 1
    fields = (number, member.mode, 0, 0, links, 0, len(member.content), 0, 0, 0, 0, len(name), 0)
    header = _MAGICS[0] + "".join(f"{field:08X}" for field in fields).encode()
    return _padded(header + name) + _padded(member.content)


def archive(members: tuple[Member, ...]) -> bytes:
    """These members, in this order, as the kernel unpacks them."""
    records = [_record(number, member) for number, member in enumerate(members, 1)]
    return b"".join((*records, _record(0, Member(_TRAILER, 0))))


class Reader:
    """Takes an archive, or several behind one another, in pieces; `wanted` says whose content is kept."""

    def __init__(self, wanted: Callable[[str], bool], most: int) -> None:
        self._wanted = wanted
        self._most = most
        self._rest = bytearray()
        self._skip = 0
        self.members: dict[str, Member] = {}
        """The last one of each name, as in the kernel's memory."""
        self.inside = False
        """Whether an archive has begun and has not ended."""

    def feed(self, piece: bytes) -> None:
        """The next bytes, whatever archives they are of. Raises CpioError."""
        self._rest += piece
        while self._step():
            pass

    def feed_one(self, piece: bytes) -> int | None:
        """The next bytes, to the end of this archive: how many of them come after it, None where it goes on."""
        self._rest += piece
        self.inside = True
        while self.inside and self._step():
            pass
        if self.inside:
            return None
        left, self._skip = len(self._rest) - self._skip, 0
        self._rest.clear()
        return left

    def _step(self) -> bool:
        if self._skip:
            gone = min(self._skip, len(self._rest))
            del self._rest[:gone]
            self._skip -= gone
            return not self._skip and bool(self._rest)
        if not self.inside:
            blank = len(self._rest) - len(self._rest.lstrip(b"\0"))
            del self._rest[:blank]
        if len(self._rest) < _HEADER:
            return False
        return self._member()

    def _member(self) -> bool:
        head = bytes(self._rest[:_HEADER])
        if head[:6] not in _MAGICS:
            raise CpioError("magic")
        try:
            fields = [int(head[start : start + 8], 16) for start in range(6, _HEADER, 8)]
        except ValueError as error:
            raise CpioError("number") from error
        mode, size, name_size = fields[1], fields[6], fields[11]
        if not 0 < name_size <= _MOST_NAME:
            raise CpioError("name")
        start = _HEADER + name_size + (-(_HEADER + name_size) % 4)
        if len(self._rest) < start:
            return False
        name = bytes(self._rest[_HEADER : _HEADER + name_size - 1]).decode("utf-8", "surrogateescape")
        name = name.removeprefix("./").strip("/")
        keeps = stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and self._wanted(name))
        if keeps and size > self._most:
            raise CpioError("size")
        if keeps and len(self._rest) < start + size:
            return False
        self.inside = name != _TRAILER
        if self.inside:
            self.members[name] = Member(name, mode, bytes(self._rest[start : start + size]) if keeps else b"")
        del self._rest[:start]
        self._skip = size + (-size % 4)
        return True

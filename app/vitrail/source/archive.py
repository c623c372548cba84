# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a tar archive into memory without ever unpacking it, within fixed bounds.

An own reader, because recordings come from strangers: it knows plain files, folders and symbolic links, nothing else,
and it counts what the decompressor really puts out, so no declared size is believed. Python's own reader grew its
filters only later than the oldest Python that Vitrail runs on.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vitrail.model.errors import Unreadable
from vitrail.model.text import Text, text

MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_MEMBERS = 50_000
MAX_MEMBER_BYTES = 1024 * 1024
_MAX_STREAM_BYTES = MAX_TOTAL_BYTES + MAX_MEMBERS * 1024
"""Contents, and for each member its header and padding."""
_DECODER_BYTES = 128 * 1024 * 1024
_BLOCK = 512
_CHUNK = 64 * 1024
_XZ_MAGIC = b"\xfd7zXZ\x00"
_MAX_PATH_CHARACTERS = 4096
"""No path on Linux is longer; every step of one costs its length."""
_MAX_EXTENDED_BYTES = 64 * 1024
_MAX_EXTENDED_RECORDS = 32
_MAX_BEHIND_END = 1024 * 1024
"""Padding behind the end of a tar; nothing there is ever used."""

_FILE_KINDS = (b"0", b"\0")
_LINK_KIND = b"2"
_FOLDER_KIND = b"5"
_LONG_NAME = b"L"
_LONG_LINK = b"K"
_EXTENDED = b"x"
_GLOBAL = b"g"


@dataclass(slots=True)
class Archive:
    """What an archive holds: paths without leading `./`."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Member:
    kind: bytes
    name: str
    target: str
    size: int


def read_archive(path: Path) -> Archive:
    """The whole archive, .tar or .tar.xz by its content. Raises Unreadable for whatever a recording may not hold."""
    try:
        with path.open("rb") as file:
            stream = _Stream(file)
            if stream.is_too_short:
                raise _refuse(path, text("source.recording.no-archive"))
            return _collect(stream, path)
    except OSError as error:
        raise _refuse(path, text("source.recording.io", error=error.strerror or str(error))) from error
    except (lzma.LZMAError, EOFError) as error:
        raise _damaged(path) from error


def _collect(stream: _Stream, path: Path) -> Archive:
    archive = Archive()
    seen: set[str] = set()
    total = 0
    for member in _members(stream, path):
        name = _checked_name(member, path)
        if not name:
            continue
        if name in seen:
            raise _refuse(path, text("source.recording.duplicate", name=name))
        seen.add(name)
        if len(seen) > MAX_MEMBERS:
            raise _refuse(path, text("source.recording.too-many", limit=MAX_MEMBERS))
        if member.kind == _FOLDER_KIND:
            archive.folders.add(name)
        elif member.kind == _LINK_KIND:
            archive.links[name] = _checked_target(name, member.target, path)
        else:
            total += member.size
            if member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
                raise _refuse(path, text("source.recording.too-large", name=name))
            archive.files[name] = stream.content(member.size)
    stream.drain()
    _check_ways(archive, path)
    return archive


def _members(stream: _Stream, path: Path) -> Iterator[_Member]:
    long_name: str | None = None
    long_target: str | None = None
    in_front: set[bytes] = set()
    for count in range(2 * MAX_MEMBERS + 2):
        header = stream.take(_BLOCK)
        if header == bytes(_BLOCK):
            return
        member = _read_header(header, path, first=count == 0)
        if member.kind in (_LONG_NAME, _LONG_LINK, _EXTENDED, _GLOBAL):
            if member.size > _MAX_EXTENDED_BYTES:
                raise _refuse(path, text("source.recording.long-name", limit=_MAX_PATH_CHARACTERS))
            if member.kind in in_front:
                raise _damaged(path)
            in_front.add(member.kind)
            content = stream.content(member.size)
            if member.kind == _LONG_NAME:
                long_name = _words(content.rstrip(b"\0"))
            elif member.kind == _LONG_LINK:
                long_target = _words(content.rstrip(b"\0"))
            elif member.kind == _EXTENDED:
                facts = _read_extended(content, path)
                long_name, long_target = facts.get("path", long_name), facts.get("linkpath", long_target)
            continue
        yield _Member(member.kind, long_name or member.name, long_target or member.target, member.size)
        long_name = long_target = None
        in_front.clear()
    raise _refuse(path, text("source.recording.too-many", limit=MAX_MEMBERS))


def _read_header(header: bytes, path: Path, *, first: bool) -> _Member:
    words = header[148:156].strip(b"\0 ")
    computed = sum(header) - sum(header[148:156]) + 8 * 0x20
    if not words.isdigit() or int(words, 8) != computed:
        if first:
            raise _refuse(path, text("source.recording.no-archive"))
        raise _damaged(path)
    size = header[124:136].strip(b"\0 ") or b"0"
    # Sizes in GNU's binary form only occur above 8 GiB.
    if not size.isdigit() or b"8" in size or b"9" in size:
        raise _refuse(path, text("source.recording.too-large", name=_words(header[:100].rstrip(b"\0"))))
    name = _words(header[:100].partition(b"\0")[0])
    if header[257:263] == b"ustar\0":
        prefix = _words(header[345:500].partition(b"\0")[0])
        name = f"{prefix}/{name}" if prefix else name
    return _Member(header[156:157], name, _words(header[157:257].partition(b"\0")[0]), int(size, 8))


def _read_extended(content: bytes, path: Path) -> dict[str, str]:
    """The records of a pax header: `LENGTH KEY=VALUE` and a newline. A size of its own or a sparse map is refused."""
    facts: dict[str, str] = {}
    for _ in range(_MAX_EXTENDED_RECORDS):
        if not content:
            return facts
        digits, _, _ = content.partition(b" ")
        if not digits.isdigit() or len(digits) > 7 or not len(digits) < int(digits) <= len(content):  # noqa: PLR2004
            raise _damaged(path)
        record, content = content[len(digits) + 1 : int(digits) - 1], content[int(digits) :]
        key, _, value = _words(record).partition("=")
        if key == "size" or key.startswith("GNU.sparse"):
            raise _refuse(path, text("source.recording.kind", name=key))
        facts[key] = value
    raise _damaged(path)


def _words(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _checked_name(member: _Member, path: Path) -> str:
    """The member's path, empty for the archive's own top folder."""
    if member.kind not in (*_FILE_KINDS, _LINK_KIND, _FOLDER_KIND):
        raise _refuse(path, text("source.recording.kind", name=member.name))
    name = member.name
    if name.startswith("/"):
        raise _refuse(path, text("source.recording.absolute", name=name))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if len(name) > _MAX_PATH_CHARACTERS:
        raise _refuse(path, text("source.recording.long-name", limit=_MAX_PATH_CHARACTERS))
    if ".." in parts or "\0" in name:
        raise _refuse(path, text("source.recording.leaves", name=name))
    return "/".join(parts)


def _checked_target(name: str, target: str, path: Path) -> str:
    """A link's target, if it stays below `root/`, where an absolute one starts."""
    top, _, below = _below_root(name)
    if not target or not top or "\0" in target or len(target) > _MAX_PATH_CHARACTERS:
        raise _refuse(path, text("source.recording.link-leaves", name=name))
    depth = 0 if target.startswith("/") else below.count("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            raise _refuse(path, text("source.recording.link-leaves", name=name))
    return target


def _below_root(name: str) -> tuple[str, str, str]:
    """What stands before and after the folder `root`, which is on top or inside one folder that holds all."""
    parts = name.split("/")
    for index in (0, 1):
        if len(parts) > index + 1 and parts[index] == "root":
            return ("/".join(parts[: index + 1]), "/", "/".join(parts[index + 1 :]))
    return "", "", ""


def _check_ways(archive: Archive, path: Path) -> None:
    """Nothing may lie below a file or behind a link: the way to it would depend on who reads."""
    ends = archive.files.keys() | archive.links.keys()
    checked: set[str] = set()
    for name in (*ends, *archive.folders):
        parent = name.rpartition("/")[0]
        while parent and parent not in checked:
            if parent in ends:
                raise _refuse(path, text("source.recording.duplicate", name=parent))
            checked.add(parent)
            if len(checked) > MAX_MEMBERS:
                raise _refuse(path, text("source.recording.too-many", limit=MAX_MEMBERS))
            parent = parent.rpartition("/")[0]


def _damaged(path: Path) -> Unreadable:
    return Unreadable(text("source.recording.damaged", path=str(path)), text("source.recording.fetch-again"))


def _refuse(path: Path, why: Text) -> Unreadable:
    return Unreadable(text("source.recording.refused", path=str(path), why=why), text("source.recording.made-by"))


class _Stream:
    """The archive's bytes, decompressed a piece at a time and counted as they come out."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        start = file.read(_CHUNK)
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, _DECODER_BYTES) if start.startswith(_XZ_MAGIC) else None
        self._raw = start
        self._ready = bytearray()
        self._made = 0

    @property
    def is_too_short(self) -> bool:
        """Whether the file is some small text or picture: nothing packed, and less than one header."""
        return self._decoder is None and 0 < len(self._raw) < _BLOCK

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises EOFError where they are not there."""
        while len(self._ready) < size:
            piece = self._counted_piece()
            if not piece:
                raise EOFError
            self._ready += piece
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def content(self, size: int) -> bytes:
        """A member's content, its padding skipped."""
        return self.take(size + -size % _BLOCK)[:size]

    def drain(self) -> None:
        """Read to the end, so that the compressed data's own check sums are looked at. Raises EOFError if it is cut."""
        end = self._made + _MAX_BEHIND_END
        while self._counted_piece():
            if self._made > end:
                raise self._too_much()
        if self._decoder is not None and not self._decoder.eof:
            raise EOFError

    def _counted_piece(self) -> bytes:
        piece = self._next_piece()
        self._made += len(piece)
        if self._made > _MAX_STREAM_BYTES:
            raise self._too_much()
        return piece

    def _too_much(self) -> Unreadable:
        return Unreadable(text("source.recording.bomb", path=str(self._file.name)), text("source.recording.made-by"))

    def _next_piece(self) -> bytes:
        if self._decoder is None:
            piece, self._raw = self._raw or self._file.read(_CHUNK), b""
            return piece
        while not self._decoder.eof:
            if self._decoder.needs_input and not self._raw:
                self._raw = self._file.read(_CHUNK)
                if not self._raw:
                    return b""
            fed, self._raw = self._raw, b""
            piece = self._decoder.decompress(fed, _CHUNK)
            if piece:
                return piece
        return b""

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside an initramfs: archives behind one another, the last of them usually compressed.

Read here and not by the distribution's lister, so that there is one answer for every family, with contents and kinds,
and nothing is unpacked onto a disk. Only for zstd, lz4 and lzop a program is needed.
"""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from vitrail.helper.cpio import CpioError, Member, Reader
from vitrail.helper.run import pass_through
from vitrail.helper.tree import Tree
from vitrail.helper.unified import initrd_inside
from vitrail.model.host_wire import Kind, Refusal

_PIECE = 256 * 1024
_HEAD = 6
_MOST_KEPT = 4 * 1024 * 1024
_ARCHIVE = b"0707"
_PROGRAMS: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"\x28\xb5\x2f\xfd", ("zstd", "-dcq")),
    (b"\x02\x21\x4c\x18", ("lz4", "-dcq")),
    (b"\x04\x22\x4d\x18", ("lz4", "-dcq")),
    (b"\x89LZO", ("lzop", "-dcq")),
)
_GZIP_WINDOW = 31


class _Inflate:
    """zlib's decompressor in the form of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP_WINDOW)

    def decompress(self, data: bytes) -> bytes:
        return self._inner.decompress(data)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


_Decompressor = _Inflate | bz2.BZ2Decompressor | lzma.LZMADecompressor
_BUILT_IN: tuple[tuple[bytes, Callable[[], _Decompressor]], ...] = (
    (b"\x1f\x8b", _Inflate),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", lzma.LZMADecompressor),
)


@dataclass(frozen=True, slots=True)
class Image:
    """Every member by its name, links with their target, and contents where they were wanted."""

    members: dict[str, Member]

    def content(self, name: str) -> bytes | None:
        """A file's content, None where there is none."""
        found = self.members.get(name)
        return found.content if found is not None and not found.is_folder else None


def read_image(tree: Tree, path: str, wanted: Callable[[str], bool]) -> Image:
    """What the kernel would unpack from this file. Raises Refusal where that cannot be told."""
    reader = Reader(wanted, _MOST_KEPT)
    try:
        with tree.parent(tree.resolve(path)) as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            _read_segments(tree, descriptor, reader)
        finally:
            os.close(descriptor)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, CpioError) as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error
    if reader.inside or not reader.members:
        raise Refusal(Kind.UNREAD, what=f"/{path}")
    return Image(reader.members)


def read_content(content: bytes) -> Image:
    """The same of an image in memory, compressed as ours are. Raises CpioError, zlib.error."""
    reader = Reader(lambda _: True, _MOST_KEPT)
    reader.feed(zlib.decompress(content, _GZIP_WINDOW))
    if reader.inside:
        raise CpioError("end")
    return Image(reader.members)


def _read_segments(tree: Tree, descriptor: int, reader: Reader) -> None:
    """One segment after the other: as it is, or through what decompresses it."""
    offset, size = initrd_inside(descriptor) or (0, os.fstat(descriptor).st_size)
    while offset < size:
        head = os.pread(descriptor, _PIECE, offset)
        blank = len(head) - len(head.lstrip(b"\0"))
        if blank:
            offset += blank
        elif head.startswith(_ARCHIVE):
            offset = _read_plain(descriptor, offset, reader)
        else:
            offset = _read_compressed(tree, descriptor, offset, reader)


def _read_plain(descriptor: int, offset: int, reader: Reader) -> int:
    """Member by member to the end of this archive; where it ends."""
    while piece := os.pread(descriptor, _PIECE, offset):
        offset += len(piece)
        left = reader.feed_one(piece)
        if left is not None:
            return offset - left
    raise EOFError


def _read_compressed(tree: Tree, descriptor: int, offset: int, reader: Reader) -> int:
    head = os.pread(descriptor, _HEAD, offset)
    for magic, program in _PROGRAMS:
        if head.startswith(magic):
            os.lseek(descriptor, offset, os.SEEK_SET)
            pass_through(tree, program, descriptor, reader.feed)
            return os.fstat(descriptor).st_size
    make = next((make for magic, make in _BUILT_IN if head.startswith(magic)), None)
    if make is None:
        raise CpioError("compression")
    decompressor, at = make(), offset
    while not decompressor.eof:
        piece = os.pread(descriptor, _PIECE, at)
        if not piece:
            raise EOFError
        at += len(piece)
        reader.feed(decompressor.decompress(piece))
    return at - len(decompressor.unused_data)

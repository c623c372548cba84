# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path of the helper, walked from one folder descriptor: no symbolic link is followed and no `..` exists.

Reading facts is the exception: /sys is made of links, so `fact` resolves them by itself and never leaves the root.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrail.model.host_journal import FileState, Label
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.render import digest_of

MAX_FILE_BYTES = 1024 * 1024
_MAX_LINKS = 40
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_KERNEL_MADE = frozenset({"security.evm", "security.ima"})
"""Labels that the kernel computes: they cannot be copied."""
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class File:
    """A plain file as it is now."""

    content: bytes
    state: FileState


def parts_of(path: str) -> tuple[str, ...]:
    """The names of a path from the root. Raises Refusal for anything that is not plain names."""
    parts = tuple(path.split("/"))
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Refusal(Kind.PLACE, path=path, reason="form")
    return parts


class Tree:
    """One root folder: `/` on a machine, any folder in a rescue or a test."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.is_machine = os.path.samestat(os.fstat(self.descriptor), Path("/").stat())

    @contextlib.contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """A descriptor of this folder; `""` is the root. Raises FileNotFoundError, and Refusal at a link."""
        descriptor = os.dup(self.descriptor)
        try:
            for part in parts_of(path) if path else ():
                deeper = _open_folder(descriptor, part, path)
                os.close(descriptor)
                descriptor = deeper
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder that a path is in, and its last name."""
        *above, name = parts_of(path)
        with self.folder("/".join(above)) as descriptor:
            yield descriptor, name

    def read(self, path: str) -> File | None:
        """A file that may be written: plain, of one name, in a folder that only root writes. None for no file."""
        try:
            with self.parent(path) as (folder, name):
                return read_at(folder, name, path)
        except FileNotFoundError:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is anything of this name; a link is not followed. Raises Refusal, OSError."""
        try:
            with self.parent(path) as (folder, name):
                os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def missing_folders(self, path: str) -> tuple[str, ...]:
        """Folders above this path that do not exist, outermost first."""
        above = parts_of(path)[:-1]
        for depth in range(len(above)):
            try:
                with self.folder("/".join(above[: depth + 1])):
                    pass
            except FileNotFoundError:
                return tuple("/".join(above[: length + 1]) for length in range(depth, len(above)))
        return ()

    def resolve(self, path: str) -> str:
        """Where a path leads when links are followed inside this root. Raises OSError."""
        todo, done, links = list(reversed(path.split("/"))), list[str](), 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            try:
                target = os.readlink("/".join((*done, part)), dir_fd=self.descriptor)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, path)
            done = [] if target.startswith("/") else done
            todo += reversed(target.split("/"))
        return "/".join(done)

    def fact(self, path: str, limit: int = 65536) -> bytes:
        """The beginning of a file that is only read; links are followed inside this root. Raises OSError."""
        with self.parent(self.resolve(path)) as (folder, name):
            descriptor = os.open(name, _FILE, dir_fd=folder)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OSError(errno.EINVAL, path)
                return _read_all(descriptor, limit)
            finally:
                os.close(descriptor)

    def words(self, path: str) -> str | None:
        """The text of a small fact without blanks around it, None where it cannot be read."""
        try:
            return self.fact(path, 4096).decode("utf-8", "replace").strip()
        except (OSError, Refusal):
            return None

    def names(self, path: str) -> tuple[str, ...]:
        """What is in a folder, links followed inside this root; nothing where it cannot be read."""
        try:
            with self.folder(self.resolve(path)) as descriptor:
                return tuple(sorted(os.listdir(descriptor)))  # noqa: PTH208 - a path would be walked again
        except (OSError, Refusal):
            return ()


def _open_folder(descriptor: int, part: str, path: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=descriptor)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refusal(Kind.PLACE, path=path, reason="link") from error
        raise


def read_at(folder: int, name: str, path: str, limit: int = MAX_FILE_BYTES) -> File | None:
    """A plain file of one name in a folder that only its owner writes. Raises Refusal for anything else."""
    above = os.fstat(folder)
    if above.st_mode & _OTHERS_WRITE or above.st_uid not in (0, os.geteuid()):
        raise Refusal(Kind.PLACE, path=path, reason="folder")
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise Refusal(Kind.PLACE, path=path, reason="link") from error
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > limit:
            raise Refusal(Kind.PLACE, path=path, reason="file")
        content = _read_all(descriptor, limit)
        mode = stat.S_IMODE(status.st_mode)
        state = FileState(digest_of(content), mode, status.st_uid, status.st_gid, labels_of(descriptor))
        return File(content, state)
    finally:
        os.close(descriptor)


def labels_of(descriptor: int) -> tuple[Label, ...]:
    """Access lists and security labels of an open file; none where the file system has none."""
    try:
        names = sorted(set(os.listxattr(descriptor)) - _KERNEL_MADE)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return ()
        raise
    return tuple(Label(name, base64.b64encode(os.getxattr(descriptor, name)).decode()) for name in names)


def _read_all(descriptor: int, limit: int) -> bytes:
    pieces, size = [], 0
    while size < limit:
        piece = os.read(descriptor, min(limit - size, 65536))
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)

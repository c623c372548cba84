# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path of /sys, /proc, /etc and /boot is made from a Root, so a recorded machine is read by the same code.

Paths are given without a leading slash. A reading that cannot be made raises OSError, as on a real machine; readers
turn that into `Unknown`.
"""

from __future__ import annotations

import os
import posixpath
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable
from errno import EFBIG, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, EXDEV
from pathlib import Path
from typing import NoReturn

MAX_FILE_BYTES = 1024 * 1024
"""No file that is read for its meaning is larger; a recording that says so is refused, a live file is cut off."""

_MAX_LINKS = 40
_PAGE = 4096
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class Root(ABC):
    """A file tree that facts are read from."""

    @abstractmethod
    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """The first `limit` bytes of a file. Raises OSError."""

    @abstractmethod
    def names(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted. Raises OSError."""

    @abstractmethod
    def link(self, path: str) -> str:
        """The target of a symbolic link, as it is written. Raises OSError where it is none."""

    @abstractmethod
    def resolve(self, path: str) -> str:
        """The path with every link followed, relative to this root. Raises OSError where it ends nowhere."""

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether this is the running machine, so that /proc and permissions mean something now."""

    def open(self, path: str) -> int | None:  # noqa: ARG002 - for roots that have files
        """A descriptor of a file to be read again and again; None where this root has none. Raises OSError."""
        return None

    def read(self, path: str) -> str:
        """A file as text, blanks at its end stripped; bytes that are no UTF-8 are replaced. Raises OSError."""
        return self.read_bytes(path).decode("utf-8", "replace").rstrip()

    def exists(self, path: str) -> bool:
        """Whether the path leads to something; False also where that could not be looked at."""
        try:
            self.resolve(path)
        except OSError:
            return False
        return True


def _fail(number: int, path: str) -> NoReturn:
    raise OSError(number, os.strerror(number), path)


def _parent_of(folder: str, path: str) -> str:
    if not folder:
        _fail(EXDEV, path)
    return folder.rpartition("/")[0]


class FolderRoot(Root):
    """A folder that stands for `/`: the machine itself, or an unpacked recording.

    In a recording, links resolve inside it: an absolute target starts at the recording's root, and one that climbs out
    of it with `..` is refused (EXDEV). On the machine itself the kernel follows links.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = os.path.abspath(folder)  # noqa: PTH100 - plain strings: 2,000 devices are read through here
        self._live = self._folder == "/"
        self._real: dict[str, str] = {"": ""}

    @property
    def live(self) -> bool:
        return self._live

    def _host_path(self, path: str) -> str:
        if self._live:
            return "/" + path
        return f"{self._folder}/{self.resolve(path)}"

    def _open(self, path: str) -> int:
        if self._live:
            return os.open("/" + path, _READ)
        folder, _, name = path.rpartition("/")
        if name not in ("", ".", ".."):
            # Most files are no links: the kernel is asked to say so instead of asking it first.
            try:
                return os.open(f"{self._folder}/{self.resolve(folder)}/{name}", _READ | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != ELOOP:
                    raise
        return os.open(self._host_path(path), _READ)

    def open(self, path: str) -> int | None:
        descriptor = self._open(path)
        if not self._live and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            _fail(EISDIR, path)
        return descriptor

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        descriptor = self._open(path)
        try:
            if not self._live and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                _fail(EISDIR, path)
            parts = [os.read(descriptor, min(limit, 65536))]
            size = len(parts[0])
            # sysfs and most of /proc answer in one read; only then is a second one worth its call.
            while parts[-1] and _PAGE <= size < limit:
                parts.append(os.read(descriptor, limit - size))
                size += len(parts[-1])
            if not self._live and size >= limit and os.read(descriptor, 1):
                _fail(EFBIG, path)
        finally:
            os.close(descriptor)
        return b"".join(parts)

    def names(self, path: str) -> tuple[str, ...]:
        return tuple(sorted(os.listdir(self._host_path(path))))  # noqa: PTH208 - as above

    def link(self, path: str) -> str:
        if self._live:
            return os.readlink("/" + path)  # noqa: PTH115 - as above
        parent, name = posixpath.split(path.strip("/"))
        folder = self.resolve(parent)
        return os.readlink(f"{self._folder}/{folder}/{name}" if folder else f"{self._folder}/{name}")  # noqa: PTH115

    def resolve(self, path: str) -> str:
        if self._live:
            return os.path.realpath("/" + path, strict=True).lstrip("/")
        real = self._real.get(path)
        if real is None:
            real = self._real[path] = self._walk(path, _MAX_LINKS)
        return real

    def _walk(self, path: str, links_left: int) -> str:
        folder, _, name = path.rpartition("/")
        known = self._real.get(folder)
        # Thousands of siblings share their folder: what is known of it is not asked of the kernel again.
        here, parts = ("", path.split("/")[::-1]) if known is None else (known, [name])
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                here = _parent_of(here, path)
                continue
            step = f"{here}/{part}" if here else part
            known = self._real.get(step)
            if known is None:
                known = self._real[step] = self._look(step, here, links_left)
            here = known
        return here

    def _look(self, step: str, here: str, links_left: int) -> str:
        try:
            target = os.readlink(f"{self._folder}/{step}")  # noqa: PTH115 - as above
        except OSError as error:
            if error.errno == EINVAL:
                return step
            raise
        if links_left <= 0:
            _fail(ELOOP, step)
        start = "" if target.startswith("/") else here
        while target.startswith("../"):
            start, target = _parent_of(start, step), target[3:]
        return self._walk(f"{start}/{target}" if start else target.lstrip("/"), links_left - 1)


class MemoryRoot(Root):
    """A recording's files and links in memory, as read from an archive that is never unpacked."""

    def __init__(self, files: dict[str, bytes], links: dict[str, str], folders: Iterable[str] = ()) -> None:
        self._files = files
        self._links = links
        self._real: dict[str, str] = {}
        self._folders: dict[str, set[str]] = {"": set()}
        for folder in folders:
            self._folders.setdefault(folder, set())
        for path in (*files, *links, *tuple(self._folders)):
            parent, name = posixpath.split(path)
            while name and name not in self._folders.setdefault(parent, set()):
                self._folders[parent].add(name)
                parent, name = posixpath.split(parent)

    @property
    def live(self) -> bool:
        return False

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        real = self.resolve(path)
        if real in self._folders and real not in self._files:
            _fail(EISDIR, path)
        content = self._files[real]
        if len(content) > limit:
            _fail(EFBIG, path)
        return content

    def names(self, path: str) -> tuple[str, ...]:
        real = self.resolve(path)
        if real not in self._folders:
            _fail(ENOTDIR, path)
        return tuple(sorted(self._folders[real]))

    def link(self, path: str) -> str:
        parent, name = posixpath.split(path.strip("/"))
        folder = self.resolve(parent)
        target = self._links.get(f"{folder}/{name}" if folder else name)
        if target is None:
            _fail(EINVAL if self.exists(path) else ENOENT, path)
        return target

    def resolve(self, path: str) -> str:
        return self._walk(path, _MAX_LINKS)

    def _walk(self, path: str, links_left: int) -> str:
        here = ""
        for part in path.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                here = _parent_of(here, path)
                continue
            step = f"{here}/{part}" if here else part
            target = self._links.get(step)
            if step in self._real:
                # Each link is followed once: links to paths of links would otherwise double the work at every step.
                here = self._real[step]
            elif target is not None:
                if links_left <= 0:
                    _fail(ELOOP, path)
                start = "" if target.startswith("/") else here
                self._real[step] = here = self._walk(f"{start}/{target}", links_left - 1)
            elif step in self._files or step in self._folders:
                here = step
            else:
                _fail(ENOENT, path)
        return here


class AbsentRoot(Root):
    """No files at all: the machine behind a pasted listing, or one that is reached through libvirt alone."""

    @property
    def live(self) -> bool:
        return False

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:  # noqa: ARG002 - the base's signature
        _fail(ENOENT, path)

    def names(self, path: str) -> tuple[str, ...]:
        _fail(ENOENT, path)

    def link(self, path: str) -> str:
        _fail(ENOENT, path)

    def resolve(self, path: str) -> str:
        _fail(ENOENT, path)

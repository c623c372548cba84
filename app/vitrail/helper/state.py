# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper's own folder, /var/lib/vitrail: originals by digest, runs, and the one lock.

Only root reads it, nothing else enumerates it, and it is made with the first change, never by a refusal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from vitrail.helper.put import make_folders, put
from vitrail.helper.tree import Tree
from vitrail.model.host_journal import FileState
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.render import digest_of

FOLDER = "var/lib/vitrail"
RUNS = f"{FOLDER}/runs"
_OBJECTS = f"{FOLDER}/objects"
_LOCK = "lock"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_TRIES = 5
_MOMENT_SECONDS = 0.05


class State:
    """What the helper remembers on this machine."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.lock_descriptor = -1
        """Handed to programs that are started, so that the lock outlives a killed helper as long as they run."""
        self.progress_descriptor = -1
        """Where the beginning of each step is told, negative for nowhere."""

    def make(self, *names: str) -> None:
        """This folder and those in it, private."""
        path = "/".join((FOLDER, *names))
        missing = (*self.tree.missing_folders(path), path)
        outer = tuple(folder for folder in missing if not folder.startswith(FOLDER))
        make_folders(self.tree, outer)
        make_folders(self.tree, tuple(folder for folder in missing if folder.startswith(FOLDER)), _PRIVATE_FOLDER)

    def keep(self, content: bytes) -> str:
        """Put content aside; its digest."""
        digest = digest_of(content)
        if self.kept(digest) is None:
            self.make("objects")
            state = FileState(digest, _PRIVATE_FILE, os.geteuid(), os.getegid(), ())
            put(self.tree, f"{_OBJECTS}/{digest}", content, state, f".vitrail-{digest}.tmp")
        return digest

    def kept(self, digest: str) -> bytes | None:
        """The content with this digest, None where it is missing or is no longer what it was."""
        try:
            file = self.tree.read(f"{_OBJECTS}/{digest}")
        except Refusal:
            return None
        return file.content if file is not None and file.state.digest == digest else None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one lock of changers. Raises Refusal where another helper, or a program of its, holds it."""
        self.make()
        with self.tree.folder(FOLDER) as folder:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(_LOCK, flags, _PRIVATE_FILE, dir_fd=folder)
        try:
            _take(descriptor)
            self.lock_descriptor = descriptor
            yield
        finally:
            self.lock_descriptor = -1
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a changer is at work; asked before anything is made."""
        try:
            with self.tree.folder(FOLDER) as folder:
                descriptor = os.open(_LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def _take(descriptor: int) -> None:
    """The lock, for changing. Who only looks whether it is held has it for a moment, and is no other changer."""
    for tries_left in reversed(range(_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not tries_left:
                raise Refusal(Kind.LOCKED) from error
            time.sleep(_MOMENT_SECONDS)
        else:
            return

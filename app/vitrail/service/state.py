# SPDX-License-Identifier: GPL-3.0-or-later
"""The state folder: runs with their journals, originals by digest, and the lock that keeps two changers apart.

Nothing here is enumerated by another program, and everything is readable by its owner only: the texts hold passwords.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vitrail.model.errors import Refused, Unreachable, VitrailError
from vitrail.model.text import text
from vitrail.model.wire import text_digest

_ENVIRONMENT = "VITRAIL_STATE_DIR"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_MAX_OBJECT_BYTES = 16 * 1024 * 1024


def find_state_folder() -> Path:
    """Where state lives: `$VITRAIL_STATE_DIR`, else the user's state folder by the platform's own rules."""
    told = os.environ.get(_ENVIRONMENT)
    if told:
        return Path(told).absolute()
    from platformdirs import user_state_path  # noqa: PLC0415 - only where nothing was told

    return user_state_path("vitrail", appauthor=False)


def sync_folder(folder: Path) -> None:
    """Make names that were just put into a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Put a whole file in place, mode 0600, or leave what was there; after a power cut it is one of the two."""
    temporary = path.with_name(f".vitrail-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


class StateFolder:
    """Vitrail's own files on this machine. Made at the first write; reading what is not there finds nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = path / "runs"
        self.objects = path / "objects"

    @property
    def unwritten(self) -> bool:
        """Whether nothing was ever changed from here, so that there is no history to read."""
        return not os.path.lexists(self.runs)

    def unusable(self, error: OSError) -> VitrailError:
        """What to say when a file of this folder cannot be read or written."""
        return Unreachable(
            text("service.state.unusable", path=str(self.path), message=error.strerror or str(error)),
            text("service.state.choose-other"),
        )

    def folder(self, *names: str) -> Path:
        """A folder in here, made private where it is missing. Raises OSError."""
        here = self.path
        here.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        for name in names:
            here = here / name
            with contextlib.suppress(FileExistsError):
                here.mkdir(mode=_PRIVATE_FOLDER)
                sync_folder(here.parent)
        return here

    def put(self, words: str) -> str:
        """Keep a text; its digest. Raises Unreachable where it cannot be kept."""
        digest = text_digest(words)
        try:
            path = self.folder("objects") / digest
            if not self._holds(path, digest):
                write_private(path, words.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise self.unusable(error) from error
        return digest

    def _holds(self, path: Path, digest: str) -> bool:
        try:
            return text_digest(path.read_bytes().decode("utf-8", "surrogateescape")) == digest
        except FileNotFoundError:
            return False

    def get(self, digest: str) -> str | None:
        """The text with this digest; None where it is missing or no longer what it was."""
        path = self.object_path(digest)
        try:
            if not path.is_file() or path.stat().st_size > _MAX_OBJECT_BYTES:
                return None
            words = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return None
        return words if text_digest(words) == digest else None

    def object_path(self, digest: str) -> Path:
        """Where the text with this digest is kept."""
        return self.objects / digest

    @contextlib.contextmanager
    def lock(self, verb: str) -> Iterator[None]:
        """Hold the one lock of changers. Raises Refused, naming who holds it, where somebody else does."""
        try:
            path = self.folder() / "lock"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE_FILE)
        except OSError as error:
            raise self.unusable(error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._locked(descriptor) from None
            os.ftruncate(descriptor, 0)
            note = {"pid": os.getpid(), "verb": verb, "since": int(time.time())}
            os.pwrite(descriptor, json.dumps(note).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def _locked(self, descriptor: int) -> Refused:
        try:
            note = json.loads(os.pread(descriptor, 4096, 0))
            pid, verb = int(note["pid"]), str(note["verb"])
        except (ValueError, KeyError, TypeError):
            return Refused(text("service.state.locked"), text("service.state.wait"))
        return Refused(text("service.state.locked-by", pid=str(pid), verb=verb), text("service.state.wait"))

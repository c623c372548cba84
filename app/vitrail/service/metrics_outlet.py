# SPDX-License-Identifier: GPL-3.0-or-later
"""Where metrics go: a file that is replaced whole with every tick, or a socket that only this user may open."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from pathlib import Path
from typing import Protocol

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.text import text

_SOCKET = "unix:"
_SEND_SECONDS = 2.0
_WAITING = 8
_READABLE = 0o644
_PRIVATE = 0o600


class MetricsOutlet(Protocol):
    """Takes each tick; gone after `close`."""

    def put(self, content: bytes) -> None:
        """What is told from now on. Raises Unreachable."""
        ...

    def close(self) -> None:
        """Take it away: old numbers would be taken for new ones."""
        ...


def open_outlet(where: str) -> MetricsOutlet:
    """The outlet of a path, or of `unix:` and a path. Raises Refused or Unreachable."""
    if where.startswith(_SOCKET):
        return SocketOutlet(Path(where.removeprefix(_SOCKET)))
    return FileOutlet(Path(where))


class FileOutlet:
    """A text file, as node_exporter's textfile collector reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = False
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise Refused(text("service.metrics.no-file", path=str(path)))

    def put(self, content: bytes) -> None:
        # Not synced: after a power cut nobody wants the load from before it.
        temporary = self._path.with_name(f".vitrail-{os.getpid()}-{os.urandom(4).hex()}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fchmod(descriptor, _READABLE)
                temporary.replace(self._path)
            except OSError:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise
        except OSError as error:
            raise _failed(self._path, error) from error
        self._written = True

    def close(self) -> None:
        if self._written:
            with contextlib.suppress(OSError):
                self._path.unlink()


class SocketOutlet:
    """Whoever connects gets the newest tick, whole, and the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b"# EOF\n"
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _make_room(path)
            # The file is made with the mode that the socket has, so nobody else can connect in between.
            os.fchmod(self._server.fileno(), _PRIVATE)
            self._server.bind(str(path))
            self._server.listen(_WAITING)
            self._made = os.lstat(path).st_ino
        except OSError as error:
            self._server.close()
            raise _failed(path, error) from error
        except Refused:
            self._server.close()
            raise
        self._thread = threading.Thread(target=self._serve, name="vitrail-metrics", daemon=True)
        self._thread.start()

    def put(self, content: bytes) -> None:
        self._content = content

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                end, _ = self._server.accept()
                with end, contextlib.suppress(OSError):
                    # One that does not read holds up the next for a moment only.
                    end.settimeout(_SEND_SECONDS)
                    end.sendall(self._content)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if os.lstat(self._path).st_ino == self._made:
                self._path.unlink()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(_SEND_SECONDS * 2)


def _make_room(path: Path) -> None:
    """Remove a socket that a Vitrail left which was killed. Raises Refused for anything else that is there."""
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if is_socket:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.settimeout(_SEND_SECONDS)
            try:
                other.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
    raise Refused(text("service.metrics.taken", path=str(path)), text("service.metrics.other-path"))


def _failed(path: Path, error: OSError) -> Unreachable:
    message = error.strerror or str(error)
    return Unreachable(
        text("service.metrics.failed", path=str(path), message=message), text("service.metrics.other-path")
    )

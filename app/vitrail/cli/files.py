# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the user names: read whole as UTF-8, replaced in one move."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from vitrail.model.errors import Unreadable
from vitrail.model.text import text

MAX_BYTES = 16 * 1024 * 1024
"""A domain or a plan is far smaller; more is a mistake."""

_NEW_FILE_MODE = 0o666


def read_text(name: str) -> str:
    """The file's text with its own line ends; `-` is standard input. Raises Unreadable."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(text("cli.file.unreadable", file=name, reason=error.strerror or str(error))) from error
    if len(content) > MAX_BYTES:
        raise Unreadable(text("cli.file.too-large", file=name, mib=MAX_BYTES >> 20))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise Unreadable(text("cli.file.not-utf8", file=name, line=line, column=column)) from error


def replace_text(name: str, words: str) -> None:
    """Put this text where the name leads, whole or not at all; mode and owner stay. Raises Unreadable."""
    target = Path(os.path.realpath(name))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(words.encode())
        else:
            _replace(target, words.encode())
    except OSError as error:
        raise Unreadable(text("cli.file.unwritable", file=name, reason=error.strerror or str(error))) from error


def _replace(target: Path, content: bytes) -> None:
    known = target.stat() if target.exists() else None
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".vitrail-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            if known is None:
                os.fchmod(stream.fileno(), _NEW_FILE_MODE & ~_umask())
            else:
                with suppress(PermissionError):
                    os.fchown(stream.fileno(), known.st_uid, known.st_gid)
                os.fchmod(stream.fileno(), stat.S_IMODE(known.st_mode))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # There is no way to ask without setting it; this runs before any thread does.
    now = os.umask(0o077)
    os.umask(now)
    return now

# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of kept files as readings, in the same words wherever they are missing."""

from __future__ import annotations

from errno import EACCES, ENODEV, ENOENT, ENOTDIR, EPERM

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.source.kept_files import KeptFiles

_MISSING = (ENOENT, ENOTDIR)


def read_number(files: KeptFiles, path: str) -> Reading[int]:
    """The number that this file holds."""
    try:
        content = files.read(path)
    except OSError as error:
        return why_not(path, error)
    try:
        return Known(int(content), f"/{path}")
    except ValueError:
        words = content[:40].decode("utf-8", "replace").strip()
        return Unknown(text("load.failed.garbled", path=f"/{path}", words=words))


def why_not(path: str, error: OSError) -> Unknown:
    """Why this file did not answer."""
    if error.errno in _MISSING:
        return Unknown(text("load.unsupported.no-file", path=f"/{path}"))
    if error.errno in (EACCES, EPERM):
        return Unknown(text("load.needs-helper.file", path=f"/{path}"))
    if error.errno == ENODEV:
        return Unknown(text("load.failed.gone"))
    return Unknown(text("load.failed.file", path=f"/{path}", error=error.strerror or type(error).__name__))


def scaled(reading: Reading[int], divisor: int) -> Reading[float]:
    """The same in another unit."""
    return reading if isinstance(reading, Unknown) else Known(reading.value / divisor, reading.source)


def mib(reading: Reading[int]) -> Reading[int]:
    """Bytes as MiB."""
    return reading if isinstance(reading, Unknown) else Known(reading.value // (1024 * 1024), reading.source)

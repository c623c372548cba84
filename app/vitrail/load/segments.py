# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of numbers on disk, oldest forgotten: a few files of lines, each for a stretch of time.

A line is written with one call and only ever appended; what a power cut tears off its end is passed over when it is
read. One process writes; another one that shares the folder only reads.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_LONGEST_LINE = 1024 * 1024

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What was known at one time, by the name of whatever it is of."""

    at: float
    values: dict[str, Values]


class Segments:
    """The rows of one kind in a folder: `span_s` a file, none older than `keep_s`, no more bytes than `most_bytes`."""

    def __init__(self, folder: Path, kind: str, *, span_s: int, keep_s: int, most_bytes: int) -> None:
        self._folder = folder
        self._kind = kind
        self._span_s, self._keep_s, self._most_bytes = span_s, keep_s, most_bytes
        self._name = re.compile(rf"{kind}-(\d{{1,12}})\.jsonl")

    def append(self, rows: list[Row]) -> None:
        """Keep these rows, which are in the order of their times. Raises OSError."""
        by_file: dict[int, list[Row]] = {}
        for row in rows:
            by_file.setdefault(int(row.at) // self._span_s * self._span_s, []).append(row)
        for start, own in by_file.items():
            path = self._folder / f"{self._kind}-{start}.jsonl"
            is_new = not path.exists()
            _append(path, "".join(_line(row) for row in own).encode("ascii"))
            if is_new:
                self._forget(own[-1].at)

    def rows(self, now: float) -> Iterator[Row]:
        """Every row that is not too old, in the order of their times; lines that are no rows are passed over."""
        for start, path in self._files():
            if start + self._span_s <= now - self._keep_s:
                continue
            for row in _read(path):
                if now - self._keep_s < row.at <= now:
                    yield row

    def _files(self) -> list[tuple[int, Path]]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - a missing folder is no fault
        except OSError:
            return []
        found = ((self._name.fullmatch(name), name) for name in names)
        return sorted((int(match[1]), self._folder / name) for match, name in found if match)

    def _forget(self, now: float) -> None:
        files = self._files()
        size = {path: path.stat().st_size for _, path in files}
        for start, path in files[:-1]:
            if start + self._span_s <= now - self._keep_s or sum(size.values()) > self._most_bytes:
                del size[path]
                path.unlink()


class Writer:
    """The right to write in a folder: held by one process at a time, until `close`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock: int | None = os.open(folder / "lock", flags, _PRIVATE_FILE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let others write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _append(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE_FILE)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, b"\n" + content if torn else content)
    finally:
        os.close(descriptor)


def _line(row: Row) -> str:
    numbers = {key: [None if one is None else round(one, 1) for one in row.values[key]] for key in row.values}
    return json.dumps({"t": round(row.at, 1), "v": numbers}, separators=(",", ":")) + "\n"


def _read(path: Path) -> Iterator[Row]:
    with contextlib.suppress(OSError), path.open("rb") as stream:
        while line := stream.readline(_LONGEST_LINE):
            row = _row(line)
            if row is not None:
                yield row


def _row(line: bytes) -> Row | None:
    try:
        told = json.loads(line)
        values = {str(key): tuple(_number(one) for one in numbers) for key, numbers in told["v"].items()}
        return Row(float(told["t"]), values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:  # noqa: PLR2004
        raise ValueError(value)
    return float(value)

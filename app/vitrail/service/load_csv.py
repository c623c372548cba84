# SPDX-License-Identifier: GPL-3.0-or-later
"""Load as a table for other programs: comma-separated values, written whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vitrail.model.errors import Unreachable
from vitrail.model.text import text
from vitrail.service.state import write_private

_HEAD = ("time_utc", "kind", "name", "id", "load_percent", "load_highest_percent", "of", "memory_mib")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Point = tuple[float, float | None, float | None, float | None]
"""When, load, its highest, memory."""


@dataclass(frozen=True, slots=True)
class CsvCurve:
    """One VM or card; `of` is what its load is a percentage of."""

    kind: str
    name: str
    id: str
    of: str
    points: tuple[Point, ...]


def csv_of(curves: Iterable[CsvCurve]) -> str:
    """The whole table. What is not known is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEAD)
    for curve in curves:
        names = (curve.kind, _harmless(curve.name), _harmless(curve.id))
        for at, load, highest, memory in curve.points:
            when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
            writer.writerow((when, *names, _number(load), _number(highest), curve.of, _number(memory)))
    return out.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _harmless(name: str) -> str:
    """A spreadsheet takes what begins like a formula for one; an apostrophe in front makes it words."""
    return f"'{name}" if name.lstrip(" ").startswith(_FORMULA) else name


def write_csv(path: Path, curves: Iterable[CsvCurve]) -> Path:
    """Put the table into this file; what stood there stays where it cannot be written. Raises Unreachable."""
    try:
        write_private(path, csv_of(curves).encode("utf-8", "replace"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreachable(
            text("service.load-csv.failed", path=str(path), why=why), text("service.load-csv.choose")
        ) from error
    return path

# SPDX-License-Identifier: GPL-3.0-or-later
"""This computer's last starts, from the journal as far as this user may read it.

Separate from the restart itself because nothing depends on it: it makes a promise in clock times better, and where the
journal is not this user's to read, the present boot's own figure has to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vitrail.model.boots import LastBoot
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.service.process import LateError, Program, run
from vitrail.service.starting import parse_start

_SECONDS = 10.0
_MICROSECONDS = 1_000_000
_SOURCE = "journalctl"


def last_boots() -> Reading[tuple[LastBoot, ...]]:
    """Starts that came to their end, newest first; Unknown where the journal shows none."""
    finished = _said(Program.STARTS_DONE)
    if finished is None:
        return Unknown(text("service.boots.no-journal"))
    boots = parse_boots(finished, _said(Program.BOOTS) or "")
    return Known(boots, _SOURCE) if boots else Unknown(text("service.boots.not-readable"))


def _said(program: Program) -> str | None:
    """What a program says; None where it is missing or late. One that may not read says nothing."""
    try:
        ended = run(program, seconds=_SECONDS)
    except LateError:
        return None
    return None if ended is None else ended.output.decode("utf-8", "replace")


def parse_boots(finished: str, listed: str) -> tuple[LastBoot, ...]:
    """Boots from the lines with which the system manager ends a start, and from the list of boots."""
    last_lines = dict(_last_lines(listed))
    newest = max(last_lines, key=lambda boot: last_lines[boot], default=None)
    boots: dict[str, LastBoot] = {}
    for line in finished.split("\n"):
        entry = _object(line)
        seconds = _seconds(entry.get("MESSAGE"))
        logged = _microseconds(entry.get("__REALTIME_TIMESTAMP"))
        name = entry.get("_BOOT_ID")
        if seconds is None or logged is None or not isinstance(name, str):
            continue
        ended = None if name == newest else last_lines.get(name)
        boots[name] = LastBoot(logged - seconds, ended, seconds)
    return tuple(sorted(boots.values(), key=lambda boot: boot.started_at or 0.0, reverse=True))


def _seconds(message: object) -> int | None:
    return parse_start(message.rstrip(". ")) if isinstance(message, str) else None


def _last_lines(listed: str) -> Iterator[tuple[str, float]]:
    """Each boot with the time of its last line."""
    try:
        boots = json.loads(listed or "[]")
    except ValueError:
        # Older versions list for the eye only.
        return
    for boot in boots if isinstance(boots, list) else ():
        name = boot.get("boot_id") if isinstance(boot, dict) else None
        last = _microseconds(boot.get("last_entry")) if isinstance(boot, dict) else None
        if isinstance(name, str) and last is not None:
            yield name, last


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _microseconds(said: object) -> float | None:
    """A time of the journal, which gives numbers as words or as numbers."""
    if isinstance(said, bool) or not isinstance(said, int | str):
        return None
    try:
        return int(said) / _MICROSECONDS
    except ValueError:
        return None

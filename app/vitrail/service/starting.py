# SPDX-License-Identifier: GPL-3.0-or-later
"""How long this computer takes to start, and starting it again: both by the system's own programs."""

from __future__ import annotations

import re

from vitrail.model.boots import slowest_seconds
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.service.process import LateError, Program, run

_SECONDS = 10.0
_SUM = re.compile(r"=\s*((?:\d+h\s*)?(?:\d+min\s*)?(?:[\d.]+m?s)?)\s*$", re.MULTILINE)
_PART = re.compile(r"([\d.]+)(h|min|ms|s)")
_WORTH = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 0.001}


def start_seconds() -> Reading[int]:
    """From power on, as far as the firmware tells, to the login: the slowest of the last starts, else this one."""
    from vitrail.service.last_boots import last_boots  # noqa: PLC0415 - it reads its times with what is here

    boots = last_boots()
    slowest = slowest_seconds(boots.value) if isinstance(boots, Known) else None
    return Known(slowest, "journalctl") if slowest is not None else _this_start()


def _this_start() -> Reading[int]:
    try:
        ended = run(Program.START_TIME, seconds=_SECONDS)
    except LateError:
        ended = None
    if ended is None or ended.status != 0:
        return Unknown(text("service.start.unmeasured"))
    seconds = parse_start(ended.output.decode("utf-8", "replace"))
    return Unknown(text("service.start.unmeasured")) if seconds is None else Known(seconds, "systemd-analyze time")


def parse_start(words: str) -> int | None:
    """The sum that systemd-analyze gives, in whole seconds."""
    match = _SUM.search(words)
    parts = _PART.findall(match[1]) if match else []
    return round(sum(float(number) * _WORTH[unit] for number, unit in parts)) if parts else None


def restart() -> None:
    """Restart this computer in the user's name. Raises Refused or Unreachable."""
    try:
        ended = run(Program.RESTART, seconds=_SECONDS)
    except LateError as error:
        raise Unreachable(text("service.start.no-answer"), text("service.start.by-hand")) from error
    if ended is None:
        raise Unreachable(text("service.start.no-systemctl"), text("service.start.by-hand"))
    if ended.status != 0:
        message = ended.errors.decode("utf-8", "replace").strip().partition("\n")[0]
        raise Refused(text("service.start.refused", message=message), text("service.start.by-hand"))

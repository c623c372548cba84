# SPDX-License-Identifier: GPL-3.0-or-later
"""The restart in clock times: what happens when, and until when a dark screen means nothing bad.

Separate from the plan because a plan holds no times. The guard's limits are those that it counts by itself; the time
that this computer takes to start is its own, from its last starts, or said to be assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.plan import GuardStrength
from vitrail.model.reading import Known, Reading
from vitrail.model.text import Text, text

KEEP_SECONDS = 5 * 60
"""After the graphical login is up, the guard waits this long for Keep."""
LIMIT_SECONDS = 15 * 60
"""And this long after the start of the kernel in any case."""
ASSUMED_START_SECONDS = 120
_SHUTDOWN_SECONDS = 30
_REBUILD_SECONDS = 300
"""Where the change lies in the start-up images themselves, they are built anew before the guard restarts."""


class Moment(StrEnum):
    """What a mark on the line is about."""

    PRESS = "press"
    STARTS = "starts"
    LOGIN = "login"
    GUARD = "guard"
    LIMIT = "limit"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Mark:
    """One point: seconds since the epoch, UTC."""

    moment: Moment
    at: float
    words: Text


@dataclass(frozen=True, slots=True)
class Timeline:
    """`wait_until`: the old system is back by then; before that, a dark screen is no reason to do anything."""

    marks: tuple[Mark, ...]
    wait_until: float
    start_seconds: int
    assumed: bool
    """Whether nobody could tell how long this computer takes to start."""


def timeline(strength: GuardStrength, now: float, start_seconds: Reading[int]) -> Timeline:
    """What will happen if the restart is asked for now. `start_seconds`: from the restart to the login screen."""
    assumed = not isinstance(start_seconds, Known)
    start = start_seconds.value if isinstance(start_seconds, Known) else ASSUMED_START_SECONDS
    starts = now + _SHUTDOWN_SECONDS
    login = starts + start
    guard = login + KEEP_SECONDS
    limit = max(starts + LIMIT_SECONDS, guard)
    # Whoever switches off while the guard works cuts it short, so its own work counts as waiting too.
    undoing = 0 if strength is GuardStrength.AUTOMATIC else _REBUILD_SECONDS
    back = limit + undoing + _SHUTDOWN_SECONDS + start
    marks = (
        Mark(Moment.PRESS, now, text("plan.time.press")),
        Mark(Moment.STARTS, starts, text("plan.time.starts")),
        Mark(Moment.LOGIN, login, text("plan.time.login")),
        Mark(Moment.GUARD, guard, text("plan.time.guard")),
        Mark(Moment.BACK, back, text(f"plan.time.back.{strength.value}")),
    )
    return Timeline(marks, back, start, assumed)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard says on a text console, in plain English, and when: there is no catalogue where it has to work."""

from __future__ import annotations

import math

from vitrail.model.host_place import GUARD_CORE

_START = f"sudo python3 -I /{GUARD_CORE}"
KEEP, MORE, UNDO = f"{_START} --keep", f"{_START} --extend", f"{_START} --undo"
_MARKS_SECONDS = (10, 30, 60, 120, 180, 240, 300, 600, 900)
_MINUTE = 60
COUNTS = {
    "kept": "The change is kept. Nothing more is counted down.",
    "gone": "The change is taken back already. Nothing more is counted down.",
    "over": "Nobody has kept the change, so it is being taken back now. Afterwards this computer restarts once.",
    "restart": "This computer restarts in {left}, with the system that it had before the change.\n"
    f"  To put that off by 15 minutes:  {MORE}",
    "now": "This computer restarts now.",
    "not-all": "Not all of it could be taken back ({reason}). "
    f"To see what is left and to try again: {_START} --status, {UNDO}",
    "not-again": "This computer is not restarted by itself a second time. Look around, then restart it yourself.",
}


def words_left(seconds: float) -> str:
    """How long, as people say it; rounded up."""
    if seconds <= _MINUTE:
        return f"{max(1, round(seconds))} seconds"
    return f"{math.ceil(seconds / _MINUTE)} minutes"


class Countdown:
    """When it is time to speak again: at the start, at every extension, and more often towards the end."""

    def __init__(self) -> None:
        self._mark: int | None = None
        self._extended: int | None = None

    def due(self, left: float, extended: int) -> str | None:
        """What to say now, None for nothing."""
        mark = next((one for one in _MARKS_SECONDS if left <= one), None)
        if mark == self._mark and extended == self._extended:
            return None
        longer = extended != self._extended
        self._mark, self._extended = mark, extended
        if not longer and left > _MINUTE:
            return f"{words_left(left)} until this trial is taken back. To keep it: {KEEP}"
        return (
            f"This start is a trial. Unless it is kept, the change is taken back in {words_left(left)} "
            "and this computer restarts.\n"
            f"  To keep it:           {KEEP}\n"
            f"  15 more minutes:      {MORE}"
        )

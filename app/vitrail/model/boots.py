# SPDX-License-Identifier: GPL-3.0-or-later
"""The last starts of a computer: how long they took tells how long the next dark screen means nothing bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_COUNTED = 5


@dataclass(frozen=True, slots=True)
class LastBoot:
    """One start that ended at a login. Times are seconds since the epoch, UTC; a recording keeps none."""

    started_at: float | None
    """When it was powered on or restarted, as far as the firmware tells."""
    ended_at: float | None
    """When its last line was logged; None for the boot that runs."""
    seconds_to_login: int | None


def slowest_seconds(boots: Iterable[LastBoot]) -> int | None:
    """The longest of the last few starts; None where none was measured. Newest first."""
    measured = [boot.seconds_to_login for boot in boots if boot.seconds_to_login is not None]
    return max(measured[:_COUNTED], default=None)

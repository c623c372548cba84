# SPDX-License-Identifier: GPL-3.0-or-later
"""A moment that the user marked because something stuttered, with what was measured around it.

Only numbers that were known are kept; what was not known is None and is said so.
"""

from __future__ import annotations

from dataclasses import dataclass

BEFORE_S = 15.0
AFTER_S = 15.0


@dataclass(frozen=True, slots=True)
class VmInstant:
    """One VM on one card in one tick, in percent: of the card or of its share, of the time it waited."""

    key: str
    name: str
    card: str
    load: float | None
    of_card: bool
    vcpu_wait: float | None
    disk_wait: float | None


@dataclass(frozen=True, slots=True)
class CardInstant:
    """One card in one tick; `slowed_by` is empty for nothing and None where nobody told."""

    key: str
    name: str
    load: float | None
    slowed_by: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Instant:
    """One tick."""

    at: float
    vms: tuple[VmInstant, ...]
    cards: tuple[CardInstant, ...]


@dataclass(frozen=True, slots=True)
class Stutter:
    """The half minute around the mark, oldest tick first."""

    id: str
    marked_at: float
    instants: tuple[Instant, ...]

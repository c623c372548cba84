# SPDX-License-Identifier: GPL-3.0-or-later
"""What a watched place tells: that something which was read before may be old now, and which part of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HappeningKind(StrEnum):
    """A domain was defined, undefined, started or stopped; the daemon went, or is back; a device came or went."""

    DOMAIN = "domain"
    LOST = "lost"
    BACK = "back"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that makes an earlier reading old. `subject` is a domain's UUID, None where more may have changed."""

    kind: HappeningKind
    subject: str | None = None

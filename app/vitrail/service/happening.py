# SPDX-License-Identifier: GPL-3.0-or-later
"""What a watched place tells: that something which was read before may be old now, and which part of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HappeningKind(StrEnum):
    """A domain changed (defined, undefined, started, stopped), the daemon went away, it is back, a device came."""

    DOMAIN = "domain"
    LOST = "lost"
    BACK = "back"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that makes an earlier reading old. `subject` is a domain's UUID or a device's address."""

    kind: HappeningKind
    subject: str | None = None

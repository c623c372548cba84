# SPDX-License-Identifier: GPL-3.0-or-later
"""What was concluded from the facts, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.text import Text


class Status(StrEnum):
    """Three values: a fact that could not be measured neither passes nor fails."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """What a failing finding does: stop the plan, warn, or only inform."""

    BLOCKS = "blocks"
    WARNS = "warns"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen: where (path, call, line) and what it said, word for word."""

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One conclusion. `remedy` is what would change it, None where nothing needs to change."""

    id: str
    status: Status
    severity: Severity
    title: Text
    evidence: tuple[Evidence, ...] = ()
    remedy: Text | None = None

    @property
    def stops(self) -> bool:
        """Whether this finding alone forbids going on: it blocks and did not pass."""
        return self.severity is Severity.BLOCKS and self.status is not Status.PASS

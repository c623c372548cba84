# SPDX-License-Identifier: GPL-3.0-or-later
"""What was concluded from the facts, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.text import Text, text


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


BY_HAND = "host.by-hand"
"""The finding whose evidence is nothing seen but lines to type (`do`, `undo`) or to paste into a file (its path)."""

_HEADINGS = {"do": text("model.by-hand.do"), "undo": text("model.by-hand.undo")}


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
    def by_hand(self) -> tuple[tuple[Text, tuple[str, ...]], ...]:
        """What to type or to paste, each under its heading; empty for a finding that rests on facts."""
        if self.id != BY_HAND:
            return ()
        places = dict.fromkeys(one.source for one in self.evidence)
        return tuple(
            (_HEADINGS.get(place, text("model.by-hand.file", path=place)), self._lines_for(place)) for place in places
        )

    def _lines_for(self, place: str) -> tuple[str, ...]:
        return tuple(one.value for one in self.evidence if one.source == place)

    @property
    def stops(self) -> bool:
        """Whether this finding alone forbids going on: it blocks and did not pass."""
        return self.severity is Severity.BLOCKS and self.status is not Status.PASS

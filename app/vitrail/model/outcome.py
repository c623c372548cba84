# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of it: results of steps and runs, and what a new read saw of each promise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.finding import Evidence
from vitrail.model.text import Text


class RunResult(StrEnum):
    """How a run ended; the command line's words."""

    APPLIED = "applied"
    AWAITING_KEEP = "awaiting_keep"
    TAKEN_BACK = "taken_back"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    NOTHING_TO_DO = "nothing_to_do"


class StepResult(StrEnum):
    """How one step ended."""

    DONE = "done"
    SAME = "same"
    """It already was as meant, or as before: nothing was written."""
    FAILED = "failed"
    TAKEN_BACK = "taken_back"
    MERGED = "merged"
    """Someone had edited on: only what was ours is gone, the rest is theirs."""
    LEFT = "left"
    """Not touched, because what is there now cannot be told apart from someone else's work."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step of a run: what it was on, how it ended, what there is to say."""

    kind: str
    subject: str
    result: StepResult
    detail: Text | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One apply or one undo."""

    plan_id: str
    run: str
    result: RunResult
    steps: tuple[StepOutcome, ...]


class PromiseResult(StrEnum):
    """Whether a new read agrees with what a plan promised."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One promise against a new read: `expected` and `seen` in the field's own words (libvirt's, the kernel's)."""

    step: Text
    result: PromiseResult
    expected: str
    seen: str
    evidence: tuple[Evidence, ...]
    reason: Text | None = None
    """Why it could not be compared, where it was not."""


class RunState(StrEnum):
    """What became of a run, as history tells it."""

    APPLIED = "applied"
    AWAITING_KEEP = "awaiting_keep"
    """On trial: taken back by itself unless the user keeps it."""
    TAKEN_BACK = "taken_back"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"
    """It began and never ended: the process died. Undo settles it."""
    FAILED = "failed"
    """A step failed and everything was taken back."""
    UNREADABLE = "unreadable"
    """Its journal is not what Vitrail writes; it is shown, and nothing acts on it."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run, newest first in lists. `applied_at` is seconds since the epoch, UTC."""

    plan_id: str
    run: str
    applied_at: float
    connection: str
    vm_uuid: str
    vm_name: str
    mode: str
    state: RunState

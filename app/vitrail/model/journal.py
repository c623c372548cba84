# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a run's journal, format 1. Append-only JSON lines; a torn last line is tolerated.

The journal says what was about to happen and what was seen after; it is never believed alone: undo compares each
subject as it is now with the plan's before and after. Texts are stored beside it by digest, never in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.choice import Choice

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First line: which plan, on what, when (seconds since the epoch, UTC)."""

    format: int
    run: str
    plan_id: str
    connection: str
    started_at: float
    vm_uuid: str
    vm_name: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Written and synced before the step writes anything."""

    index: int
    step: str
    """The step's kind, as the command line names it."""
    subject: str
    before_digest: str
    after_digest: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """The step's own check passed. `seen_digest` is what was read back: libvirt adds addresses and normalises."""

    index: int
    seen_digest: str


@dataclass(frozen=True, slots=True)
class StepTakenBack:
    """The step is undone; `result` is a `StepResult`, `seen_digest` what was read back."""

    index: int
    result: str
    seen_digest: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How the run, or a later undo of it, ended: a `RunResult`."""

    result: str
    ended_at: float


Line = RunStarted | StepStarted | StepDone | StepTakenBack | RunEnded

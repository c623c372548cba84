# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a run's journal, format 1. Append-only JSON lines; a torn last line is tolerated.

The journal says what was about to happen and what was seen after; it is never believed alone: undo compares each
subject as it is now with the plan's before and after. Texts are stored beside it by digest, never in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.choice import Choice
from vitrail.model.host_step import HostPlan

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
class HostHandedOver:
    """Written and synced before root is asked to change this computer; the root side keeps a journal of its own.

    The digests are those of the VM's step that waits until the host's part is kept, None where there is none.
    """

    plan: HostPlan
    vm_before: str | None
    vm_after: str | None


@dataclass(frozen=True, slots=True)
class HostAnswered:
    """Root carried it out, as this run of its own."""

    host_run: str


@dataclass(frozen=True, slots=True)
class HostKept:
    """Root made it lasting, in this boot."""

    boot_id: str
    kept_at: float


@dataclass(frozen=True, slots=True)
class HostTakenBack:
    """The host's part is undone; `result` is a `StepResult`."""

    result: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How the run, or a later undo of it, ended: a `RunResult`."""

    result: str
    ended_at: float


Line = (
    RunStarted
    | StepStarted
    | StepDone
    | StepTakenBack
    | HostHandedOver
    | HostAnswered
    | HostKept
    | HostTakenBack
    | RunEnded
)

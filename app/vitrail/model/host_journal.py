# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a host run's journal, format 1, which every later helper reads.

Like the journal of VM runs, it is not believed alone. What a file was before is kept beside it by digest; its mode,
owner and labels stand here. So a restored file is the one that was there.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.host_step import HostPlan
from vitrail.model.host_story import Foundation

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Label:
    """One extended attribute (access lists, SELinux labels), its value in base64."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was: SHA-256 of its bytes and what belongs to it."""

    digest: str
    mode: int
    owner: int
    group: int
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class HostRunStarted:
    """First line: the whole plan, so that undo needs nothing else."""

    format: int
    run: str
    started_at: float
    plan: HostPlan


@dataclass(frozen=True, slots=True)
class FileStarted:
    """Written and synced before a file is touched; `folders` are those that are made for it, outermost first."""

    index: int
    before: FileState | None
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """Written and synced before a program runs; `listed` are the plan's words that it had before."""

    index: int
    listed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BindStarted:
    """Written and synced before a device is taken from its driver: whose it was, and who was named for it."""

    index: int
    driver: str | None
    override: str | None


@dataclass(frozen=True, slots=True)
class HostStepDone:
    """The step's own check passed."""

    index: int


@dataclass(frozen=True, slots=True)
class HostStepTakenBack:
    """The step is undone; `result` is a `StepResult`. `replaced` is what a forced undo overwrote, by digest."""

    index: int
    result: str
    replaced: str | None


@dataclass(frozen=True, slots=True)
class HostRunKept:
    """The user saw the computer with it, in this boot."""

    boot_id: str
    kept_at: float
    foundation: Foundation
    """What the computer was then, so that a later break can be dated by what was updated since."""


@dataclass(frozen=True, slots=True)
class HostRunEnded:
    """How the run, or a later undo of it, ended: a `RunResult`."""

    result: str
    ended_at: float


HostLine = (
    HostRunStarted
    | FileStarted
    | ToolStarted
    | BindStarted
    | HostStepDone
    | HostStepTakenBack
    | HostRunKept
    | HostRunEnded
)

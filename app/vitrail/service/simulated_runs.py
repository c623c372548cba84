# SPDX-License-Identifier: GPL-3.0-or-later
"""The journals of simulated changes to a recorded computer, in the lines that the root helper's own have."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.host_journal import (
    FORMAT,
    FileStarted,
    HostLine,
    HostRunEnded,
    HostRunStarted,
    HostStepTakenBack,
    ToolStarted,
)
from vitrail.model.host_place import subject_path
from vitrail.model.host_step import HostChange, HostPlan, WriteFile
from vitrail.model.host_wire import HostRunState
from vitrail.model.outcome import RunResult, RunState
from vitrail.model.wire import canonical, from_wire

if TYPE_CHECKING:
    from vitrail.service.state import StateFolder

_JOURNAL = "journal.jsonl"
_CALLS = "calls.jsonl"
_STATES = {
    RunResult.APPLIED.value: RunState.APPLIED,
    RunResult.TAKEN_BACK.value: RunState.TAKEN_BACK,
    RunResult.INCOMPLETE.value: RunState.INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """One run; `begun` are the steps that may have done something."""

    name: str
    plan: HostPlan
    started_at: float
    begun: frozenset[int]
    ended: str | None

    @property
    def state(self) -> RunState:
        """What became of it."""
        return RunState.INTERRUPTED if self.ended is None else _STATES.get(self.ended, RunState.INTERRUPTED)

    @property
    def in_effect(self) -> bool:
        """Whether something of it may still be there."""
        return self.state is not RunState.TAKEN_BACK

    @property
    def paths(self) -> set[str]:
        """The files that it writes."""
        return {path for change in self.plan.steps if (path := subject_path(change)) is not None}

    @property
    def told(self) -> HostRunState:
        """As the root helper would tell of it."""
        awaits = self.plan.guarded and self.state is RunState.APPLIED
        plan = self.plan
        return HostRunState(
            plan.plan_id,
            self.name,
            self.started_at,
            self.state.value,
            kept=False,
            awaits_keep=awaits,
            boot_id=plan.boot_id,
        )


class SimulatedRuns:
    """The runs on one recording."""

    def __init__(self, state: StateFolder, simulation: tuple[str, str]) -> None:
        self._state = state
        self._names = (*simulation, "host")
        self._folder = state.path.joinpath(*self._names, "runs")
        self._plans: dict[str, HostPlan] = {}

    def plan(self, run: str) -> HostPlan:
        """What a run that was begun here carries out."""
        return self._plans[run]

    def begin(self, plan: HostPlan) -> str:
        """A new run with its first line; its name. Raises OSError."""
        self._state.folder(*self._names, "runs")
        number = max((int(name[:6]) for name in self._run_names()), default=0) + 1
        name = f"{number:06d}-{plan.plan_id}"
        self._state.folder(*self._names, "runs", name)
        self._plans[name] = plan
        self.append(name, HostRunStarted(FORMAT, name, time.time(), plan))
        return name

    def started(self, run: str, index: int, change: HostChange) -> None:
        """Announce a step before it does anything."""
        self.append(run, FileStarted(index, None, ()) if isinstance(change, WriteFile) else ToolStarted(index, ()))

    def append(self, run: str, line: HostLine) -> None:
        """Add a line and wait until it is on the disk. Raises OSError."""
        self._add(f"runs/{run}/{_JOURNAL}", canonical(line))

    def note(self, words: str) -> None:
        """Note a program that was not run."""
        self._add(_CALLS, words)

    def _add(self, name: str, words: str) -> None:
        path = self._state.path.joinpath(*self._names, name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, words.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _run_names(self) -> list[str]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - names are all
        except FileNotFoundError:
            return []
        return sorted(name for name in names if name[:6].isdecimal())

    def read(self) -> tuple[SimulatedRun, ...]:
        """Every run that can be read, newest first. Raises Unreachable where the folder cannot be looked into."""
        try:
            found = [self._read_run(name) for name in reversed(self._run_names())]
        except OSError as error:
            raise self._state.unusable(error) from error
        return tuple(run for run in found if run is not None)

    def _read_run(self, name: str) -> SimulatedRun | None:
        try:
            content = (self._folder / name / _JOURNAL).read_bytes()
        except FileNotFoundError:
            return None
        try:
            # A line that nobody finished writing was never announced.
            lines = [from_wire(HostLine, json.loads(line)) for line in content.split(b"\n")[:-1]]
        except (ValueError, RecursionError):
            return None
        if not lines or not isinstance(lines[0], HostRunStarted):
            return None
        begun = frozenset(line.index for line in lines if isinstance(line, FileStarted | ToolStarted))
        ended: str | None = None
        for line in lines:
            if isinstance(line, HostRunEnded):
                ended = line.result
            elif isinstance(line, HostStepTakenBack):
                # An undo that was killed after this line is no run that is applied.
                ended = None
        return SimulatedRun(name, lines[0].plan, lines[0].started_at, begun, ended)

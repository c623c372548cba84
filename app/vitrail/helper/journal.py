# SPDX-License-Identifier: GPL-3.0-or-later
"""One folder a run with an append-only journal. A line is on the disk before what it announces happens.

A last line without its end was never announced and is dropped; anything else that does not fit makes the run
unreadable: it is shown and nothing acts on it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import time
from dataclasses import dataclass, replace

from vitrail.helper.put import write_all
from vitrail.helper.rules import is_of_guard
from vitrail.helper.state import RUNS, State
from vitrail.helper.tree import Tree
from vitrail.model.host_journal import (
    FORMAT,
    BindStarted,
    FileStarted,
    HostLine,
    HostRunEnded,
    HostRunKept,
    HostRunStarted,
    HostStepDone,
    HostStepTakenBack,
    ToolStarted,
)
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.outcome import RunResult, RunState, StepResult
from vitrail.model.wire import canonical, from_wire

_NAME = re.compile(r"(\d{6,12})-([0-9a-f]{16})", re.ASCII)
_FILE = "journal.jsonl"
_PRIVATE = 0o600
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the journal holds of one step."""

    started: FileStarted | ToolStarted | BindStarted | None = None
    done: bool = False
    taken_back: HostStepTakenBack | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A journal that could be read."""

    started: HostRunStarted
    steps: tuple[StepRecord, ...]
    kept: HostRunKept | None
    ended: HostRunEnded | None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.started.run

    @property
    def plan(self) -> HostPlan:
        """What it was to carry out."""
        return self.started.plan

    @property
    def state(self) -> RunState:
        """What became of it, by the journal alone."""
        match self.ended.result if self.ended is not None else None:
            case RunResult.APPLIED.value:
                return RunState.APPLIED
            case RunResult.TAKEN_BACK.value:
                failed = any(step.taken_back and step.taken_back.result == StepResult.FAILED for step in self.steps)
                return RunState.FAILED if failed else RunState.TAKEN_BACK
            case RunResult.INCOMPLETE.value:
                return RunState.INCOMPLETE
        return RunState.INTERRUPTED

    @property
    def in_effect(self) -> bool:
        """Whether something of it may still be there."""
        return self.state in (RunState.APPLIED, RunState.INCOMPLETE, RunState.INTERRUPTED)

    @property
    def awaits_keep(self) -> bool:
        """Whether it is taken back unless somebody says that it stays."""
        return self.state is RunState.APPLIED and self.plan.guarded and self.kept is None

    @property
    def is_left_over(self) -> bool:
        """Whether the plan is kept, and what belonged to the trial of it is still there."""
        if self.kept is None or not self.plan.guarded:
            return False
        if self.plan.keep:
            return self.in_effect
        guards = [step for change, step in zip(self.plan.steps, self.steps, strict=True) if is_of_guard(change)]
        return self.state is RunState.APPLIED and not all(map(_is_gone, guards))


def _is_gone(step: StepRecord) -> bool:
    return step.taken_back is not None and step.taken_back.result != StepResult.FAILED


class Journal:
    """The journal of one run, open for appending; only who holds the lock has one."""

    def __init__(self, state: State, run: str) -> None:
        self._state = state
        self.run = run

    def append(self, line: HostLine) -> None:
        """Add a line and wait until it is on the disk. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._state.tree.folder(f"{RUNS}/{self.run}") as folder:
            descriptor = os.open(_FILE, flags, _PRIVATE, dir_fd=folder)
            try:
                _drop_torn_end(descriptor)
                _write_line(descriptor, canonical(line).encode() + b"\n")
            finally:
                os.close(descriptor)
            if isinstance(line, HostRunStarted):
                os.fsync(folder)

    def end(self, result: RunResult) -> None:
        """Close the run, or an undo of it."""
        self.append(HostRunEnded(result.value, time.time()))


def _write_line(descriptor: int, line: bytes) -> None:
    """What could not be brought to the disk was never said: nobody acts on it, so nobody shall read it."""
    size = os.fstat(descriptor).st_size
    try:
        write_all(descriptor, line)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def _drop_torn_end(descriptor: int) -> None:
    content = os.pread(descriptor, _MAX_BYTES, 0)
    if content and not content.endswith(b"\n"):
        os.ftruncate(descriptor, content.rfind(b"\n") + 1)


def begin(state: State, plan: HostPlan) -> Journal:
    """A new run folder with its first line."""
    numbers = [int(match[1]) for name in state.tree.names(RUNS) if (match := _NAME.fullmatch(name))]
    name = f"{max(numbers, default=0) + 1:06d}-{plan.plan_id}"
    state.make("runs", name)
    journal = Journal(state, name)
    journal.append(HostRunStarted(FORMAT, name, time.time(), plan))
    return journal


def read_runs(tree: Tree) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Every run, newest first, and the names of those that cannot be read. A run without a line never began."""
    runs, broken = [], []
    for name in sorted(tree.names(RUNS), key=_number, reverse=True):
        if not _NAME.fullmatch(name):
            continue
        try:
            lines = _read_lines(tree, name)
            if lines:
                runs.append(_as_run(name, lines))
        except (OSError, ValueError, RecursionError, Refusal):
            broken.append(name)
    return tuple(runs), tuple(broken)


def _number(name: str) -> int:
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else 0


def _read_lines(tree: Tree, run: str) -> list[HostLine]:
    try:
        content = tree.fact(f"{RUNS}/{run}/{_FILE}", _MAX_BYTES + 1)
    except FileNotFoundError:
        return []
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, run)
    return [from_wire(HostLine, json.loads(line)) for line in content.split(b"\n")[:-1]]


def _as_run(name: str, lines: list[HostLine]) -> Run:
    first = lines[0]
    if not isinstance(first, HostRunStarted) or first.format != FORMAT or first.run != name:
        raise ValueError(name)
    run = Run(first, tuple(StepRecord() for _ in first.plan.steps), None, None)
    for line in lines[1:]:
        run = _followed(run, line)
    return run


def _followed(run: Run, line: HostLine) -> Run:
    match line:
        case HostRunStarted():
            raise ValueError(run.name)
        case HostRunEnded():
            return replace(run, ended=line)
        case HostRunKept():
            return replace(run, kept=line)
    if not 0 <= line.index < len(run.steps):
        raise ValueError(run.name)
    step = run.steps[line.index]
    match line:
        case FileStarted() | ToolStarted() | BindStarted():
            step = replace(step, started=line)
        case HostStepDone():
            step = replace(step, done=True)
        case HostStepTakenBack():
            step = replace(step, taken_back=line)
            # An undo that was killed after this line is no run that is applied; but a guard that is no longer needed
            # goes by itself.
            if run.kept is None or not is_of_guard(run.plan.steps[line.index]):
                run = replace(run, ended=None)
    return replace(run, steps=(*run.steps[: line.index], step, *run.steps[line.index + 1 :]))


def is_kept(tree: Tree, plan_id: str | None) -> bool:
    """Whether the user's word is that this plan stays, and it is still in effect."""
    return any(run.kept and run.in_effect for run in read_runs(tree)[0] if run.plan.plan_id == plan_id)


def readable_runs(tree: Tree) -> tuple[Run, ...]:
    """Every run. Raises Refusal where one cannot be read: a change on top of it could not be taken back."""
    runs, broken = read_runs(tree)
    if broken:
        raise Refusal(Kind.JOURNAL, run=broken[0])
    return runs

# SPDX-License-Identifier: GPL-3.0-or-later
"""One folder a run with an append-only journal; reading never trusts what it finds there.

A line is on the disk before what it announces happens. A last line without its end was never announced and is dropped;
anything else that does not fit makes the whole run unreadable, which is shown and never acted upon.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

from vitrail.model.errors import Unreachable
from vitrail.model.journal import (
    FORMAT,
    HostAnswered,
    HostHandedOver,
    HostKept,
    HostTakenBack,
    Line,
    RunEnded,
    RunStarted,
    StepDone,
    StepStarted,
    StepTakenBack,
)
from vitrail.model.outcome import RunResult, RunState, StepResult
from vitrail.model.plan import Plan
from vitrail.model.text import Text, text
from vitrail.model.wire import canonical, from_wire
from vitrail.service.state import StateFolder, sync_folder

_NAME = re.compile(r"(\d{6,12})-([0-9a-f]{16})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 4 * 1024 * 1024
EDIT_VM = "edit-vm"
RESUME = "resume-at-login"
_IN_EFFECT = (RunState.APPLIED, RunState.AWAITING_KEEP, RunState.INCOMPLETE, RunState.INTERRUPTED)
_FILE = "journal.jsonl"
_LATEST = 253_370_764_800.0
"""The year 9999 in seconds since the epoch: no calendar goes further."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the journal holds of one step."""

    started: StepStarted
    seen_digest: str | None = None
    taken_back: StepTakenBack | None = None


@dataclass(frozen=True, slots=True)
class HostRecord:
    """What the journal holds of the host's part; root keeps its own of what it did."""

    handed_over: HostHandedOver
    answered: HostAnswered | None = None
    kept: HostKept | None = None
    taken_back: HostTakenBack | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A journal that could be read. `ended` is its last end, None where the process died on the way."""

    name: str
    number: int
    started: RunStarted
    steps: tuple[StepRecord, ...]
    ended: RunEnded | None
    host: HostRecord | None = None

    @property
    def state(self) -> RunState:
        """What became of it, by the journal alone."""
        result = self.ended.result if self.ended is not None else None
        match result:
            case RunResult.APPLIED.value:
                return RunState.APPLIED
            case RunResult.AWAITING_KEEP.value:
                return RunState.AWAITING_KEEP
            case RunResult.TAKEN_BACK.value:
                ends = [step.taken_back for step in self.steps] + [self.host.taken_back if self.host else None]
                failed = any(end is not None and end.result == StepResult.FAILED for end in ends)
                return RunState.FAILED if failed else RunState.TAKEN_BACK
            case RunResult.INCOMPLETE.value:
                return RunState.INCOMPLETE
        return RunState.INTERRUPTED

    @property
    def in_effect(self) -> bool:
        """Whether something of it may still be there."""
        return self.state in _IN_EFFECT

    @property
    def vm_steps(self) -> tuple[StepRecord, ...]:
        """The steps on the VM's definition."""
        return tuple(step for step in self.steps if step.started.step == EDIT_VM)

    @property
    def user_steps(self) -> tuple[StepRecord, ...]:
        """The steps on the user's own files."""
        return tuple(step for step in self.steps if step.started.step == RESUME)


@dataclass(frozen=True, slots=True)
class BrokenRun:
    """A run folder whose journal is not what Vitrail writes."""

    name: str
    number: int
    plan_id: str
    changed_at: float
    reason: Text


class Journal:
    """The journal of one run, open for appending. Only who holds the state folder's lock has one."""

    def __init__(self, state: StateFolder, run: str, plan_id: str) -> None:
        self._state = state
        self.run = run
        self.plan_id = plan_id
        self.touched = False
        """Whether anything was added."""
        self._path = state.runs / run / _FILE

    def append(self, line: Line) -> None:
        """Add a line and wait until it is on the disk. Raises Unreachable."""
        self.touched = True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._drop_torn_end(descriptor)
                os.write(descriptor, canonical(line).encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if isinstance(line, RunStarted):
                sync_folder(self._path.parent)
        except OSError as error:
            raise self._state.unusable(error) from error

    def _drop_torn_end(self, descriptor: int) -> None:
        content = os.pread(descriptor, _MAX_BYTES, 0)
        if content and not content.endswith(b"\n"):
            os.ftruncate(descriptor, content.rfind(b"\n") + 1)

    def end(self, result: RunResult) -> None:
        """Close the run or an undo of it."""
        self.append(RunEnded(result.value, time.time()))


def begin_run(state: StateFolder, connection: str, plan: Plan) -> Journal:
    """A new run folder with its first line. Raises Unreachable where the state folder cannot be written."""
    try:
        runs = state.folder("runs")
        number = max((_number(name) for name in os.listdir(runs)), default=0) + 1  # noqa: PTH208 - names are all
        name = f"{number:06d}-{plan.plan_id}"
        state.folder("runs", name)
    except OSError as error:
        raise state.unusable(error) from error
    journal = Journal(state, name, plan.plan_id)
    journal.append(
        RunStarted(FORMAT, name, plan.plan_id, connection, time.time(), plan.vm_uuid, plan.vm_name, plan.choice)
    )
    return journal


def _number(name: str) -> int:
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else 0


def read_runs(state: StateFolder) -> tuple[Run | BrokenRun, ...]:
    """Every run, newest first. Raises Unreachable where the folder is there and cannot be looked into."""
    try:
        names = [entry.name for entry in os.scandir(state.runs) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise state.unusable(error) from error
    runs = [run for name in names if (run := _read_run(state.runs / name)) is not None]
    return tuple(sorted(runs, key=lambda run: (run.number, run.name), reverse=True))


def readable(runs: tuple[Run | BrokenRun, ...], connection: str) -> tuple[Run, ...]:
    """Those of one connection whose journal could be read."""
    return tuple(run for run in runs if isinstance(run, Run) and run.started.connection == connection)


def _read_run(folder: Path) -> Run | BrokenRun | None:
    """None for a run that died before there was a journal: it never began."""
    number = _number(folder.name)
    try:
        return _as_run(folder.name, number, _read_lines(folder / _FILE))
    except FileNotFoundError as error:
        return None if number else _broken(folder, number, error)
    except (OSError, ValueError, RecursionError) as error:
        return _broken(folder, number, error)


def _read_lines(path: Path) -> list[Line]:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(path.name)
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(path.name)
    return [from_wire(Line, json.loads(line)) for line in content.split(b"\n")[:-1]]


def _broken(folder: Path, number: int, error: Exception) -> BrokenRun:
    match = _NAME.fullmatch(folder.name)
    try:
        changed_at = folder.stat().st_mtime
    except OSError:
        changed_at = 0.0
    detail = error.strerror or "" if isinstance(error, OSError) else type(error).__name__
    reason = text("service.journal.unreadable", path=str(folder / _FILE), message=detail)
    return BrokenRun(folder.name, number, match[2] if match else "", changed_at, reason)


def _as_run(name: str, number: int, lines: list[Line]) -> Run:
    first = lines[0] if lines else None
    if not isinstance(first, RunStarted) or first.format != FORMAT or first.run != name or not number:
        raise ValueError(name)
    if not 0 <= first.started_at <= _LATEST:
        raise ValueError(name)
    steps: list[StepRecord] = []
    host: HostRecord | None = None
    ended: RunEnded | None = None
    for line in lines[1:]:
        match line:
            case RunEnded():
                ended = line
            case HostHandedOver() | HostAnswered() | HostKept() | HostTakenBack():
                host = _host_followed(host, line, first.plan_id)
                # What is kept is followed by the rest, what is taken back by an end; until then it is under way.
                ended = None if isinstance(line, HostKept | HostTakenBack) else ended
            case StepStarted():
                if line.index != len(steps) or not _are_digests(line):
                    raise ValueError(name)
                steps.append(StepRecord(line))
            case StepDone() | StepTakenBack():
                if not 0 <= line.index < len(steps) or not (line.seen_digest == "" or _is_digest(line.seen_digest)):
                    raise ValueError(name)
                steps[line.index] = _followed(steps[line.index], line)
                ended = None if isinstance(line, StepTakenBack) else ended
            case _:
                raise ValueError(name)
    return Run(name, number, first, tuple(steps), ended, host)


def _host_followed(
    host: HostRecord | None, line: HostHandedOver | HostAnswered | HostKept | HostTakenBack, plan_id: str
) -> HostRecord:
    if isinstance(line, HostHandedOver):
        digests = [digest for digest in (line.vm_before, line.vm_after) if digest is not None]
        if host is not None or line.plan.plan_id != plan_id or not _is_digest(*digests):
            raise ValueError(plan_id)
        return HostRecord(line)
    if host is None:
        raise ValueError(plan_id)
    match line:
        case HostAnswered():
            return replace(host, answered=line)
        case HostKept():
            return replace(host, kept=line)
    return replace(host, taken_back=line)


def _are_digests(line: StepStarted) -> bool:
    """A file of the user's may not have been there before."""
    return _is_digest(line.after_digest) and (
        _is_digest(line.before_digest) or (line.step == RESUME and not line.before_digest)
    )


def _is_digest(*words: str) -> bool:
    return all(_DIGEST.fullmatch(word) for word in words)


def _followed(step: StepRecord, line: StepDone | StepTakenBack) -> StepRecord:
    if isinstance(line, StepDone):
        return StepRecord(step.started, line.seen_digest, step.taken_back)
    return StepRecord(step.started, step.seen_digest, line)


def unreachable_original(state: StateFolder, digest: str) -> Unreachable:
    """An original that a run needs is gone or was changed on the disk."""
    return Unreachable(text("service.journal.original-gone", path=str(state.object_path(digest))))

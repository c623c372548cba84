# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: the VM first, then this computer, then the user's file; newest run first.

Which runs are meant, what undoing them would write, and doing it. The journal alone is never believed: every subject
is compared with what it was before and after, by whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.text import Text, text
from vitrail.plan.describe import unified
from vitrail.service.changing import Bench
from vitrail.service.defining import Vanished, read_text
from vitrail.service.host_port import Begun, is_in_effect
from vitrail.service.host_words import as_steps, worst_of
from vitrail.service.journal import Journal, Run, read_runs, readable
from vitrail.service.undoing_host import Virtual, host_ways, undo_host
from vitrail.service.undoing_vm import find_way, undo_vm
from vitrail.service.user_step import RESUME_FILE, resume_way, undo_resume
from vitrail.xmldoc.diff import shown_diff

_STOPS = (StepResult.FAILED, StepResult.UNKNOWN)


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo of one run would write to one subject.

    `merges`: others edited since, and their work stays. `left`: what of ours cannot be told from theirs and stays too.
    `gone`: the VM is not there any more. `what`: the subject where it is not the VM's definition.
    """

    plan_id: str
    run: str
    vm_name: str
    diff: str
    merges: bool
    left: tuple[str, ...]
    gone: bool = False
    what: Text | None = None


@dataclass(frozen=True, slots=True)
class HostOnly:
    """A change to this computer that no journal here tells of: another user made it, or the journal is gone."""

    plan_id: str
    name: str
    started_at: float


Chosen = Run | HostOnly


def choose_runs(bench: Bench, plan_id: str | None, *, everything: bool) -> tuple[Chosen, ...]:
    """The runs to take back, newest first. Raises Refused for a plan that is not known or not the newest on its VM."""
    ours = readable(read_runs(bench.state), bench.connection)
    live = tuple(run for run in ours if run.in_effect)
    if everything or plan_id is None:
        chosen = _by_time(live, _elsewhere(bench, ours, live))
        return chosen if everything else chosen[:1]
    named = [run for run in ours if run.started.plan_id == plan_id]
    if not named:
        other = next((one for one in _elsewhere(bench, ours, live) if _plan_of(one) == plan_id), None)
        if other is None:
            raise _unknown_plan(bench, plan_id)
        return (other,)
    run = next((run for run in named if run.in_effect), named[0])
    later = next((other for other in live if other.number > run.number and _same_vm(other, run)), None)
    if later is not None:
        raise Refused(
            text("service.undo.later-first", plan=plan_id, later=later.started.plan_id, vm=run.started.vm_name),
            text("service.undo.do-later-first", later=later.started.plan_id),
            text("service.undo.or-everything"),
        )
    return (run,)


def _elsewhere(bench: Bench, ours: tuple[Run, ...], live: tuple[Run, ...]) -> tuple[HostOnly | Run, ...]:
    """Changes to this computer that are in effect though no run of `live` tells so."""
    try:
        runs = bench.host.status().runs
    except (Refused, Unreachable):
        # A VM is taken back where nobody can ask for the computer's part, too.
        return ()
    known = {run.started.plan_id for run in live}
    found: dict[str, HostOnly | Run] = {}
    for told in runs:
        if is_in_effect(told) and told.plan_id not in known:
            mine = next((run for run in ours if run.started.plan_id == told.plan_id), None)
            found.setdefault(told.plan_id, mine or HostOnly(told.plan_id, told.run, told.started_at))
    return tuple(found.values())


def _by_time(live: tuple[Run, ...], others: tuple[Chosen, ...]) -> tuple[Chosen, ...]:
    return tuple(sorted((*live, *others), key=_began, reverse=True)) if others else live


def _plan_of(run: Chosen) -> str:
    return run.plan_id if isinstance(run, HostOnly) else run.started.plan_id


def _began(run: Chosen) -> float:
    return run.started_at if isinstance(run, HostOnly) else run.started.started_at


def _same_vm(one: Run, other: Run) -> bool:
    return one.started.vm_uuid == other.started.vm_uuid


def _unknown_plan(bench: Bench, plan_id: str) -> Refused:
    elsewhere = [run for run in read_runs(bench.state) if isinstance(run, Run) and run.started.plan_id == plan_id]
    if elsewhere:
        return Refused(
            text("service.undo.elsewhere", plan=plan_id, connection=elsewhere[0].started.connection),
            text("service.undo.open-there"),
        )
    return Refused(text("service.undo.unknown-plan", plan=plan_id), text("service.undo.see-history"))


def preview(bench: Bench, runs: Iterable[Chosen], *, force: bool = False) -> tuple[UndoPreview, ...]:
    """What taking these runs back, in this order, would write. Writes nothing."""
    domains: dict[str, str] = {}
    files: Virtual = {}
    previews: list[UndoPreview] = []
    for run in runs:
        if isinstance(run, HostOnly):
            what = text("service.undo.host-of-others")
            previews.append(UndoPreview(run.plan_id, run.name, "", "", merges=False, left=(), what=what))
            continue
        previews += _vm_previews(bench, run, domains, force=force)
        plan_id, name = run.started.plan_id, run.started.vm_name
        previews += [
            UndoPreview(plan_id, run.name, name, way.diff, way.merges, way.left, what=way.what)
            for way in host_ways(bench, run, files, force=force)
        ]
        previews += _user_previews(bench, run, force=force)
    return tuple(previews)


def _vm_previews(bench: Bench, run: Run, domains: dict[str, str], *, force: bool) -> list[UndoPreview]:
    uuid, name, plan_id = run.started.vm_uuid, run.started.vm_name, run.started.plan_id
    previews: list[UndoPreview] = []
    for step in reversed(run.vm_steps):
        if uuid not in domains:
            try:
                domains[uuid] = read_text(bench.store, uuid)[1]
            except Vanished:
                previews.append(UndoPreview(plan_id, run.name, name, "", merges=False, left=(), gone=True))
                continue
        way = find_way(bench, run, step, domains[uuid], force=force)
        domains[uuid] = way.target
        merges = way.result is StepResult.MERGED
        diff = shown_diff(way.current, way.target)
        previews.append(UndoPreview(plan_id, run.name, name, diff, merges, way.left))
    return previews


def _user_previews(bench: Bench, run: Run, *, force: bool) -> list[UndoPreview]:
    previews: list[UndoPreview] = []
    for step in run.user_steps:
        path = str(bench.user.path(RESUME_FILE))
        try:
            current = bench.user.read(RESUME_FILE)
        except OSError:
            continue
        result, target = resume_way(bench, step, current, force=force)
        if result is not StepResult.SAME:
            what, left = text("service.undo.user-file", path=path), (path,) if result is StepResult.LEFT else ()
            diff = unified(path, current, target)
            plan_id, name = run.started.plan_id, run.started.vm_name
            previews.append(UndoPreview(plan_id, run.name, name, diff, merges=False, left=left, what=what))
    return previews


def undo_run(bench: Bench, run: Chosen, *, force: bool, begun: Begun | None = None) -> RunOutcome:
    """Take one run back. The state folder's lock is held by the caller. Raises Unreachable with nothing written."""
    if isinstance(run, HostOnly):
        outcomes = bench.host.undo(run.plan_id, force=force, begun=begun)
        steps = as_steps(outcomes, simulated=bench.host.simulated)
        return RunOutcome(run.plan_id, run.name, worst_of(outcomes), steps)
    journal = Journal(bench.state, run.name, run.started.plan_id)
    steps, result = _take_back(bench, run, journal, force=force, begun=begun)
    results = {step.result for step in steps}
    if StepResult.UNKNOWN in results:
        result = RunResult.UNKNOWN
    elif results & {StepResult.FAILED, StepResult.LEFT}:
        result = RunResult.INCOMPLETE
    if run.in_effect or journal.touched or result is not RunResult.TAKEN_BACK:
        journal.end(result)
    if result is RunResult.TAKEN_BACK and results <= {StepResult.SAME}:
        result = RunResult.NOTHING_TO_DO
    return RunOutcome(run.started.plan_id, run.name, result, steps)


def _take_back(
    bench: Bench, run: Run, journal: Journal, *, force: bool, begun: Begun | None
) -> tuple[tuple[StepOutcome, ...], RunResult]:
    """The VM, then the computer, then the user's file. A VM that could not be taken back keeps the rest as it is."""
    try:
        steps = [undo_vm(bench, run, journal, step, force=force) for step in reversed(run.vm_steps)]
    except Unreachable as error:
        if run.host is None:
            raise
        alone = text("service.undo.host-alone", plan=run.started.plan_id)
        raise Unreachable(error.what, *error.next_steps, alone) from error
    if any(step.result in _STOPS for step in steps):
        return tuple(steps), RunResult.INCOMPLETE
    result = RunResult.TAKEN_BACK
    if run.host is not None:
        wrote = any(step.result in (StepResult.TAKEN_BACK, StepResult.MERGED) for step in steps)
        done, ended = undo_host(bench, run, journal, force=force, wrote=wrote, begun=begun)
        steps += done
        result = ended if ended in (RunResult.INCOMPLETE, RunResult.UNKNOWN) else result
        if result is not RunResult.TAKEN_BACK:
            return tuple(steps), result
    steps += [undo_resume(bench, run, journal, step, force=force) for step in run.user_steps]
    return tuple(steps), result

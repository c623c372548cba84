# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out in its order: the user's file, this computer, the VM. One run holds all of it.

A plan for this computer ends before its VM: that waits until the user saw the computer start. Whatever fails before
takes everything back, so a run is either there as far as it may be, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled, VitrailError
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import HostStepOutcome
from vitrail.model.journal import HostAnswered, HostHandedOver, HostTakenBack
from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.plan import Plan, When
from vitrail.model.step import EditVm, HostStep, ResumeAtLogin, Step
from vitrail.model.text import text
from vitrail.service.changing import Bench, Progress, change_vm
from vitrail.service.host_port import Begun
from vitrail.service.host_words import as_step, as_steps, worst_of
from vitrail.service.journal import Journal, Run, begin_run, read_runs
from vitrail.service.user_step import put_resume, undo_resume

_NO_MACHINE = "0" * 64
_NO_BOOT = "00000000-0000-4000-8000-000000000000"
"""What a recording without these is said to be; a copy compares neither."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A plan by who carries it out and when."""

    resume: tuple[ResumeAtLogin, ...]
    host: tuple[HostStep, ...]
    keep: tuple[HostStep, ...]
    vm: tuple[EditVm, ...]
    vm_later: tuple[EditVm, ...]

    @classmethod
    def of(cls, plan: Plan) -> Parts:
        """The parts of this plan."""

        def steps(kind: type[Step], *moments: When) -> tuple[Step, ...]:
            return tuple(
                step for phase in plan.phases if phase.when in moments for step in phase.steps if isinstance(step, kind)
            )

        return cls(
            steps(ResumeAtLogin, When.APPLY),  # type: ignore[arg-type]
            steps(HostStep, When.APPLY),  # type: ignore[arg-type]
            steps(HostStep, When.KEEP),  # type: ignore[arg-type]
            steps(EditVm, When.APPLY),  # type: ignore[arg-type]
            steps(EditVm, When.KEEP, When.KEPT),  # type: ignore[arg-type]
        )


def apply_plan(bench: Bench, plan: Plan, progress: Progress | None = None, begun: Begun | None = None) -> RunOutcome:
    """Carry out what a plan does now. It was just found fresh; the state folder's lock is held by the caller.

    Raises Refused or Unreachable with nothing written, ApplyFailed with everything taken back, Unsettled.
    """
    if not plan.steps:
        return RunOutcome(plan.plan_id, "", RunResult.NOTHING_TO_DO, ())
    parts = Parts.of(plan)
    host_plan = host_plan_of(plan, parts, simulated=bench.host.simulated) if parts.host else None
    if host_plan is not None:
        _require_free(bench)
    _keep_originals(bench, parts)
    journal = begin_run(bench.state, bench.connection, plan)
    outcomes: list[StepOutcome] = []

    def tell(done: StepOutcome) -> None:
        outcomes.append(done)
        if progress is not None:
            progress(done)

    for index, resume in enumerate(parts.resume):
        tell(put_resume(bench, journal, index, resume))
    result = RunResult.APPLIED
    if host_plan is not None:
        outcomes += _hand_over(bench, journal, host_plan, parts, progress=progress, begun=begun)
        result = RunResult.AWAITING_KEEP if host_plan.guarded else result
    for index, edit in enumerate(parts.vm, len(parts.resume)):
        if host_plan is None:
            tell(change_vm(bench, journal, index, edit))
        else:
            tell(_change_vm_after_host(bench, journal, index, edit))
    journal.end(result)
    return RunOutcome(plan.plan_id, journal.run, result, tuple(outcomes))


def _change_vm_after_host(bench: Bench, journal: Journal, index: int, edit: EditVm) -> StepOutcome:
    """The VM's part where the computer's needs no restart; a failure takes that back, too."""
    try:
        return change_vm(bench, journal, index, edit, RunResult.INCOMPLETE)
    except (Refused, Unreachable, ApplyFailed) as error:
        try:
            undone = worst_of(bench.host.undo(journal.plan_id, force=False))
        except (Refused, Unreachable) as second:
            raise Unsettled(error.what, second.what, *second.next_steps) from error
        if undone not in (RunResult.TAKEN_BACK, RunResult.NOTHING_TO_DO):
            raise Unsettled(error.what, text("helper.next.undo", plan=journal.plan_id)) from error
        _give_up(bench, journal, error)
        raise


def host_plan_of(plan: Plan, parts: Parts, *, simulated: bool) -> HostPlan:
    """The computer's part as it crosses to root. Raises Refused where what it is bound to could not be read."""
    machine, boot = plan.machine_id_hash, plan.boot_id
    if simulated:
        try:
            return _host_plan(plan, parts, machine or _NO_MACHINE, boot or _NO_BOOT)
        except ValueError:
            # The recording's stand-ins have another form.
            return _host_plan(plan, parts, _NO_MACHINE, _NO_BOOT)
    if machine is None or boot is None:
        raise Refused(text("service.host.nameless"), text("service.host.nameless.next"))
    return _host_plan(plan, parts, machine, boot)


def _host_plan(plan: Plan, parts: Parts, machine: str, boot: str) -> HostPlan:
    steps, keep = (tuple(step.change for step in some) for some in (parts.host, parts.keep))
    return HostPlan(plan.plan_id, machine, boot, plan.identities, steps, keep, guarded=plan.guard is not None)


def _require_free(bench: Bench) -> None:
    """One change of the start at a time: the next start is the trial of one of them. Raises Refused."""
    bench.host.require()
    waiting = next(iter(bench.host.status().awaiting()), None)
    if waiting is not None:
        raise Refused(
            text("service.host.one-waits", plan=waiting.plan_id),
            text("service.host.one-waits.next", plan=waiting.plan_id),
        )


def _keep_originals(bench: Bench, parts: Parts) -> None:
    """Everything that a preview of the undo, or a look whether it is there, will need."""
    for edit in (*parts.vm, *parts.vm_later):
        bench.state.put(edit.before)
        bench.state.put(edit.after)
    for step in (*parts.host, *parts.keep):
        for words in (step.before, step.after):
            if words is not None:
                bench.state.put(words)


def _hand_over(
    bench: Bench, journal: Journal, plan: HostPlan, parts: Parts, *, progress: Progress | None, begun: Begun | None
) -> tuple[StepOutcome, ...]:
    """Let root do its part; `progress` hears of a step as soon as it is over, not of how it ended.

    Raises what came of it, once everything of this run is as before.
    """
    later = parts.vm_later[0] if parts.vm_later else None
    before, after = (None, None) if later is None else (later.before_digest, later.after_digest)
    journal.append(HostHandedOver(plan, before, after))
    simulated = bench.host.simulated
    told: set[int] = set()

    def hear(step: HostStepOutcome) -> None:
        told.add(step.index)
        if progress is not None:
            progress(as_step(step, simulated=simulated))

    try:
        outcome = bench.host.apply(plan, hear, begun)
    except Unsettled:
        journal.end(RunResult.UNKNOWN)
        raise
    except (Refused, Unreachable, ApplyFailed) as error:
        _give_up(bench, journal, error)
        raise
    for step in outcome.steps:
        if step.index not in told:
            hear(step)
    journal.append(HostAnswered(outcome.run))
    return as_steps((outcome,), simulated=simulated)


def _give_up(bench: Bench, journal: Journal, error: VitrailError) -> None:
    """The computer is as before; the user's file goes too, and the run ends as one that failed."""
    journal.append(HostTakenBack(StepResult.FAILED.value))
    run = run_named(bench, journal.run)
    ends = [undo_resume(bench, run, journal, step, force=False) for step in run.user_steps]
    if any(end.result in (StepResult.FAILED, StepResult.LEFT) for end in ends):
        journal.end(RunResult.INCOMPLETE)
        raise Unsettled(error.what, *(end.detail for end in ends if end.detail is not None)) from error
    journal.end(RunResult.TAKEN_BACK)


def run_named(bench: Bench, name: str) -> Run:
    """A run as its journal tells it now. Raises Unreachable where that cannot be read any more."""
    run = next((run for run in read_runs(bench.state) if run.name == name), None)
    if not isinstance(run, Run):
        raise Unreachable(text("service.journal.unreadable", path=str(bench.state.runs / name), message=""))
    return run

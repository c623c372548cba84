# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep: what is on trial on this computer becomes lasting, and what waited for that follows, if it still is the same.

Root does its part first. The VM's part is planned anew on the computer as it is now; only when that comes to exactly
what was shown before is it written, else the user looks at it first.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

from vitrail.model.choice import gpu_of, mode_of
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, VitrailError
from vitrail.model.host_place import kind_of_change, subject_of_change
from vitrail.model.journal import HostKept
from vitrail.model.outcome import RunOutcome, RunResult, RunState, StepOutcome, StepResult
from vitrail.model.plan import Writer
from vitrail.model.reading import Known
from vitrail.model.step import EditVm
from vitrail.model.text import text
from vitrail.service.awaiting import state_now
from vitrail.service.changing import change_vm
from vitrail.service.journal import EDIT_VM, Journal, Run, read_runs, readable
from vitrail.service.user_step import undo_resume

if TYPE_CHECKING:
    from vitrail.model.choice import Choice
    from vitrail.model.plan import Plan
    from vitrail.service.changing import Bench, Progress
    from vitrail.service.host_port import Begun

PlanAnew = Callable[[Run], "Plan"]
"""Makes the plan of a run's choice on the computer as it is now. Raises Refused or Unreachable."""


def keep_plan(
    bench: Bench,
    plan_id: str | None,
    plan_anew: PlanAnew,
    *,
    without_screen: bool,
    progress: Progress | None = None,
    begun: Begun | None = None,
) -> RunOutcome:
    """Keep the plan, or the one that waits. The state folder's lock is held by the caller.

    Raises Refused, Unreachable or ApplyFailed with the trial as it was, Unsettled.
    """
    status = bench.host.status()
    ours = readable(read_runs(bench.state), bench.connection)
    unfinished = [run for run in ours if state_now(run, status) is RunState.INTERRUPTED and run.host is not None]
    chosen = plan_id or next((one.plan_id for one in status.awaiting()), None)
    chosen = chosen or next((run.started.plan_id for run in unfinished), None)
    if chosen is None:
        raise Refused(text("service.keep.nothing"), text("service.keep.history"))
    run = next((run for run in ours if run.started.plan_id == chosen and run.host is not None), None)
    if run is None or run not in unfinished:
        bench.host.keep(chosen, without_screen=without_screen, begun=begun)
    if run is None:
        return RunOutcome(chosen, "", RunResult.APPLIED, (_host_kept(chosen),))
    return _Following(bench, run, plan_anew, progress).carry_out()


def _host_kept(plan_id: str) -> StepOutcome:
    return StepOutcome("keep-host", plan_id, StepResult.DONE)


class _Following:
    """What comes after root's part, in the run that the plan was applied in."""

    def __init__(self, bench: Bench, run: Run, plan_anew: PlanAnew, progress: Progress | None) -> None:
        self._bench = bench
        self._run = run
        self._journal = Journal(bench.state, run.name, run.started.plan_id)
        self._plan_anew = plan_anew
        self._progress = progress
        self._outcomes: list[StepOutcome] = []

    def _tell(self, outcome: StepOutcome) -> None:
        self._outcomes.append(outcome)
        if self._progress is not None:
            self._progress(outcome)

    def carry_out(self) -> RunOutcome:
        run, host = self._run, self._run.host
        if host is None:
            raise Refused(text("service.keep.nothing"), text("service.keep.history"))
        boot = self._bench.host.boot_id()
        self._journal.append(HostKept(boot.value if isinstance(boot, Known) else "", time.time()))
        for change in host.handed_over.plan.keep:
            self._tell(StepOutcome(kind_of_change(change), subject_of_change(change), StepResult.DONE))
        if not host.handed_over.plan.keep:
            self._tell(_host_kept(run.started.plan_id))
        for step in run.user_steps:
            self._tell(undo_resume(self._bench, run, self._journal, step, force=False))
        if host.handed_over.vm_after is not None:
            self._tell(self._vm(host.handed_over.vm_before or "", host.handed_over.vm_after))
        self._journal.end(RunResult.APPLIED)
        return RunOutcome(run.started.plan_id, run.name, RunResult.APPLIED, tuple(self._outcomes))

    def _vm(self, before: str, after: str) -> StepOutcome:
        started = self._run.started
        try:
            plan = self._plan_anew(self._run)
            edit = _same_edit(plan, before, after)
            if edit is None:
                done = not plan.steps
                detail = (
                    None if done else text("service.keep.review", command=command_for(started.vm_name, plan.choice))
                )
                return StepOutcome(EDIT_VM, started.vm_name, StepResult.SAME if done else StepResult.LEFT, detail)
            return change_vm(self._bench, self._journal, len(self._run.steps), edit, RunResult.APPLIED)
        except (Refused, Unreachable) as error:
            return self._later(StepResult.LEFT, error)
        except ApplyFailed as error:
            return self._later(StepResult.FAILED, error)

    def _later(self, result: StepResult, error: VitrailError) -> StepOutcome:
        started = self._run.started
        command = command_for(started.vm_name, started.choice)
        detail = text("service.keep.vm-not-done", why=error.what, command=command)
        return StepOutcome(EDIT_VM, started.vm_name, result, detail)


def _same_edit(plan: Plan, before: str, after: str) -> EditVm | None:
    """The VM's step of a plan that is nothing but what was reviewed, None where it is anything else."""
    if not plan.writable or any(phase.writer is not Writer.VM for phase in plan.phases):
        return None
    edits = [step for step in plan.steps if isinstance(step, EditVm)]
    same = len(edits) == 1 and (edits[0].before_digest, edits[0].after_digest) == (before, after)
    return edits[0] if same else None


def command_for(vm_name: str, choice: Choice) -> str:
    """What the user types to plan and apply this choice."""
    words = ["vitrail", "apply", "--vm", vm_name, "--mode", mode_of(choice).value]
    gpu = gpu_of(choice)
    if gpu is not None:
        words += ["--gpu", gpu.short]
    for field in fields(choice):
        value = getattr(choice, field.name)
        if field.name != "gpu" and value != field.default:
            words += ["--set", f"{field.name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)


def needs_the_user(outcome: RunOutcome) -> bool:
    """Whether something that belongs to a kept plan is still to be done by hand."""
    return any(step.result in (StepResult.LEFT, StepResult.FAILED) for step in outcome.steps)

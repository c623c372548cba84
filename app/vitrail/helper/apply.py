# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: journal, write, look, journal; the first failure takes back what was done.

A step's journal line is on the disk before it writes. So whoever comes after a kill, at whatever point, knows every
subject that may have changed, and what it was before.
"""

from __future__ import annotations

from vitrail.helper.check import check, check_now, prepare
from vitrail.helper.journal import Journal, begin
from vitrail.helper.left_over import finish_left_over
from vitrail.helper.state import State
from vitrail.helper.steps import StepFailed, carry_out_step
from vitrail.helper.undo import undo_own
from vitrail.model.host_place import subject_of_change
from vitrail.model.host_step import HostPlan, WriteFile
from vitrail.model.host_wire import HostRunOutcome, Kind, Refusal
from vitrail.model.outcome import RunResult


def apply(state: State, plan: HostPlan) -> HostRunOutcome:
    """The whole plan, or nothing of it. Raises Refusal before the first write, and with `apply-failed` after it."""
    check(state, plan)
    with state.lock():
        finish_left_over(state)
        check_now(state, plan)
        return carry_out(state, plan)


def carry_out(state: State, plan: HostPlan) -> HostRunOutcome:
    """The same for who has the lock and has looked. Raises Refusal."""
    journal = _begin(state, plan)
    try:
        done = tuple(carry_out_step(state, journal, plan, index) for index in range(len(plan.steps)))
        journal.end(RunResult.APPLIED)
    except (StepFailed, OSError) as error:
        raise _failed(state, journal, plan, error) from error
    return HostRunOutcome(plan.plan_id, journal.run, RunResult.APPLIED.value, done)


def _begin(state: State, plan: HostPlan) -> Journal:
    """The originals put aside and the first line written. Nothing of the machine's has changed when this fails."""
    try:
        for change in plan.steps:
            if isinstance(change, WriteFile):
                current = prepare(state.tree, change).current
                if current is not None:
                    state.keep(current.content)
        return begin(state, plan)
    except OSError as error:
        raise Refusal(Kind.STATE, reason=error.strerror or "") from error


def _failed(state: State, journal: Journal, plan: HostPlan, error: StepFailed | OSError) -> Refusal:
    undone = undo_own(state, journal, plan)
    index = error.index if isinstance(error, StepFailed) else len(plan.steps) - 1
    reason = error.reason if isinstance(error, StepFailed) else error.strerror or type(error).__name__
    subject = subject_of_change(plan.steps[index])
    result = undone.value if undone is not None else RunResult.UNKNOWN.value
    return Refusal(
        Kind.APPLY_FAILED,
        run=journal.run,
        plan_id=plan.plan_id,
        step=index,
        subject=subject,
        reason=reason,
        result=result,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's word that a plan stays: what was tried is made lasting, and then the trial goes.

Every part of it can be killed and asked for again. The steps that last are a run of their own with its own undo; only
when it is finished is the plan noted as kept; only then is the trial taken away.
"""

from __future__ import annotations

from dataclasses import replace

from vitrail.helper.apply import carry_out
from vitrail.helper.check import check_now
from vitrail.helper.effects import is_as_applied
from vitrail.helper.foundation import is_on_line, kept_line
from vitrail.helper.guard_clock import refuse_while_taking_back
from vitrail.helper.journal import Journal, Run, readable_runs
from vitrail.helper.left_over import finish_left_over
from vitrail.helper.machine import boot_id
from vitrail.helper.one_shot import clear_one_shot
from vitrail.helper.rules import trial_of
from vitrail.helper.state import State
from vitrail.helper.status import state_of
from vitrail.helper.undo import take_back_run
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import HostRunState, Keep, Kind, Refusal
from vitrail.model.outcome import RunResult, RunState


def keep(state: State, request: Keep) -> HostRunState:
    """Make the plan stay. Raises Refusal; then it is tried on as it was."""
    check_keep(state, request)
    with state.lock():
        run = check_keep(state, request)
        refuse_while_taking_back(state.tree, request.plan_id)
        clear_mark(state, run.plan)
        lasting = _made_lasting(state, run) if run.plan.keep else None
        for one in (lasting, run):
            if one is not None and one.kept is None:
                Journal(state, one.name).append(kept_line(state.tree))
        finish_left_over(state)
        return state_of(_again(state, lasting or run))


def check_keep(state: State, request: Keep) -> Run:
    """What would stay. Only in the boot that it is tried in, and only for the boot that was looked at; else Refusal."""
    now = boot_id(state.tree)
    if request.boot_id != now:
        raise Refusal(Kind.OTHER_BOOT)
    refuse_while_taking_back(state.tree, request.plan_id)
    run = _kept_or_tried(state, request.plan_id)
    if run.kept is not None:
        return run
    if run.plan.boot_id == now:
        raise Refusal(Kind.NOT_RESTARTED, plan_id=request.plan_id)
    if run.plan.guarded and not is_on_line(state.tree, request.plan_id):
        raise Refusal(Kind.NOT_STARTED, plan_id=request.plan_id)
    return run


def clear_mark(state: State, plan: HostPlan) -> None:
    """In the boot that a plan is tried in its mark must be gone; where the loader could not erase it, we do."""
    trial = trial_of(plan)
    if trial is not None:
        clear_one_shot(state.tree, trial.one_shot, state.lock_descriptor)


def _kept_or_tried(state: State, plan_id: str) -> Run:
    """The newest run that was tried, or what became of it."""
    runs = [run for run in readable_runs(state.tree) if run.plan.plan_id == plan_id and run.in_effect]
    tried = [run for run in runs if run.state is RunState.APPLIED and run.plan.guarded]
    applied = [run for run in runs if run.state is RunState.APPLIED or run.is_left_over]
    if not applied:
        raise Refusal(Kind.NO_RUN, plan_id=plan_id)
    return (tried or applied)[0]


def _made_lasting(state: State, run: Run) -> Run:
    """The run of the steps that last: the one that is there already, or a new one."""
    plan = replace(run.plan, boot_id=boot_id(state.tree), steps=run.plan.keep, keep=(), guarded=False)
    for other in readable_runs(state.tree):
        if other.plan.plan_id != plan.plan_id or other.plan.guarded or not other.in_effect:
            continue
        if other.state is RunState.APPLIED and (other.kept is not None or is_as_applied(state.tree, other.plan)):
            return other
        # A Keep that was broken off: it begins anew, from where nothing is half done.
        outcome = take_back_run(state, other, force=False)
        if outcome.result != RunResult.TAKEN_BACK.value:
            raise Refusal(Kind.INTERRUPTED, run=other.name, plan_id=plan.plan_id)
    check_now(state, plan, tried=plan.plan_id)
    made = carry_out(state, plan)
    return next(other for other in readable_runs(state.tree) if other.name == made.run)


def _again(state: State, run: Run) -> Run:
    return next(other for other in readable_runs(state.tree) if other.name == run.name)

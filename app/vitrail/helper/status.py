# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helper has done on this machine, and the user's word that it is to stay."""

from __future__ import annotations

from vitrail.helper.foundation import kept_line
from vitrail.helper.journal import Journal, Run, read_runs, readable_runs
from vitrail.helper.machine import boot_id
from vitrail.helper.state import State
from vitrail.model.host_wire import HostRunState, Keep, Kind, Refusal
from vitrail.model.outcome import RunState

_MOST = 200


def status(state: State) -> tuple[tuple[HostRunState, ...], tuple[str, ...]]:
    """The newest runs, newest first, and those whose journal cannot be read."""
    runs, broken = read_runs(state.tree)
    return tuple(_state_of(run) for run in runs[:_MOST]), broken[:_MOST]


def _state_of(run: Run) -> HostRunState:
    plan = run.plan
    return HostRunState(
        plan.plan_id,
        run.name,
        run.started.started_at,
        run.state.value,
        run.kept is not None,
        run.state is RunState.APPLIED and run.kept is None,
        plan.boot_id,
    )


def keep(state: State, request: Keep) -> HostRunState:
    """Note that the plan stays. Raises Refusal."""
    run = check_keep(state, request)
    if run.kept is None:
        with state.lock():
            Journal(state, run.name).append(kept_line(state.tree))
    return _state_of(_newest(state, request.plan_id))


def check_keep(state: State, request: Keep) -> Run:
    """What would stay. Only in a boot that came after it, and only for the boot that was looked at; else Refusal."""
    now = boot_id(state.tree)
    if request.boot_id != now:
        raise Refusal(Kind.OTHER_BOOT)
    run = _newest(state, request.plan_id)
    if run.plan.boot_id == now:
        raise Refusal(Kind.NOT_RESTARTED, plan_id=request.plan_id)
    return run


def _newest(state: State, plan_id: str) -> Run:
    runs = [run for run in readable_runs(state.tree) if run.plan.plan_id == plan_id]
    run = next((run for run in runs if run.state is RunState.APPLIED), None)
    if run is None:
        raise Refusal(Kind.NO_RUN, plan_id=plan_id)
    return run

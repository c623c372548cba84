# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helper has done on this machine, newest first."""

from __future__ import annotations

from vitrail.helper.journal import Run, read_runs
from vitrail.helper.state import State
from vitrail.model.host_wire import HostRunState

_MOST = 200


def status(state: State) -> tuple[tuple[HostRunState, ...], tuple[str, ...]]:
    """The newest runs, newest first, and those whose journal cannot be read."""
    runs, broken = read_runs(state.tree)
    return tuple(state_of(run) for run in runs[:_MOST]), broken[:_MOST]


def state_of(run: Run) -> HostRunState:
    """A run as answers tell it."""
    plan = run.plan
    return HostRunState(
        plan.plan_id,
        run.name,
        run.started.started_at,
        run.state.value,
        run.kept is not None,
        run.awaits_keep,
        plan.boot_id,
    )

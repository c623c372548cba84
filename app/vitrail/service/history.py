# SPDX-License-Identifier: GPL-3.0-or-later
"""Every run that was ever begun, newest first, as the journals tell it."""

from __future__ import annotations

from vitrail.model.choice import mode_of
from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.service.journal import BrokenRun, Run, read_runs
from vitrail.service.state import StateFolder


def read_history(state: StateFolder, connection: str) -> tuple[HistoryEntry, ...]:
    """The runs of one connection, and those whose journal does not tell whose they are."""
    return tuple(
        _entry(run) for run in read_runs(state) if isinstance(run, BrokenRun) or run.started.connection == connection
    )


def _entry(run: Run | BrokenRun) -> HistoryEntry:
    if isinstance(run, BrokenRun):
        return HistoryEntry(run.plan_id, run.name, run.changed_at, "", "", "", "", RunState.UNREADABLE)
    started = run.started
    return HistoryEntry(
        started.plan_id,
        run.name,
        started.started_at,
        started.connection,
        started.vm_uuid,
        started.vm_name,
        mode_of(started.choice).value,
        run.state,
    )

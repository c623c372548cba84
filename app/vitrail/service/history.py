# SPDX-License-Identifier: GPL-3.0-or-later
"""Every run that was ever begun, newest first, as the journals tell it, and root's side where it can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.choice import mode_of
from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.service.awaiting import state_now
from vitrail.service.host_port import HostStatus
from vitrail.service.journal import BrokenRun, Run, read_runs

if TYPE_CHECKING:
    from vitrail.service.state import StateFolder


def read_history(state: StateFolder, connection: str, status: HostStatus | None = None) -> tuple[HistoryEntry, ...]:
    """The runs of one connection, those whose journal does not tell whose they are, and others' on this computer."""
    runs = read_runs(state)
    mine = [_entry(run, status) for run in runs if isinstance(run, BrokenRun) or run.started.connection == connection]
    known = {run.started.plan_id for run in runs if isinstance(run, Run)}
    others = [
        HistoryEntry(told.plan_id, told.run, told.started_at, connection, "", "", "", _state(told.state))
        for told in (status.runs if status is not None else ())
        if told.plan_id not in known
    ]
    if not others:
        return tuple(mine)
    return tuple(sorted((*mine, *others), key=lambda entry: entry.applied_at, reverse=True))


def _state(words: str) -> RunState:
    try:
        return RunState(words)
    except ValueError:
        return RunState.UNREADABLE


def _entry(run: Run | BrokenRun, status: HostStatus | None) -> HistoryEntry:
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
        run.state if status is None else state_now(run, status),
    )

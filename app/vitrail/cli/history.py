# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail history`: what was ever applied here, and what became of it."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from datetime import datetime

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE
from vitrail.cli.json_runs import json_history
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.model.text import text
from vitrail.text.speaker import speaker

_STATES = {
    RunState.APPLIED: text("cli.run-state.applied"),
    RunState.AWAITING_KEEP: text("cli.run-state.awaiting-keep"),
    RunState.TAKEN_BACK: text("cli.run-state.taken-back"),
    RunState.INCOMPLETE: text("cli.run-state.incomplete"),
    RunState.INTERRUPTED: text("cli.run-state.interrupted"),
    RunState.FAILED: text("cli.run-state.failed"),
    RunState.UNREADABLE: text("cli.run-state.unreadable"),
}


def run(request: Namespace) -> int:
    """List every run."""
    with closing(open_from(request)) as workplace:
        entries = workplace.history()
        if request.json:
            print_json(json_history(entries))
            return DONE
        page = Page(speaker(request.language))
        banner(page, workplace.kind, workplace.label)
        if not entries:
            page.paragraph(text("cli.history.none"))
            return DONE
        page.table(
            (
                text("cli.history.plan"),
                text("cli.history.when"),
                text("cli.history.mode"),
                text("cli.history.state"),
                text("cli.history.vm"),
            ),
            [
                (entry.plan_id, _when(entry), entry.mode or None, _STATES[entry.state], entry.vm_name or None)
                for entry in entries
            ],
            0,
        )
    return DONE


def _when(entry: HistoryEntry) -> str:
    return datetime.fromtimestamp(entry.applied_at).astimezone().strftime("%Y-%m-%d %H:%M")

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail history`, `status` and `keep`: what was applied, and what still waits for a yes."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from datetime import datetime

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE
from vitrail.cli.json_runs import json_history, json_status
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.model.errors import Refused
from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.model.text import Text, text
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Whichever of the three was asked."""
    match request.command:
        case "keep":
            raise Refused(text("cli.keep.nothing"), text("cli.keep.history"))
        case "status":
            return _status(request)
    return _history(request)


def _status(request: Namespace) -> int:
    if request.json:
        print_json(json_status())
    else:
        Page(speaker(request.language)).paragraph(text("cli.status.nothing"))
    return DONE


def _history(request: Namespace) -> int:
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
                (entry.plan_id, _when(entry), entry.mode or None, _state(entry), entry.vm_name or None)
                for entry in entries
            ],
            0,
        )
    return DONE


def _when(entry: HistoryEntry) -> str:
    return datetime.fromtimestamp(entry.applied_at).astimezone().strftime("%Y-%m-%d %H:%M")


def _state(entry: HistoryEntry) -> Text:
    match entry.state:
        case RunState.APPLIED:
            return text("cli.run-state.applied")
        case RunState.TAKEN_BACK:
            return text("cli.run-state.taken-back")
        case RunState.INCOMPLETE:
            return text("cli.run-state.incomplete")
        case RunState.INTERRUPTED:
            return text("cli.run-state.interrupted")
        case RunState.FAILED:
            return text("cli.run-state.failed")
        case RunState.UNREADABLE:
            return text("cli.run-state.unreadable")

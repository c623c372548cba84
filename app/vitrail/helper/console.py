# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper at a text console, where nothing but Python may be left: undo and status in plain English.

The one place in here that makes sentences: there is no catalogue on a half-broken machine, and nobody else to ask.
"""

from __future__ import annotations

import sys
import time

from vitrail.helper.guard_console import story_lines
from vitrail.helper.state import State
from vitrail.helper.status import status
from vitrail.helper.undo import undo
from vitrail.helper.vm_side import commands_left
from vitrail.model.host_wire import HostRunOutcome, HostStepOutcome, Kind, Refusal, Undo
from vitrail.model.outcome import RunResult, StepResult

_RESULTS = {
    StepResult.TAKEN_BACK.value: "taken back",
    StepResult.SAME.value: "was already as before",
    StepResult.MERGED.value: "someone had edited it; only Vitrail's part was removed",
    StepResult.LEFT.value: "left alone, because someone edited or removed it since",
    StepResult.FAILED.value: "FAILED",
}
_DETAILS = {
    "edited": "to restore exactly what was there before, add --force",
    "gone": "to restore exactly what was there before, add --force",
    "tool-failed": "the program ended with an error",
    "still-there": "the program's result still holds Vitrail's part; run it by hand and look at what it says",
    Kind.HELD.value: "something uses the card now; end that and try again, or restart: that gives the card back too",
    "stuck": "the system did not let go of the card; only a restart ends that, and gives the card back",
    "no-effect": "the system took the request and did nothing",
    Kind.TOOL_MISSING.value: "the program is not on this system",
    Kind.JOURNAL.value: "what was there before is missing from /var/lib/vitrail",
    Kind.PLACE.value: "the path is a link or belongs to someone else",
    Kind.UNREAD.value: "what it made cannot be looked into",
    Kind.ONE_SHOT.value: "the boot loader still has the trial set for the next start; clear it with: "
    "grub-editenv - unset next_entry (or: bootctl set-oneshot '')",
}
_REFUSALS = {
    Kind.LOCKED: "Another Vitrail helper, or a program it started, is at work. Try again when it has ended.",
    Kind.PACKAGE_LOCK: "A package manager is at work (its lock is {path}). Try again when it has ended.",
    Kind.LATER_PLAN: "A later plan changed the same files. Take that one back first: --undo --plan {plan_id}",
    Kind.NO_RUN: "No plan with this id is in effect. See --status.",
    Kind.JOURNAL: "The journal of run {run} cannot be read, so nothing was changed.",
    Kind.PLACE: "{path} is not what it should be (a link, or writable by others), so nothing was changed.",
}


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def console_undo(state: State, request: Undo, user_state: str | None) -> int:
    """Take back and tell; the exit code of the contract: 0, 1 refused, 5 incomplete."""
    for command in commands_left(user_state) if user_state is not None else ():
        _say(command)
    try:
        outcomes = undo(state, request)
    except Refusal as refusal:
        words = _REFUSALS.get(refusal.kind, f"Refused: {refusal.kind.value}. Nothing was changed.")
        _say(words.format(**refusal.args_of))
        return 1
    if not outcomes:
        _say("Nothing of Vitrail's is in effect on this system.")
    for outcome in outcomes:
        _tell(outcome)
    return 5 if any(outcome.result != RunResult.TAKEN_BACK.value for outcome in outcomes) else 0


def _tell(outcome: HostRunOutcome) -> None:
    _say(f"Plan {outcome.plan_id}:")
    for step in outcome.steps:
        _say(f"  {step.subject}: {_words_of(step)}")
    if outcome.result == RunResult.TAKEN_BACK.value:
        _say("  Taken back. Restart the computer for it to take effect.")
    else:
        _say("  NOT all of it was taken back; see above, then run this again.")


def _words_of(step: HostStepOutcome) -> str:
    words = _RESULTS.get(step.result, step.result)
    detail = _DETAILS.get(step.detail, step.detail) if step.detail else None
    return f"{words} ({detail})" if detail else words


def console_status(state: State) -> int:
    """List the runs; the exit code: 1 when something waits to be kept."""
    runs, broken = status(state)
    for run in runs:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.started_at))
        kept = ", kept" if run.kept else ", not kept yet" if run.awaits_keep else ""
        _say(f"{run.plan_id}  {when}  {run.state}{kept}")
    for line in story_lines(state):
        _say(line)
    for name in broken:
        _say(f"{name}: its journal cannot be read")
    if not runs and not broken:
        _say("Vitrail has changed nothing on this system.")
    return 1 if any(run.awaits_keep for run in runs) else 0

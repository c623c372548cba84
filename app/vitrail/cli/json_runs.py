# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON of what was done: apply, undo, history, status, verify."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vitrail.cli.json_values import Json, json_evidence, json_reading, json_unknown, say
from vitrail.model.outcome import HistoryEntry, Outcome, PromiseResult, RunOutcome, RunResult, RunState, StepOutcome
from vitrail.model.text import text

if TYPE_CHECKING:
    from vitrail.service.awaiting import Awaiting

_WORST_FIRST = (
    RunResult.UNKNOWN,
    RunResult.INCOMPLETE,
    RunResult.AWAITING_KEEP,
    RunResult.TAKEN_BACK,
    RunResult.APPLIED,
    RunResult.NOTHING_TO_DO,
)


def worst(outcomes: tuple[RunOutcome, ...]) -> RunResult:
    """The one result of several runs: the one that most needs a look."""
    results = {outcome.result for outcome in outcomes}
    return next((result for result in _WORST_FIRST if result in results), RunResult.NOTHING_TO_DO)


def json_runs(outcomes: tuple[RunOutcome, ...]) -> Json:
    """One run, or several as one: ids are null where there is not exactly one."""
    only = outcomes[0] if len(outcomes) == 1 else None
    return {
        "plan_id": None if only is None else only.plan_id,
        "run": None if only is None else only.run or None,
        "result": worst(outcomes).value,
        "steps": [_step(step) for outcome in outcomes for step in outcome.steps],
    }


def _step(step: StepOutcome) -> Json:
    return {
        "kind": step.kind,
        "subject": step.subject,
        "result": step.result.value,
        "detail": None if step.detail is None else say(step.detail),
    }


def json_history(entries: tuple[HistoryEntry, ...]) -> Json:
    """Every run ever begun, newest first."""
    return {
        "plans": [
            {
                "plan_id": entry.plan_id,
                "run": entry.run,
                "applied_at": utc(entry.applied_at),
                "vm": _told(entry, entry.vm_name),
                "mode": _told(entry, entry.mode),
                "state": entry.state.value,
            }
            for entry in entries
        ]
    }


def _told(entry: HistoryEntry, words: str) -> Any:
    if entry.state is RunState.UNREADABLE:
        return json_unknown(text("cli.history.not-readable"))
    return words or json_unknown(text("cli.history.of-others"))


def json_status(waiting: tuple[Awaiting, ...]) -> Json:
    """What awaits Keep, and until when."""
    return {"awaiting": [{"plan_id": one.plan_id, "until": json_reading(one.until, utc)} for one in waiting]}


def json_verify(outcomes: tuple[Outcome, ...]) -> Json:
    """Each promise against a new read."""
    return {
        "outcomes": [
            {
                "step": say(outcome.step),
                "result": outcome.result.value,
                "expected": _side(outcome, outcome.expected),
                "seen": _side(outcome, outcome.seen, seen=True),
                "evidence": json_evidence(outcome.evidence),
            }
            for outcome in outcomes
        ]
    }


def _side(outcome: Outcome, words: str, *, seen: bool = False) -> Any:
    """A promise that something is gone has nothing on its side; one that was not compared has no sides."""
    if outcome.result is PromiseResult.UNKNOWN and (seen or not words):
        return json_unknown(outcome.reason or text("cli.promise.not-compared"))
    return None if words in ("", "-") else words


def utc(seconds: float) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing, seen from outside: each step waiting, under way or ended, and what came of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.plan import Plan
from vitrail.model.text import Text, text
from vitrail.plan.describe import kind_of, subject_of, summary_of


class Progress(StrEnum):
    """How far one step is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step on the way; `result` once it ended."""

    summary: Text
    progress: Progress
    result: StepResult | None
    word: Text
    detail: Text | None


@dataclass(frozen=True, slots=True)
class ApplyPage:
    """`can_stop` while nothing has been written yet."""

    question: Text
    lead: Text
    lines: tuple[StepLine, ...]
    can_stop: bool
    finished: bool


def apply_page(plan: Plan, seen: tuple[StepOutcome, ...], outcome: RunOutcome | None, *, begun: bool) -> ApplyPage:
    """The page while the changes are written. `begun`: the changer has started on them."""
    finished = outcome is not None
    lines = tuple(_line(number, plan, seen, begun=begun) for number in range(len(plan.steps)))
    return ApplyPage(
        question=text("wizard.apply.question"),
        lead=_lead(outcome, begun=begun),
        lines=lines,
        can_stop=not begun and not finished,
        finished=finished,
    )


def _lead(outcome: RunOutcome | None, *, begun: bool) -> Text:
    if outcome is not None:
        return text(f"wizard.apply.result.{outcome.result.value}")
    return text("wizard.apply.writing" if begun else "wizard.apply.waiting")


def _line(number: int, plan: Plan, seen: tuple[StepOutcome, ...], *, begun: bool) -> StepLine:
    step = plan.steps[number]
    found = next((one for one in seen if one.kind == kind_of(step) and one.subject == subject_of(step)), None)
    if found is not None:
        word = text(f"wizard.apply.step.{found.result.value}")
        return StepLine(summary_of(step), Progress.ENDED, found.result, word, found.detail)
    running = begun and number == len(seen)
    progress = Progress.RUNNING if running else Progress.WAITING
    return StepLine(summary_of(step), progress, None, text(f"wizard.apply.step.{progress.value}"), None)


def changed_anything(outcome: RunOutcome) -> bool:
    """Whether there is now something to prove and to take back."""
    return outcome.result in (RunResult.APPLIED, RunResult.AWAITING_KEEP, RunResult.INCOMPLETE, RunResult.UNKNOWN)

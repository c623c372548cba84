# SPDX-License-Identifier: GPL-3.0-or-later
"""What root answered of each step, told like every other step: kinds become sentences, a copy says that it is one."""

from __future__ import annotations

from vitrail.model.host_wire import HostRunOutcome, HostStepOutcome
from vitrail.model.outcome import RunResult, StepOutcome, StepResult
from vitrail.model.text import Text, text

_DETAILS: dict[str, Text] = {
    "edited": text("service.host.detail.edited"),
    "gone": text("service.host.detail.gone"),
    "tool-failed": text("service.host.detail.tool-failed"),
    "still-there": text("service.host.detail.still-there"),
    "tool-missing": text("service.host.detail.tool-missing"),
    "journal": text("service.host.detail.journal"),
    "place": text("service.host.detail.place"),
    "held": text("service.host.detail.held"),
    "stuck": text("service.host.detail.stuck"),
    "no-effect": text("service.host.detail.no-effect"),
}


def as_step(step: HostStepOutcome, *, simulated: bool) -> StepOutcome:
    """One step of the computer's as the user is told of it."""
    try:
        result = StepResult(step.result)
    except ValueError:
        result = StepResult.UNKNOWN
    detail = None if step.detail is None else _DETAILS.get(step.detail, text("service.host.detail", detail=step.detail))
    if simulated and detail is None and result in (StepResult.DONE, StepResult.TAKEN_BACK):
        detail = text("service.host.simulated-file" if step.kind == "write-file" else "service.host.simulated-tool")
    return StepOutcome(step.kind, step.subject, result, detail)


def as_steps(outcomes: tuple[HostRunOutcome, ...], *, simulated: bool) -> tuple[StepOutcome, ...]:
    """Every step of one or several runs of the computer's."""
    return tuple(as_step(step, simulated=simulated) for outcome in outcomes for step in outcome.steps)


def worst_of(outcomes: tuple[HostRunOutcome, ...]) -> RunResult:
    """How taking these back ended altogether."""
    results = {outcome.result for outcome in outcomes}
    for result in (RunResult.UNKNOWN, RunResult.INCOMPLETE, RunResult.TAKEN_BACK):
        if result.value in results:
            return result
    return RunResult.NOTHING_TO_DO if not outcomes else RunResult.UNKNOWN

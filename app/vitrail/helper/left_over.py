# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Keep leaves behind of a run: the trial of a plan that lasts now, or the guard of one that needed no trial.

Separate because a Keep that was killed is finished by whoever holds the lock next, and the plan stays kept.
"""

from __future__ import annotations

from vitrail.helper.journal import Journal, Run, readable_runs
from vitrail.helper.rules import is_of_guard
from vitrail.helper.state import State
from vitrail.helper.undo import take_back_run, take_back_steps
from vitrail.model.outcome import RunResult, StepResult


def finish_left_over(state: State) -> None:
    """Take away what nobody needs any more. Raises Refusal where a journal cannot be read."""
    for run in readable_runs(state.tree):
        if run.is_left_over:
            clear_kept(state, run)


def clear_kept(state: State, run: Run) -> None:
    """Of a run that is kept: the whole trial where something lasting took its place, else the guard alone."""
    if run.plan.keep:
        take_back_run(state, run, force=False)
        return
    steps = [index for index, change in enumerate(run.plan.steps) if is_of_guard(change)]
    ends = take_back_steps(state, run, steps, force=False)
    if ends and all(end.result is not StepResult.FAILED for end in ends.values()):
        Journal(state, run.name).end(RunResult.APPLIED)

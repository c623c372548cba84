# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: journal, write, look, journal; the first failure takes back what was done.

A step's journal line is on the disk before it writes. So whoever comes after a kill, at whatever point, knows every
subject that may have changed, and what it was before.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from vitrail.helper.check import check, check_now, prepare
from vitrail.helper.effects import look, marks_of
from vitrail.helper.journal import Journal, begin
from vitrail.helper.progress import tell
from vitrail.helper.put import make_folders, new_state, put, temporary_name, with_content
from vitrail.helper.run import Ran, change_arguments, run_tool
from vitrail.helper.state import State
from vitrail.helper.undo import undo_own
from vitrail.model.host_journal import FileStarted, HostStepDone, ToolStarted
from vitrail.model.host_place import kind_of_change, place_of, subject_of_change
from vitrail.model.host_step import ArgumentsByTool, HostPlan, RunTool, WriteFile
from vitrail.model.host_wire import HostRunOutcome, HostStepOutcome, Kind, Refusal
from vitrail.model.kernel_argument import words_of
from vitrail.model.outcome import RunResult, StepResult


@dataclass(frozen=True, slots=True)
class StepFailed(Exception):
    """A step could not be finished; `reason` is a kind."""

    index: int
    reason: str


def apply(state: State, plan: HostPlan) -> HostRunOutcome:
    """The whole plan, or nothing of it. Raises Refusal before the first write, and with `apply-failed` after it."""
    check(state, plan)
    with state.lock():
        check_now(state, plan)
        journal = _begin(state, plan)
        try:
            done = tuple(_step(state, journal, plan, index) for index in range(len(plan.steps)))
            journal.end(RunResult.APPLIED)
        except (StepFailed, OSError) as error:
            raise _failed(state, journal, plan, error) from error
    return HostRunOutcome(plan.plan_id, journal.run, RunResult.APPLIED.value, done)


def _begin(state: State, plan: HostPlan) -> Journal:
    """The originals put aside and the first line written. Nothing of the machine's has changed when this fails."""
    try:
        for change in plan.steps:
            if isinstance(change, WriteFile):
                current = prepare(state.tree, change).current
                if current is not None:
                    state.keep(current.content)
        return begin(state, plan)
    except OSError as error:
        raise Refusal(Kind.STATE, reason=error.strerror or "") from error


def _failed(state: State, journal: Journal, plan: HostPlan, error: StepFailed | OSError) -> Refusal:
    undone = undo_own(state, journal, plan)
    index = error.index if isinstance(error, StepFailed) else len(plan.steps) - 1
    reason = error.reason if isinstance(error, StepFailed) else error.strerror or type(error).__name__
    subject = subject_of_change(plan.steps[index])
    result = undone.value if undone is not None else RunResult.UNKNOWN.value
    return Refusal(
        Kind.APPLY_FAILED,
        run=journal.run,
        plan_id=plan.plan_id,
        step=index,
        subject=subject,
        reason=reason,
        result=result,
    )


def _step(state: State, journal: Journal, plan: HostPlan, index: int) -> HostStepOutcome:
    change = plan.steps[index]
    tell(state, plan, index)
    try:
        if isinstance(change, WriteFile):
            result = _write_file(state, journal, change, index)
        else:
            result = _use_tool(state, journal, plan, index)
        journal.append(HostStepDone(index))
    except OSError as error:
        raise StepFailed(index, error.strerror or type(error).__name__) from error
    except Refusal as refusal:
        raise StepFailed(index, refusal.kind.value) from refusal
    return HostStepOutcome(index, kind_of_change(change), subject_of_change(change), result.value)


def _write_file(state: State, journal: Journal, change: WriteFile, index: int) -> StepResult:
    prepared = prepare(state.tree, change)
    place = place_of(change.template)
    current = prepared.current
    folders = state.tree.missing_folders(place.path)
    journal.append(FileStarted(index, current.state if current is not None else None, folders))
    if change.before == change.after:
        return StepResult.SAME
    make_folders(state.tree, folders)
    if current is None:
        meant = new_state(state.tree, prepared.content, place.mode)
    else:
        meant = with_content(current.state, prepared.content)
    prepare(state.tree, change)
    put(state.tree, place.path, prepared.content, meant, temporary_name(journal.run, index))
    return StepResult.DONE


def _use_tool(state: State, journal: Journal, plan: HostPlan, index: int) -> StepResult:
    change = plan.steps[index]
    marks = marks_of(plan, index)
    before = _seen_before(state, plan, index)
    journal.append(ToolStarted(index, tuple(sorted(before))))
    match change:
        case RunTool():
            ran = run_tool(state.tree, change.tool, state.lock_descriptor)
            _demand_well(index, ran)
            seen = look(state.tree, change.tool, marks)
        case ArgumentsByTool():
            words = tuple(word for word in words_of(change.arguments) if word not in before)
            if words:
                _demand_well(index, change_arguments(state.tree, change.tool, words, state.lock_descriptor, add=True))
            seen = look(state.tree, change.tool, marks)
        case _:
            raise StepFailed(index, Kind.RULE.value)
    if not marks <= seen.everywhere:
        raise StepFailed(index, "no-effect")
    return StepResult.DONE


def _seen_before(state: State, plan: HostPlan, index: int) -> frozenset[str]:
    """Our marks that the results had before; for a program that owns the line this has to be known."""
    change = plan.steps[index]
    if isinstance(change, ArgumentsByTool):
        return look(state.tree, change.tool, marks_of(plan, index)).anywhere
    if isinstance(change, RunTool):
        with contextlib.suppress(Refusal):
            return look(state.tree, change.tool, marks_of(plan, index)).anywhere
    return frozenset()


def _demand_well(index: int, ran: Ran) -> None:
    if not ran.well:
        raise StepFailed(index, "tool-too-long" if ran.too_long else "tool-failed")

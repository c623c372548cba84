# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of a plan: what it was on goes into the journal, then it is written, then looked at.

Separate from `apply`, which knows the order of a run and what becomes of it when a step fails.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from vitrail.helper.bind_live import NotBoundError, bind
from vitrail.helper.check import prepare
from vitrail.helper.core_file import running_core
from vitrail.helper.effects import look, marks_of, settle
from vitrail.helper.journal import Journal
from vitrail.helper.one_shot import set_one_shot
from vitrail.helper.permissions import give, given_words, is_given
from vitrail.helper.progress import tell
from vitrail.helper.put import make_folders, new_state, put, temporary_name, with_content
from vitrail.helper.run import Ran, change_arguments, run_tool
from vitrail.helper.state import State
from vitrail.helper.trial_image import build_image
from vitrail.model.binding import BindLive
from vitrail.model.host_journal import FileStarted, HostStepDone, ToolStarted
from vitrail.model.host_place import GUARD_CORE_MODE, kind_of_change, place_of, subject_of_change, subject_path
from vitrail.model.host_step import ArgumentsByTool, HostPlan, RunTool, WriteFile
from vitrail.model.host_wire import HostStepOutcome, Kind, Refusal
from vitrail.model.kernel_argument import words_of
from vitrail.model.outcome import StepResult
from vitrail.model.permission import JoinGroup, LabelRom
from vitrail.model.trial import MakeTrialImage, SetOneShot, StoreGuard

_IMAGE_MODE = 0o600
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class StepFailed(Exception):
    """A step could not be finished; `reason` is a kind."""

    index: int
    reason: str


def carry_out_step(state: State, journal: Journal, plan: HostPlan, index: int) -> HostStepOutcome:
    """This step, done and looked at. Raises StepFailed."""
    change = plan.steps[index]
    tell(state, plan, index)
    try:
        result = _carried_out(state, journal, plan, index)
        journal.append(HostStepDone(index))
    except OSError as error:
        raise StepFailed(index, error.strerror or type(error).__name__) from error
    except Refusal as refusal:
        raise StepFailed(index, refusal.kind.value) from refusal
    return HostStepOutcome(index, kind_of_change(change), subject_of_change(change), result.value)


def _carried_out(  # noqa: PLR0911 - one way out a kind
    state: State, journal: Journal, plan: HostPlan, index: int
) -> StepResult:
    change = plan.steps[index]
    match change:
        case WriteFile():
            return _write_file(state, journal, change, index)
        case MakeTrialImage():
            content = build_image(state.tree, change)
            return _put_made(state, journal, plan, index, content)
        case StoreGuard():
            return _put_made(state, journal, plan, index, running_core())
        case SetOneShot():
            journal.append(ToolStarted(index, ()))
            if not set_one_shot(state.tree, change, state.lock_descriptor):
                raise StepFailed(index, "no-effect")
            return StepResult.DONE
        case BindLive():
            try:
                return bind(state, journal, change, index)
            except NotBoundError as error:
                raise StepFailed(index, str(error)) from error
        case JoinGroup() | LabelRom():
            return _give(state, journal, change, index)
    return _use_tool(state, journal, plan, index)


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


def _put_made(state: State, journal: Journal, plan: HostPlan, index: int, content: bytes) -> StepResult:
    """A file that nobody but the helper has a part in: it comes whole, and goes whole."""
    change = plan.steps[index]
    path = subject_path(change) or ""
    mode = GUARD_CORE_MODE if isinstance(change, StoreGuard) else _IMAGE_MODE
    folders = state.tree.missing_folders(path)
    journal.append(FileStarted(index, None, folders))
    make_folders(state.tree, folders, _PRIVATE_FOLDER)
    put(state.tree, path, content, new_state(state.tree, content, mode), temporary_name(journal.run, index))
    return StepResult.DONE


def _give(state: State, journal: Journal, change: JoinGroup | LabelRom, index: int) -> StepResult:
    """What somebody was given before stays theirs when this is taken back; so that is in the journal first."""
    before = given_words(state.tree, change)
    journal.append(ToolStarted(index, before))
    if before:
        return StepResult.SAME
    _demand_well(index, give(state.tree, change, state.lock_descriptor))
    if not is_given(state.tree, change):
        raise StepFailed(index, "no-effect")
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
    settle(state.tree, change.tool)
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

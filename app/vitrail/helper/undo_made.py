# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what is no configuration: files that the helper made itself, the mark of a trial, results of programs.

Separate from the taking back of configuration, which others may have edited: these are never restored, they go, or
they are made again.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.helper.effects import follows_images, look, marks_of, settle, without_images
from vitrail.helper.journal import Run, readable_runs
from vitrail.helper.one_shot import clear_one_shot
from vitrail.helper.permissions import is_given, take
from vitrail.helper.put import drop_temporary, remove, remove_folders, temporary_name
from vitrail.helper.run import change_arguments, run_tool
from vitrail.helper.state import State
from vitrail.model.early_script import TABLE
from vitrail.model.host_journal import FileStarted, ToolStarted
from vitrail.model.host_place import subject_path
from vitrail.model.host_step import ArgumentsByTool, RunTool, Tool
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.outcome import StepResult
from vitrail.model.permission import JoinGroup, LabelRom
from vitrail.model.trial import SetOneShot, StoreGuard


@dataclass(frozen=True, slots=True)
class End:
    """How the taking back of a step ended; `replaced` is what was there, by digest."""

    result: StepResult
    detail: str | None = None
    replaced: str | None = None


def undo_made(state: State, run: Run, index: int) -> End:
    """Remove a file that nobody but the helper has a part in, and the folder that was made for it."""
    change, started = run.plan.steps[index], run.steps[index].started
    path = subject_path(change) or ""
    try:
        drop_temporary(state.tree, path, temporary_name(run.name, index))
        if isinstance(change, StoreGuard) and _others_need_guard(state, run):
            return End(StepResult.SAME)
        there = state.tree.exists(path)
        remove(state.tree, path)
        remove_folders(state.tree, started.folders if isinstance(started, FileStarted) else ())
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)
    return End(StepResult.TAKEN_BACK if there else StepResult.SAME)


def _others_need_guard(state: State, run: Run) -> bool:
    return any(other.awaits_keep and other.name != run.name for other in readable_runs(state.tree))


def undo_one_shot(state: State, run: Run, index: int) -> End:
    """Clear the mark of the trial where it is still ours; somebody else's stays."""
    change = run.plan.steps[index]
    if not isinstance(change, SetOneShot):
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    try:
        cleared = clear_one_shot(state.tree, change, state.lock_descriptor)
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)
    return End(StepResult.TAKEN_BACK if cleared else StepResult.SAME)


def undo_given(state: State, run: Run, index: int, change: JoinGroup | LabelRom) -> End:
    """Take back what was given, unless it was there before; where it is looked up decides, not what was said."""
    started = run.steps[index].started
    if not isinstance(started, ToolStarted):
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    try:
        if started.listed:
            return End(StepResult.SAME)
        was = take(state.tree, change, state.lock_descriptor)
        left = is_given(state.tree, change)
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)
    if left:
        return End(StepResult.FAILED, "still-there")
    return End(StepResult.TAKEN_BACK if was else StepResult.SAME)


def undo_tool(  # noqa: PLR0911 - one way out a reason
    state: State, run: Run, index: int
) -> End:
    """Run the program over the configuration that is back; what it made decides, not what it said."""
    change, started = run.plan.steps[index], run.steps[index].started
    marks = marks_of(run.plan, index)
    if follows_images(run.plan, index) and state.tree.exists(TABLE.lstrip("/")):
        # Its turn comes again when the table is gone; until then the images rightly have it.
        marks = without_images(marks)
    known = isinstance(started, ToolStarted)
    before = frozenset(started.listed) if isinstance(started, ToolStarted) else frozenset[str]()
    try:
        match change:
            case RunTool():
                ran = run_tool(state.tree, change.tool, state.lock_descriptor)
            case ArgumentsByTool() if known:
                words = tuple(sorted((marks - before) & look(state.tree, change.tool, marks).anywhere))
                if not words:
                    return End(StepResult.SAME)
                ran = change_arguments(state.tree, change.tool, words, state.lock_descriptor, add=False)
            case _:
                return End(StepResult.SAME)
        seen = look(state.tree, change.tool, marks)
        settle(state.tree, change.tool)
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)
    if known and not seen.anywhere <= before:
        return End(StepResult.FAILED, "still-there")
    # Where udev does not run, as in a rescue, the rule that is gone is all there is to it.
    quiet = isinstance(change, RunTool) and change.tool is Tool.UDEV_RULES
    if not ran.well and not quiet and (not known or not marks):
        return End(StepResult.FAILED, "tool-failed")
    return End(StepResult.TAKEN_BACK, None if ran.well else "tool-failed")

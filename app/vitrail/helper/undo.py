# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: every subject is compared with what it was before and after, whatever the journal says of it.

What starts the machine goes first, then images, then what does nothing by itself; inside, files in reverse and then
the programs that read them. As it was after: the former file returns. As before: nothing to do. Otherwise someone
edited on: only what is ours goes, or, on request, the exact former file returns and the replaced one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.helper.effects import look, marks_of
from vitrail.helper.journal import Journal, Run, StepRecord, readable_runs
from vitrail.helper.packages import check_packages
from vitrail.helper.progress import tell
from vitrail.helper.put import drop_temporary, put, remove, remove_folders, temporary_name, with_content
from vitrail.helper.run import change_arguments, run_tool
from vitrail.helper.state import State
from vitrail.helper.tree import File
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.host_journal import FileStarted, HostStepTakenBack, ToolStarted
from vitrail.model.host_place import Stage, kind_of_change, stages_of, subject_of_change, subject_path
from vitrail.model.host_step import ArgumentsByTool, HostPlan, RunTool, WriteFile
from vitrail.model.host_wire import HostRunOutcome, HostStepOutcome, Kind, Refusal, Undo
from vitrail.model.outcome import RunResult, StepResult
from vitrail.model.render import take_back

_SETTLED = (StepResult.TAKEN_BACK, StepResult.SAME, StepResult.MERGED)


@dataclass(frozen=True, slots=True)
class _End:
    result: StepResult
    detail: str | None = None
    replaced: str | None = None


def undo(state: State, request: Undo) -> tuple[HostRunOutcome, ...]:
    """Take back what was asked for, newest first; nothing where nothing is in effect. Raises Refusal."""
    if not check_undo(state, request):
        return ()
    with state.lock():
        return tuple(_take_back_run(state, run, force=request.force) for run in _chosen(state, request))


def check_undo(state: State, request: Undo) -> bool:
    """Whether there is anything to take back; nothing is written. Raises Refusal where it cannot be now."""
    if not _chosen(state, request):
        return False
    if state.is_locked():
        raise Refusal(Kind.LOCKED)
    check_packages(state.tree)
    return True


def _chosen(state: State, request: Undo) -> tuple[Run, ...]:
    runs = tuple(run for run in readable_runs(state.tree) if run.in_effect)
    if request.everything:
        return runs
    wanted = tuple(run for run in runs if request.plan_id in (None, run.plan.plan_id))[:1]
    if request.plan_id is not None and not wanted:
        raise Refusal(Kind.NO_RUN, plan_id=request.plan_id)
    for run in wanted:
        later = next((other for other in runs[: runs.index(run)] if _paths(other.plan) & _paths(run.plan)), None)
        if later is not None:
            raise Refusal(Kind.LATER_PLAN, plan_id=later.plan.plan_id, run=later.name)
    return wanted


def _paths(plan: HostPlan) -> set[str]:
    return {path for change in plan.steps if (path := subject_path(change)) is not None}


def undo_own(state: State, journal: Journal, plan: HostPlan) -> RunResult | None:
    """Take back the run that has just failed; None where its journal cannot be read, so nothing was done."""
    try:
        run = next((run for run in readable_runs(state.tree) if run.name == journal.run), None)
    except (Refusal, OSError):
        return None
    if run is None or run.plan != plan:
        return None
    outcome = _take_back_run(state, run, force=False)
    return RunResult(outcome.result)


def _take_back_run(state: State, run: Run, *, force: bool) -> HostRunOutcome:
    journal = Journal(state, run.name)
    stages = stages_of(run.plan.steps)
    ends: dict[int, _End] = {}
    for group in ((Stage.BOOT,), (Stage.INERT, Stage.IMAGE)):
        inside = [index for index, stage in enumerate(stages) if stage in group]
        files = [index for index in inside if isinstance(run.plan.steps[index], WriteFile)]
        touched = any(run.steps[index].started for index in inside)
        for index in reversed(files):
            if run.steps[index].started is not None:
                tell(state, run.plan, index, back=True)
                ends[index] = _journaled(journal, index, _undo_file(state, run, index, force=force))
        moved = any(ends[index].result is not StepResult.SAME for index in files if index in ends)
        for index in [index for index in inside if index not in files and touched]:
            if moved or not _settled(run.steps[index]):
                tell(state, run.plan, index, back=True)
                ends[index] = _journaled(journal, index, _undo_tool(state, run, index))
    settled = all(end.result in _SETTLED for end in ends.values())
    result = RunResult.TAKEN_BACK if settled else RunResult.INCOMPLETE
    result = _ended(journal, result)
    outcomes = tuple(_outcome(run.plan, index, ends[index]) for index in sorted(ends))
    return HostRunOutcome(run.plan.plan_id, run.name, result.value, outcomes)


def _ended(journal: Journal, result: RunResult) -> RunResult:
    """A full disk must not keep an undo from going on: what it did is told, and looked at again by the next one."""
    try:
        journal.end(result)
    except OSError:
        return RunResult.INCOMPLETE
    return result


def _settled(step: StepRecord) -> bool:
    return step.taken_back is not None and step.taken_back.result in {result.value for result in _SETTLED}


def _journaled(journal: Journal, index: int, end: _End) -> _End:
    try:
        journal.append(HostStepTakenBack(index, end.result.value, end.replaced))
    except OSError as error:
        return end if end.result not in _SETTLED else replace(end, detail=error.strerror or "journal")
    return end


def _outcome(plan: HostPlan, index: int, end: _End) -> HostStepOutcome:
    change = plan.steps[index]
    return HostStepOutcome(index, kind_of_change(change), subject_of_change(change), end.result.value, end.detail)


def _undo_file(state: State, run: Run, index: int, *, force: bool) -> _End:
    change, started = run.plan.steps[index], run.steps[index].started
    if not isinstance(change, WriteFile) or not isinstance(started, FileStarted):
        return _End(StepResult.FAILED, Kind.JOURNAL.value)
    path = subject_path(change) or ""
    try:
        drop_temporary(state.tree, path, temporary_name(run.name, index))
        end = _restore(state, run, index, force=force)
        remove_folders(state.tree, started.folders)
    except Refusal as refusal:
        return _End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return _End(StepResult.FAILED, error.strerror or type(error).__name__)
    return end


def _restore(state: State, run: Run, index: int, *, force: bool) -> _End:
    change, started = run.plan.steps[index], run.steps[index].started
    if not isinstance(change, WriteFile) or not isinstance(started, FileStarted):
        return _End(StepResult.FAILED, Kind.JOURNAL.value)
    path = subject_path(change) or ""
    current = state.tree.read(path)
    digest = current.state.digest if current is not None else None
    if digest == change.before:
        return _End(StepResult.SAME)
    former = None if change.before is None else state.kept(change.before)
    if change.before is not None and former is None:
        return _End(StepResult.FAILED, Kind.JOURNAL.value)
    replaced = None
    if digest != change.after:
        if not force:
            return _merge(state, run, index, current, former)
        replaced = state.keep(current.content) if current is not None else None
    if former is None or started.before is None:
        remove(state.tree, path)
    else:
        put(state.tree, path, former, started.before, temporary_name(run.name, index))
    return _End(StepResult.TAKEN_BACK, None, replaced)


def _merge(state: State, run: Run, index: int, current: File | None, former: bytes | None) -> _End:
    """Someone edited on. Their work stays; what is ours goes where it can be told apart."""
    change = run.plan.steps[index]
    if current is None or not isinstance(change, WriteFile):
        return _End(StepResult.LEFT, "gone")
    try:
        taken = take_back(change.template, former, current.content)
    except Unrenderable:
        taken = None
    if taken is None:
        return _End(StepResult.LEFT, "edited")
    path = subject_path(change) or ""
    if taken == current.content:
        return _End(StepResult.SAME, "edited")
    if not taken and former is None:
        remove(state.tree, path)
    else:
        put(state.tree, path, taken, with_content(current.state, taken), temporary_name(run.name, index))
    return _End(StepResult.MERGED)


def _undo_tool(  # noqa: PLR0911 - one way out a reason
    state: State, run: Run, index: int
) -> _End:
    """Run the program over the configuration that is back; what it made decides, not what it said."""
    change, started = run.plan.steps[index], run.steps[index].started
    marks = marks_of(run.plan, index)
    known = isinstance(started, ToolStarted)
    before = frozenset(started.listed) if isinstance(started, ToolStarted) else frozenset[str]()
    try:
        match change:
            case RunTool():
                ran = run_tool(state.tree, change.tool, state.lock_descriptor)
            case ArgumentsByTool() if known:
                words = tuple(sorted((marks - before) & look(state.tree, change.tool, marks).anywhere))
                if not words:
                    return _End(StepResult.SAME)
                ran = change_arguments(state.tree, change.tool, words, state.lock_descriptor, add=False)
            case _:
                return _End(StepResult.SAME)
        seen = look(state.tree, change.tool, marks)
    except Refusal as refusal:
        return _End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return _End(StepResult.FAILED, error.strerror or type(error).__name__)
    if known and not seen.anywhere <= before:
        return _End(StepResult.FAILED, "still-there")
    if not ran.well and (not known or not marks):
        return _End(StepResult.FAILED, "tool-failed")
    return _End(StepResult.TAKEN_BACK, None if ran.well else "tool-failed")

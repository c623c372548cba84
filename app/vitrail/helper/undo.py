# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: every subject is compared with what it was before and after, whatever the journal says of it.

What starts the machine goes first, then images, then what does nothing by itself; inside, files in reverse and then
the programs that read them. As it was after: the former file returns. As before: nothing to do. Otherwise someone
edited on: only what is ours goes, or, on request, the exact former file returns and the replaced one is kept.
"""

from __future__ import annotations

from dataclasses import replace

from vitrail.helper.bind_live import undo_binding
from vitrail.helper.effects import follows_images
from vitrail.helper.journal import Journal, Run, StepRecord, is_kept, readable_runs
from vitrail.helper.packages import check_packages
from vitrail.helper.progress import tell
from vitrail.helper.put import drop_temporary, put, remove, remove_folders, temporary_name, with_content
from vitrail.helper.rules import is_of_guard
from vitrail.helper.state import State
from vitrail.helper.tree import File
from vitrail.helper.undo_made import End, undo_given, undo_made, undo_one_shot, undo_tool
from vitrail.model.binding import BindLive
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.host_journal import FileStarted, HostStepTakenBack
from vitrail.model.host_place import Stage, kind_of_change, stages_of, subject_of_change, subject_path
from vitrail.model.host_step import ArgumentsByTool, HostPlan, RunTool, WriteFile
from vitrail.model.host_wire import HostRunOutcome, HostStepOutcome, Kind, Refusal, Undo
from vitrail.model.outcome import RunResult, StepResult
from vitrail.model.permission import JoinGroup, LabelRom
from vitrail.model.render import take_back
from vitrail.model.trial import MakeTrialImage, SetOneShot, StoreGuard

_SETTLED = (StepResult.TAKEN_BACK, StepResult.SAME, StepResult.MERGED)
_TOOLS = (RunTool, ArgumentsByTool)
_FILES = (WriteFile, MakeTrialImage, StoreGuard)
_GIVEN = (JoinGroup, LabelRom)


def undo(state: State, request: Undo, *, unless_kept: bool = False) -> tuple[HostRunOutcome, ...]:
    """Take back what was asked for, newest first; nothing where nothing is in effect. Raises Refusal.

    `unless_kept`: nothing either where the plan was kept, which only under the lock is certain.
    """
    if not check_undo(state, request):
        return ()
    with state.lock():
        if unless_kept and is_kept(state.tree, request.plan_id):
            return ()
        return tuple(take_back_run(state, run, force=request.force) for run in _chosen(state, request))


def check_undo(state: State, request: Undo) -> bool:
    """Whether there is anything to take back; nothing is written. Raises Refusal where it cannot be now."""
    if not _chosen(state, request):
        return False
    if state.is_locked():
        raise Refusal(Kind.LOCKED)
    check_packages(state.tree)
    return True


def _chosen(state: State, request: Undo) -> tuple[Run, ...]:
    """The runs that are taken back, newest first: of a plan all that are in effect, its trial too."""
    runs = tuple(run for run in readable_runs(state.tree) if run.in_effect)
    if request.everything:
        return runs
    plan_id = request.plan_id or (runs[0].plan.plan_id if runs else None)
    wanted = tuple(run for run in runs if run.plan.plan_id == plan_id)
    if request.plan_id is not None and not wanted:
        raise Refusal(Kind.NO_RUN, plan_id=request.plan_id)
    for run in wanted:
        others = (other for other in runs[: runs.index(run)] if other.plan.plan_id != plan_id)
        later = next((other for other in others if _paths(other.plan) & _paths(run.plan)), None)
        if later is not None:
            raise Refusal(Kind.LATER_PLAN, plan_id=later.plan.plan_id, run=later.name)
    return wanted


def _paths(plan: HostPlan) -> set[str]:
    """What a later plan may have built on; the guard's own files are shared, and looked after when they go."""
    steps = [change for change in plan.steps if not is_of_guard(change)]
    given = {subject_of_change(change) for change in steps if isinstance(change, _GIVEN)}
    return given | {path for change in steps if (path := subject_path(change)) is not None}


def undo_own(state: State, journal: Journal, plan: HostPlan) -> RunResult | None:
    """Take back the run that has just failed; None where its journal cannot be read, so nothing was done."""
    try:
        run = next((run for run in readable_runs(state.tree) if run.name == journal.run), None)
    except (Refusal, OSError):
        return None
    if run is None or run.plan != plan:
        return None
    outcome = take_back_run(state, run, force=False)
    return RunResult(outcome.result)


def take_back_run(state: State, run: Run, *, force: bool) -> HostRunOutcome:
    """Take back the whole of a run."""
    journal = Journal(state, run.name)
    ends = take_back_steps(state, run, list(range(len(run.plan.steps))), force=force)
    settled = all(end.result in _SETTLED for end in ends.values())
    result = RunResult.TAKEN_BACK if settled else RunResult.INCOMPLETE
    result = _ended(journal, result)
    outcomes = tuple(_outcome(run.plan, index, ends[index]) for index in sorted(ends))
    return HostRunOutcome(run.plan.plan_id, run.name, result.value, outcomes)


def take_back_steps(state: State, run: Run, steps: list[int], *, force: bool) -> dict[int, End]:
    """Take back these steps of a run: what starts the machine first, and the mark of a trial before its entry."""
    stages = stages_of(run.plan.steps)
    ends: dict[int, End] = {}
    for group in ((Stage.BOOT,), (Stage.INERT, Stage.IMAGE)):
        inside = [index for index in steps if stages[index] in group]
        started = [index for index in inside if run.steps[index].started is not None]
        marks = [index for index in started if isinstance(run.plan.steps[index], SetOneShot)]
        files = [index for index in reversed(started) if isinstance(run.plan.steps[index], _FILES)]
        live = [index for index in reversed(started) if isinstance(run.plan.steps[index], BindLive)]
        given = [index for index in reversed(started) if isinstance(run.plan.steps[index], _GIVEN)]
        for index in (*marks, *live, *given, *files):
            ends[index] = _taken_back(state, run, index, force=force)
        moved = any(ends[index].result is not StepResult.SAME for index in files)
        tools = [index for index in inside if isinstance(run.plan.steps[index], _TOOLS) and started]
        if Stage.INERT in group:
            # What these took along before was built while the files that are gone only now were there.
            tools += [index for index in steps if index in ends and follows_images(run.plan, index)]
        for index in tools:
            if moved or not _settled(run.steps[index]):
                again = Stage.BOOT in group and follows_images(run.plan, index)
                ends[index] = _taken_back(state, run, index, force=force, again=again)
    return ends


def _taken_back(state: State, run: Run, index: int, *, force: bool, again: bool = False) -> End:
    """One step. `again`: its turn comes once more, so this is not noted as the end of it."""
    tell(state, run.plan, index, back=True)
    match run.plan.steps[index]:
        case WriteFile():
            end = _undo_file(state, run, index, force=force)
        case MakeTrialImage() | StoreGuard():
            end = undo_made(state, run, index)
        case SetOneShot():
            end = undo_one_shot(state, run, index)
        case BindLive():
            end = undo_binding(state, run, index, force=force)
        case JoinGroup() | LabelRom() as change:
            end = undo_given(state, run, index, change)
        case _:
            end = undo_tool(state, run, index)
    return end if again else _journaled(Journal(state, run.name), index, end)


def _ended(journal: Journal, result: RunResult) -> RunResult:
    """A full disk must not keep an undo from going on: what it did is told, and looked at again by the next one."""
    try:
        journal.end(result)
    except OSError:
        return RunResult.INCOMPLETE
    return result


def _settled(step: StepRecord) -> bool:
    return step.taken_back is not None and step.taken_back.result in {result.value for result in _SETTLED}


def _journaled(journal: Journal, index: int, end: End) -> End:
    try:
        journal.append(HostStepTakenBack(index, end.result.value, end.replaced))
    except OSError as error:
        return end if end.result not in _SETTLED else replace(end, detail=error.strerror or "journal")
    return end


def _outcome(plan: HostPlan, index: int, end: End) -> HostStepOutcome:
    change = plan.steps[index]
    return HostStepOutcome(index, kind_of_change(change), subject_of_change(change), end.result.value, end.detail)


def _undo_file(state: State, run: Run, index: int, *, force: bool) -> End:
    change, started = run.plan.steps[index], run.steps[index].started
    if not isinstance(change, WriteFile) or not isinstance(started, FileStarted):
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    path = subject_path(change) or ""
    try:
        drop_temporary(state.tree, path, temporary_name(run.name, index))
        end = _restore(state, run, index, force=force)
        remove_folders(state.tree, started.folders)
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)
    return end


def _restore(state: State, run: Run, index: int, *, force: bool) -> End:
    change, started = run.plan.steps[index], run.steps[index].started
    if not isinstance(change, WriteFile) or not isinstance(started, FileStarted):
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    path = subject_path(change) or ""
    current = state.tree.read(path)
    digest = current.state.digest if current is not None else None
    if digest == change.before:
        return End(StepResult.SAME)
    former = None if change.before is None else state.kept(change.before)
    if change.before is not None and former is None:
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    replaced = None
    if digest != change.after:
        if not force:
            return _merge(state, run, index, current, former)
        replaced = state.keep(current.content) if current is not None else None
    if former is None or started.before is None:
        remove(state.tree, path)
    else:
        put(state.tree, path, former, started.before, temporary_name(run.name, index))
    return End(StepResult.TAKEN_BACK, None, replaced)


def _merge(state: State, run: Run, index: int, current: File | None, former: bytes | None) -> End:
    """Someone edited on. Their work stays; what is ours goes where it can be told apart."""
    change = run.plan.steps[index]
    if current is None or not isinstance(change, WriteFile):
        return End(StepResult.LEFT, "gone")
    try:
        taken = take_back(change.template, former, current.content)
    except Unrenderable:
        taken = None
    if taken is None:
        return End(StepResult.LEFT, "edited")
    path = subject_path(change) or ""
    if taken == current.content:
        return End(StepResult.SAME, "edited")
    if not taken and former is None:
        remove(state.tree, path)
    else:
        put(state.tree, path, taken, with_content(current.state, taken), temporary_name(run.name, index))
    return End(StepResult.MERGED)

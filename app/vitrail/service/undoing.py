# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: each subject is compared with what it was before and after, whatever the journal says of it.

As it was after: the former text returns. As it was before: nothing to do. Otherwise someone edited on, and only what
is ours goes. Preview and undo are made by the same function. No judgement, no host facts, no network are needed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from vitrail.model.errors import Refused, Unreachable, Unreadable, Unsettled
from vitrail.model.journal import StepTakenBack
from vitrail.model.outcome import RunOutcome, RunResult, RunState, StepOutcome, StepResult
from vitrail.model.text import Text, text
from vitrail.service.changing import Bench, when_it_acts
from vitrail.service.defining import Moved, Unsure, Vanished, read_text, write
from vitrail.service.journal import Journal, Run, StepRecord, read_runs, readable, unreachable_original
from vitrail.service.stores import StoredDomain
from vitrail.xmldoc.compare import differences
from vitrail.xmldoc.diff import shown_diff
from vitrail.xmldoc.take_back import take_back

_STRAGGLER_SECONDS = 1.0
_FILLED_IN = ("devices/controller[pci/", "devices/audio[1]", "os/boot[hd]")


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo of one run would write.

    `merges`: others edited since, and their work stays. `left`: what of ours cannot be told from theirs and stays too.
    `gone`: the VM is not there any more.
    """

    plan_id: str
    run: str
    vm_name: str
    diff: str
    merges: bool
    left: tuple[str, ...]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class _Way:
    """The way back of one step: from `current` to `target`."""

    result: StepResult
    current: str
    target: str
    left: tuple[str, ...] = ()
    replaces_theirs: bool = False


def choose_runs(bench: Bench, plan_id: str | None, *, everything: bool) -> tuple[Run, ...]:
    """The runs to take back, newest first. Raises Refused for a plan that is not known or not the newest on its VM."""
    runs = read_runs(bench.state)
    ours = readable(runs, bench.connection)
    live = tuple(run for run in ours if run.in_effect)
    if everything:
        return live
    if plan_id is None:
        return live[:1]
    named = [run for run in ours if run.started.plan_id == plan_id]
    if not named:
        raise _unknown_plan(bench, plan_id)
    run = next((run for run in named if run.in_effect), named[0])
    later = next((other for other in live if other.number > run.number and _same_vm(other, run)), None)
    if later is not None:
        raise Refused(
            text("service.undo.later-first", plan=plan_id, later=later.started.plan_id, vm=run.started.vm_name),
            text("service.undo.do-later-first", later=later.started.plan_id),
            text("service.undo.or-everything"),
        )
    return (run,)


def _same_vm(one: Run, other: Run) -> bool:
    return one.started.vm_uuid == other.started.vm_uuid


def _unknown_plan(bench: Bench, plan_id: str) -> Refused:
    elsewhere = [run for run in read_runs(bench.state) if isinstance(run, Run) and run.started.plan_id == plan_id]
    if elsewhere:
        return Refused(
            text("service.undo.elsewhere", plan=plan_id, connection=elsewhere[0].started.connection),
            text("service.undo.open-there"),
        )
    return Refused(text("service.undo.unknown-plan", plan=plan_id), text("service.undo.see-history"))


def preview(bench: Bench, runs: Iterable[Run], *, force: bool = False) -> tuple[UndoPreview, ...]:
    """What taking these runs back, in this order, would write. Writes nothing."""
    virtual: dict[str, str] = {}
    previews: list[UndoPreview] = []
    for run in runs:
        uuid, name = run.started.vm_uuid, run.started.vm_name
        for step in reversed(run.steps):
            if uuid not in virtual:
                try:
                    virtual[uuid] = read_text(bench.store, uuid)[1]
                except Vanished:
                    previews.append(
                        UndoPreview(run.started.plan_id, run.name, name, "", merges=False, left=(), gone=True)
                    )
                    continue
            way = _find_way(bench, run, step, virtual[uuid], force=force)
            virtual[uuid] = way.target
            diff = shown_diff(way.current, way.target)
            merges = way.result is StepResult.MERGED
            previews.append(UndoPreview(run.started.plan_id, run.name, name, diff, merges, way.left))
    return tuple(previews)


def _find_way(bench: Bench, run: Run, step: StepRecord, current: str, *, force: bool) -> _Way:
    """Compare what is with what was before and after. Raises Unreachable where an original is gone."""
    before = bench.state.get(step.started.before_digest)
    if before is None:
        raise unreachable_original(bench.state, step.started.before_digest)
    if current == before:
        return _Way(StepResult.SAME, current, current)
    after = bench.state.get(step.started.after_digest)
    seen = bench.state.get(step.seen_digest) if step.seen_digest else None
    ours = tuple(words for words in (seen, after) if words is not None)
    if current in ours:
        return _Way(StepResult.TAKEN_BACK, current, before)
    if force:
        return _Way(StepResult.TAKEN_BACK, current, before, replaces_theirs=True)
    if not run.in_effect or _means_the_same(before, current):
        return _Way(StepResult.SAME, current, current)
    if not ours:
        raise unreachable_original(bench.state, step.started.after_digest)
    unseen = seen is None and after is not None and _only_filled_in(before, after, current)
    if unseen or _means_the_same(ours[0], current):
        return _Way(StepResult.TAKEN_BACK, current, before)
    return _merge(before, ours[0], current)


def _only_filled_in(before: str, after: str, current: str) -> bool:
    """Whether `current` is what a define of `after` gives, for a run that died before it could read that back.

    libvirt adds addresses, PCI ports for what has none, defaults inside the elements that we wrote, the sound that a
    display stood for, and a disk to start from where the only device with a place in the boot order is gone.
    """
    if differences(after, current, None):
        return False
    written = tuple(_element(difference.path) for difference in differences(after, before, None))
    return all(
        path.startswith((*_FILLED_IN, *written)) or path.endswith(("/address", "/alias"))
        for path in (difference.path for difference in differences(current, after, None))
    )


def _element(path: str) -> str:
    """The element of a difference, as the beginning of every path inside it."""
    return path.rpartition("@")[0] or f"{path}/"


def _merge(before: str, after: str, current: str) -> _Way:
    try:
        taken = take_back(before, after, current)
    except Unreadable:
        return _Way(StepResult.LEFT, current, current)
    if _means_the_same(before, taken.text):
        # Nothing of anybody else's remains: then every byte of the former text may return.
        return _Way(StepResult.TAKEN_BACK, current, before, taken.left)
    if taken.text == current:
        return _Way(StepResult.LEFT if taken.left else StepResult.SAME, current, current, taken.left)
    return _Way(StepResult.LEFT if taken.left else StepResult.MERGED, current, taken.text, taken.left)


def _means_the_same(one: str, other: str) -> bool:
    return not differences(one, other, None) and not differences(other, one, None)


def undo_run(bench: Bench, run: Run, *, force: bool) -> RunOutcome:
    """Take one run back. The state folder's lock is held by the caller. Raises Unreachable with nothing written."""
    journal = Journal(bench.state, run.name, run.started.plan_id)
    outcomes = tuple(_Undoing(bench, run, journal, step, force=force).carry_out() for step in reversed(run.steps))
    results = {outcome.result for outcome in outcomes}
    if StepResult.UNKNOWN in results:
        result = RunResult.UNKNOWN
    elif results & {StepResult.FAILED, StepResult.LEFT}:
        result = RunResult.INCOMPLETE
    else:
        result = RunResult.TAKEN_BACK
    if run.in_effect or result is not RunResult.TAKEN_BACK:
        journal.end(result)
    if result is RunResult.TAKEN_BACK and results <= {StepResult.SAME}:
        result = RunResult.NOTHING_TO_DO
    return RunOutcome(run.started.plan_id, run.name, result, outcomes)


@dataclass(frozen=True, slots=True)
class _End:
    """How a step's undo ended; `seen` is what was read back, empty where nothing was."""

    result: StepResult
    detail: Text | None = None
    seen: str = ""


class _Undoing:
    """One step of one run on its way back."""

    def __init__(self, bench: Bench, run: Run, journal: Journal, step: StepRecord, *, force: bool) -> None:
        self._bench = bench
        self._run = run
        self._journal = journal
        self._step = step
        self._force = force
        self._name = run.started.vm_name

    def carry_out(self) -> StepOutcome:
        uuid = self._run.started.vm_uuid
        try:
            domain, way = self._look(uuid)
            if way.result is StepResult.SAME and self._run.state is RunState.INTERRUPTED:
                # A write that was sent and never answered may be carried out after its sender is gone.
                time.sleep(_STRAGGLER_SECONDS)
                domain, way = self._look(uuid)
            end = self._go(domain, way)
        except Vanished:
            end = _End(StepResult.LEFT, self._say("vanished"))
        started = self._step.started
        if end.result is not StepResult.SAME or self._run.in_effect:
            self._record(end)
        return StepOutcome(started.step, started.subject, end.result, end.detail)

    def _record(self, end: _End) -> None:
        try:
            seen_digest = self._bench.state.put(end.seen) if end.seen else ""
            self._journal.append(StepTakenBack(self._step.started.index, end.result.value, seen_digest))
        except Unreachable as error:
            raise Unsettled(text("service.undo.not-recorded", vm=self._name), *error.next_steps) from error

    def _look(self, uuid: str) -> tuple[StoredDomain, _Way]:
        domain, current = read_text(self._bench.store, uuid)
        return domain, _find_way(self._bench, self._run, self._step, current, force=self._force)

    def _say(self, ending: str, /, **more: str | Text) -> Text:
        """A sentence that ends with the way to do it by hand."""
        file = self._bench.state.object_path(self._step.started.before_digest)
        args = {"vm": self._name, "way": self._bench.store.by_hand(file), **more}
        return Text(f"service.undo.{ending}", tuple(sorted(args.items())))

    def _go(self, domain: StoredDomain, way: _Way) -> _End:
        if way.target == way.current:
            left = self._say("left", what=_listed(way.left)) if way.result is StepResult.LEFT else None
            return _End(way.result, left, way.current)
        replaced = self._bench.state.put(way.current) if way.replaces_theirs else None
        try:
            written = write(self._bench.store, domain.uuid, way.target, instead_of=way.current, strict=False)
        except Moved:
            return _End(StepResult.FAILED, self._say("moved"))
        except Unsure:
            return _End(StepResult.UNKNOWN, self._say("unknown"))
        if written.refused is not None:
            return _End(StepResult.FAILED, self._say("refused", message=written.refused), written.seen)
        lost = differences(way.target, written.seen, None)
        if lost:
            what = _listed(tuple(difference.path for difference in lost))
            return _End(StepResult.FAILED, self._say("dropped", what=what), written.seen)
        return _End(way.result, self._done(domain, way, replaced), written.seen)

    def _done(self, domain: StoredDomain, way: _Way, replaced: str | None) -> Text | None:
        if way.left:
            return self._say("left", what=_listed(way.left))
        if replaced is not None:
            kept = str(self._bench.state.object_path(replaced))
            return text("service.undo.replaced-kept", vm=self._name, path=kept)
        if way.result is StepResult.MERGED:
            return text("service.undo.merged", vm=self._name)
        return when_it_acts(domain)


def _listed(places: tuple[str, ...]) -> str:
    return ", ".join(places) or "-"

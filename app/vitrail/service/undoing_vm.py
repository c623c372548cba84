# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a VM's definition back: what is now against what was before and after, and the write that follows from it.

As it was after: the former text returns. As it was before: nothing to do. Otherwise someone edited on, and only what
is ours goes. Preview and undo are made by the same function. No judgement, no host facts, no network are needed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from vitrail.model.errors import Unreachable, Unreadable, Unsettled
from vitrail.model.journal import StepTakenBack
from vitrail.model.outcome import RunState, StepOutcome, StepResult
from vitrail.model.text import Text, text
from vitrail.service.changing import Bench, when_it_acts
from vitrail.service.defining import Moved, Unsure, Vanished, read_text, write
from vitrail.service.journal import Journal, Run, StepRecord, unreachable_original
from vitrail.service.stores import StoredDomain
from vitrail.xmldoc.compare import differences
from vitrail.xmldoc.take_back import take_back

_STRAGGLER_SECONDS = 1.0
_FILLED_IN = ("devices/controller[pci/", "devices/audio[1]", "os/boot[hd]")


@dataclass(frozen=True, slots=True)
class Way:
    """The way back of one step: from `current` to `target`."""

    result: StepResult
    current: str
    target: str
    left: tuple[str, ...] = ()
    replaces_theirs: bool = False


def find_way(bench: Bench, run: Run, step: StepRecord, current: str, *, force: bool) -> Way:
    """Compare what is with what was before and after. Raises Unreachable where an original is gone."""
    before = bench.state.get(step.started.before_digest)
    if before is None:
        raise unreachable_original(bench.state, step.started.before_digest)
    if current == before:
        return Way(StepResult.SAME, current, current)
    after = bench.state.get(step.started.after_digest)
    seen = bench.state.get(step.seen_digest) if step.seen_digest else None
    ours = tuple(words for words in (seen, after) if words is not None)
    if current in ours:
        return Way(StepResult.TAKEN_BACK, current, before)
    if force:
        return Way(StepResult.TAKEN_BACK, current, before, replaces_theirs=True)
    if not run.in_effect or _means_the_same(before, current):
        return Way(StepResult.SAME, current, current)
    if not ours:
        raise unreachable_original(bench.state, step.started.after_digest)
    unseen = seen is None and after is not None and _only_filled_in(before, after, current)
    if unseen or _means_the_same(ours[0], current):
        return Way(StepResult.TAKEN_BACK, current, before)
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


def _merge(before: str, after: str, current: str) -> Way:
    try:
        taken = take_back(before, after, current)
    except Unreadable:
        return Way(StepResult.LEFT, current, current)
    if _means_the_same(before, taken.text):
        # Nothing of anybody else's remains: then every byte of the former text may return.
        return Way(StepResult.TAKEN_BACK, current, before, taken.left)
    if taken.text == current:
        return Way(StepResult.LEFT if taken.left else StepResult.SAME, current, current, taken.left)
    return Way(StepResult.LEFT if taken.left else StepResult.MERGED, current, taken.text, taken.left)


def _means_the_same(one: str, other: str) -> bool:
    return not differences(one, other, None) and not differences(other, one, None)


def undo_vm(bench: Bench, run: Run, journal: Journal, step: StepRecord, *, force: bool) -> StepOutcome:
    """Take one VM step back. Raises Unreachable with nothing written, Unsettled where it could not be noted."""
    return _Undoing(bench, run, journal, step, force=force).carry_out()


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

    def _look(self, uuid: str) -> tuple[StoredDomain, Way]:
        domain, current = read_text(self._bench.store, uuid)
        return domain, find_way(self._bench, self._run, self._step, current, force=self._force)

    def _say(self, ending: str, /, **more: str | Text) -> Text:
        """A sentence that ends with the way to do it by hand."""
        file = self._bench.state.object_path(self._step.started.before_digest)
        args = {"vm": self._name, "way": self._bench.store.by_hand(file), **more}
        return Text(f"service.undo.{ending}", tuple(sorted(args.items())))

    def _go(self, domain: StoredDomain, way: Way) -> _End:
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

    def _done(self, domain: StoredDomain, way: Way, replaced: str | None) -> Text | None:
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a run promised is there: the texts it stored against a new read, never against the plan itself.

A promise is one place where the two texts of a run differ: what must be there, or what must be gone. Every step has at
least one, so a verification always looked at something.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.finding import Evidence
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import VmState
from vitrail.service.changing import Bench
from vitrail.service.defining import Vanished, read_text
from vitrail.service.journal import Run, StepRecord, read_runs, readable
from vitrail.service.stores import StoredDomain
from vitrail.xmldoc.compare import Difference, differences

_NOTHING = "-"
_RUNS = (VmState.RUNNING, VmState.PAUSED, VmState.SUSPENDED)


def runs_to_verify(bench: Bench, plan_id: str | None) -> tuple[Run, ...]:
    """The newest run of the plan; without one, the newest run on each VM."""
    ours = readable(read_runs(bench.state), bench.connection)
    if plan_id is not None:
        named = [run for run in ours if run.started.plan_id == plan_id]
        if not named:
            raise Refused(text("service.undo.unknown-plan", plan=plan_id), text("service.undo.see-history"))
        return (next((run for run in named if run.in_effect), named[0]),)
    newest: dict[str, Run] = {}
    for run in ours:
        known = newest.setdefault(run.started.vm_uuid, run)
        if run.in_effect and not known.in_effect:
            newest[run.started.vm_uuid] = run
    return tuple(newest.values())


def verify_runs(bench: Bench, runs: Iterable[Run]) -> tuple[Outcome, ...]:
    """Every promise of these runs, kept or not, by what the store holds now. Raises Unreachable."""
    return tuple(outcome for run in runs for step in run.vm_steps for outcome in _verify_step(bench, run, step))


def _verify_step(bench: Bench, run: Run, step: StepRecord) -> tuple[Outcome, ...]:
    uuid = run.started.vm_uuid
    whole = text("service.verify.as-planned" if run.in_effect else "service.verify.as-before", vm=run.started.vm_name)
    before, after = (bench.state.get(digest) for digest in (step.started.before_digest, step.started.after_digest))
    where = bench.store.where(uuid)
    if before is None or after is None:
        missing = step.started.before_digest if before is None else step.started.after_digest
        evidence = Evidence(str(bench.state.object_path(missing)), "")
        return (Outcome(whole, PromiseResult.UNKNOWN, "", "", (evidence,)),)
    try:
        domain, now = read_text(bench.store, uuid)
    except Vanished:
        return (Outcome(whole, PromiseResult.BROKEN, uuid, _NOTHING, (Evidence(where, _NOTHING),)),)
    meant, other = (after, before) if run.in_effect else (before, after)
    promises = _promises(meant, other, _read_back(bench, run, step))
    told = _told(run.started.vm_name, where, promises, _Look(meant, other, now), _Live.of(bench, domain, meant, other))
    return told or (Outcome(whole, PromiseResult.KEPT, uuid, uuid, (Evidence(where, uuid),)),)


def _read_back(bench: Bench, run: Run, step: StepRecord) -> str | None:
    """What the store made of the text that was meant, as it was read right after."""
    if run.in_effect:
        return bench.state.get(step.seen_digest) if step.seen_digest else None
    taken = step.taken_back
    return bench.state.get(taken.seen_digest) if taken is not None and taken.seen_digest else None


@dataclass(frozen=True, slots=True)
class _Promise:
    """What must be at a place. `lost`: what stood there and must be gone, where nothing else tells of it."""

    path: str
    meant: str
    lost: Difference | None = None


def _promises(meant: str, other: str, read_back: str | None) -> tuple[_Promise, ...]:
    """What must be there, and what must be gone; but not what the store filled in again by itself."""
    there = {promise.path: promise.meant for promise in differences(meant, other, None)}
    lost = [one for one in differences(other, meant, None) if one.seen == _NOTHING and one.path not in there]
    gone = tuple(_Promise(one.path, _NOTHING, one) for one in lost)
    if gone and read_back is not None:
        look = _Look(meant, other, read_back)
        gone = tuple(promise for promise in gone if look.at(promise)[1])
    return (*(_Promise(path, words) for path, words in there.items()), *gone)


class _Look:
    """One text held against what was meant and what was there otherwise."""

    def __init__(self, meant: str, other: str, words: str) -> None:
        self._wrong = {difference.path: difference for difference in differences(meant, words, other)}
        self._new = {difference.path: difference.meant for difference in differences(words, other, None)}
        self._lost = {difference.path: difference.seen for difference in differences(other, words, None)}

    def at(self, promise: _Promise) -> tuple[str, bool]:
        """What is at the place of this promise, and whether that keeps it."""
        if promise.lost is not None:
            gone = any(seen == _NOTHING and _holds(place, promise.path) for place, seen in self._lost.items())
            return (_NOTHING, True) if gone else (self._lost.get(promise.path, promise.lost.meant), False)
        wrong = self._wrong.get(promise.path)
        if wrong is not None:
            return wrong.seen, False
        return self._new.get(promise.path, promise.meant), True

    def besides(self, promises: Iterable[_Promise]) -> tuple[Difference, ...]:
        """What is not as it was meant though no promise names its place."""
        named = {promise.path for promise in promises}
        return tuple(wrong for path, wrong in self._wrong.items() if path not in named)


def _holds(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}/", f"{outer}@"))


@dataclass(frozen=True, slots=True)
class _Live:
    """What a VM that is on runs with: its definition changes only at its next start."""

    look: _Look | None
    evidence: Evidence

    @classmethod
    def of(cls, bench: Bench, domain: StoredDomain, meant: str, other: str) -> _Live | None:
        """None for a VM that is certainly not running."""
        if not isinstance(domain.state, Known) or domain.state.value not in _RUNS:
            return None
        try:
            words = bench.store.running_text(domain.uuid)
        except Unreachable as error:
            words = Unknown(error.what)
        state = Evidence(domain.state.source, domain.state.value.value)
        if isinstance(words, Unknown):
            return cls(None, state)
        return cls(_Look(meant, other, words.value), Evidence(words.source, state.value))

    def has(self, promise: _Promise) -> tuple[bool, tuple[Evidence, ...]]:
        """Whether the promise holds in the running VM already, and what was seen there."""
        if self.look is None:
            return False, (self.evidence,)
        seen, kept = self.look.at(promise)
        return kept, (Evidence(f"{self.evidence.source} {promise.path}", seen),)


def _told(vm: str, where: str, promises: tuple[_Promise, ...], look: _Look, live: _Live | None) -> tuple[Outcome, ...]:
    """One outcome for each promise; what is seen comes from the new read alone."""
    outcomes: list[Outcome] = []
    for promise in promises:
        seen, kept = look.at(promise)
        evidence: tuple[Evidence, ...] = (Evidence(f"{where} {promise.path}", seen),)
        step = text("service.verify.has", vm=vm, place=promise.path)
        if kept and live is not None:
            already, more = live.has(promise)
            evidence += more
            step = step if already else text("service.verify.has-later", vm=vm, place=promise.path)
        outcomes.append(_outcome(step, promise.meant, seen, evidence, kept=kept))
    for wrong in look.besides(promises):
        step = text("service.verify.has", vm=vm, place=wrong.path)
        outcomes.append(_outcome(step, wrong.meant, wrong.seen, (Evidence(f"{where} {wrong.path}", wrong.seen),)))
    return tuple(outcomes)


def _outcome(step: Text, expected: str, seen: str, evidence: tuple[Evidence, ...], *, kept: bool = False) -> Outcome:
    return Outcome(step, PromiseResult.KEPT if kept else PromiseResult.BROKEN, expected, seen, evidence)

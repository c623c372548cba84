# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a run promised is there: the texts it stored against a new read, never against the plan itself."""

from __future__ import annotations

from collections.abc import Iterable

from vitrail.model.errors import Refused
from vitrail.model.finding import Evidence
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.text import text
from vitrail.service.changing import Bench
from vitrail.service.defining import Vanished, read_text
from vitrail.service.journal import Run, StepRecord, read_runs, readable
from vitrail.xmldoc.compare import Difference, differences


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
    return tuple(outcome for run in runs for step in run.steps for outcome in _verify_step(bench, run, step))


def _verify_step(bench: Bench, run: Run, step: StepRecord) -> tuple[Outcome, ...]:
    name = run.started.vm_name
    promise = text("service.verify.as-planned" if run.in_effect else "service.verify.as-before", vm=name)
    before, after = (bench.state.get(digest) for digest in (step.started.before_digest, step.started.after_digest))
    where = bench.store.where(run.started.vm_uuid)
    if before is None or after is None:
        missing = step.started.before_digest if before is None else step.started.after_digest
        evidence = Evidence(str(bench.state.object_path(missing)), "")
        return (Outcome(promise, PromiseResult.UNKNOWN, "", "", (evidence,)),)
    try:
        now = read_text(bench.store, run.started.vm_uuid)[1]
    except Vanished:
        return (Outcome(promise, PromiseResult.BROKEN, run.started.vm_uuid, "", (Evidence(where, ""),)),)
    meant, other = (after, before) if run.in_effect else (before, after)
    return _compare(name, where, meant, other, now)


def _compare(vm: str, where: str, meant: str, other: str, now: str) -> tuple[Outcome, ...]:
    """One outcome for each place where the two texts of the plan differ; what is seen comes from `now` alone."""
    broken = {difference.path: difference for difference in differences(meant, now, other)}
    seen_now = {difference.path: difference.meant for difference in differences(now, other, None)}
    outcomes: list[Outcome] = []
    for promised in differences(meant, other, None):
        wrong = broken.pop(promised.path, None)
        seen = wrong.seen if wrong is not None else seen_now.get(promised.path, promised.meant)
        outcomes.append(_outcome(vm, where, promised, seen, kept=wrong is None))
    return (*outcomes, *(_outcome(vm, where, wrong, wrong.seen, kept=False) for wrong in broken.values()))


def _outcome(vm: str, where: str, promised: Difference, seen: str, *, kept: bool) -> Outcome:
    result = PromiseResult.KEPT if kept else PromiseResult.BROKEN
    step = text("service.verify.has", vm=vm, place=promised.path)
    return Outcome(step, result, promised.meant, seen, (Evidence(f"{where} {promised.path}", seen),))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what was changed on this computer: shown as far as it can be read without root, done by the port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.edited_lines import Unrenderable
from vitrail.model.errors import Refused, Unreachable, Unsettled
from vitrail.model.host_place import subject_of_change, subject_path
from vitrail.model.host_step import WriteFile
from vitrail.model.journal import HostTakenBack
from vitrail.model.outcome import RunResult, StepOutcome, StepResult
from vitrail.model.reading import Known, Unknown
from vitrail.model.render import digest_of, take_back
from vitrail.model.text import Text, text
from vitrail.plan.describe import unified
from vitrail.service.host_words import as_steps, worst_of

if TYPE_CHECKING:
    from vitrail.service.changing import Bench
    from vitrail.service.host_port import Begun
    from vitrail.service.journal import Journal, Run

Virtual = dict[str, bytes | None]
"""Files as they will be once the runs that are looked at before are taken back."""


@dataclass(frozen=True, slots=True)
class HostWay:
    """What becomes of one file, or of everything that programs make; `left` stays, because others edited it."""

    what: Text
    diff: str
    merges: bool = False
    left: tuple[str, ...] = ()


def host_ways(bench: Bench, run: Run, virtual: Virtual, *, force: bool) -> tuple[HostWay, ...]:
    """Every change that taking the computer's part of this run back makes."""
    if run.host is None:
        return ()
    plan = run.host.handed_over.plan
    files: list[HostWay] = []
    for change in reversed((*plan.steps, *plan.keep)):
        way = _file_way(bench, change, virtual, force=force) if isinstance(change, WriteFile) else None
        if way is not None:
            files.append(way)
    tools = [subject_of_change(change) for change in plan.steps if not isinstance(change, WriteFile)]
    if files and tools:
        listed = ", ".join(dict.fromkeys(tools))
        files.append(HostWay(text("service.undo.host-tools", what=listed), ""))
    return tuple(files)


def _file_way(bench: Bench, change: WriteFile, virtual: Virtual, *, force: bool) -> HostWay | None:
    path, subject = subject_path(change) or "", subject_of_change(change)
    if path not in virtual:
        now = bench.host.file(path)
        if isinstance(now, Unknown):
            words = unified(subject, _kept(bench, change.after), _kept(bench, change.before))
            return HostWay(text("service.undo.host-unread", path=subject), words)
        virtual[path] = now.value
    current = virtual[path]
    digest = None if current is None else digest_of(current)
    if digest == change.before:
        return None
    former = None if change.before is None else (_kept(bench, change.before) or "").encode("utf-8", "surrogateescape")
    merges = False
    if digest == change.after or (force and current is not None):
        target = former
    else:
        target = _without_ours(change, former, current)
        merges = target is not None
        if target is None:
            return HostWay(text("service.undo.host-file", path=subject), "", left=(subject,))
    virtual[path] = target
    return HostWay(
        text("service.undo.host-file", path=subject), unified(subject, _words(current), _words(target)), merges
    )


def _without_ours(change: WriteFile, former: bytes | None, current: bytes | None) -> bytes | None:
    if current is None:
        return None
    try:
        return take_back(change.template, former, current)
    except Unrenderable:
        return None


def _words(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _kept(bench: Bench, digest: str | None) -> str | None:
    return None if digest is None else bench.state.get(digest)


def _left_behind(bench: Bench, run: Run) -> Unreachable | None:
    """What to say where root's side knows nothing of a change whose files are there: it is gone, or its journal is."""
    plan = run.host.handed_over.plan if run.host is not None else None
    for change in (*plan.steps, *plan.keep) if plan is not None else ():
        if not isinstance(change, WriteFile):
            continue
        now = bench.host.file(subject_path(change) or "")
        if isinstance(now, Known) and now.value is not None and digest_of(now.value) == change.after != change.before:
            what = text("service.undo.root-knows-nothing", path=subject_of_change(change))
            return Unreachable(what, text("helper.next.install"), text("service.undo.by-hand-root"))
    return None


def undo_host(
    bench: Bench, run: Run, journal: Journal, *, force: bool, wrote: bool, begun: Begun | None = None
) -> tuple[tuple[StepOutcome, ...], RunResult]:
    """Take the computer's part back. `wrote`: a part of this run was taken back already, so a no is half a way.

    Raises Refused or Unreachable with nothing written, Unsettled.
    """
    plan_id = run.started.plan_id
    try:
        outcomes = bench.host.undo(plan_id, force=force, begun=begun)
    except Unsettled:
        journal.end(RunResult.UNKNOWN)
        raise
    except (Refused, Unreachable) as error:
        if not wrote:
            raise
        step = StepOutcome("host", plan_id, StepResult.FAILED, error.what)
        journal.append(HostTakenBack(StepResult.FAILED.value))
        return (step,), RunResult.INCOMPLETE
    left = None if outcomes or not run.in_effect else _left_behind(bench, run)
    if left is not None:
        if not wrote:
            raise left
        journal.append(HostTakenBack(StepResult.FAILED.value))
        return (StepOutcome("host", plan_id, StepResult.FAILED, left.what),), RunResult.INCOMPLETE
    result = worst_of(outcomes)
    if outcomes or run.in_effect:
        ended = StepResult.TAKEN_BACK if result is RunResult.TAKEN_BACK else StepResult.SAME
        ended = StepResult.LEFT if result is RunResult.INCOMPLETE else ended
        journal.append(HostTakenBack(ended.value))
    return as_steps(outcomes, simulated=bench.host.simulated), result

# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for the user's word, and what became of it where nobody gave one: by what root's side tells now.

The user's journal names the VM and the mode; whether something still waits is never believed of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.choice import mode_of
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.kernel_argument import PlanToken, argument_of, word_of
from vitrail.model.outcome import RunState
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.resume import ResumeStage, ResumeState, TrialStory
from vitrail.model.text import text
from vitrail.service.journal import Run, read_runs

if TYPE_CHECKING:
    from vitrail.model.host_wire import HostRunState
    from vitrail.service.changing import Bench
    from vitrail.service.host_port import HostStatus
    from vitrail.source.root import Root

_CMDLINE = "proc/cmdline"
_NOTHING = ResumeState(ResumeStage.NOTHING, "", "", "", Unknown(text("service.host.nothing-waits")))


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A change that waits. `vm_name` and `mode` are empty where another user made it."""

    plan_id: str
    vm_name: str
    mode: str
    stage: ResumeStage
    until: Reading[float]
    """When it is taken back by itself, seconds since the epoch, UTC."""


def what_awaits(bench: Bench, root: Root) -> tuple[Awaiting, ...]:
    """Everything that waits for the user's word, newest first. Raises Unreachable where root's side does not tell."""
    runs, status = _ours(bench), bench.host.status()
    known = {told.plan_id for told in status.runs}
    for plan_id, run in runs.items():
        answered = run.host is not None and run.host.answered is not None
        if run.state is RunState.AWAITING_KEEP and answered and plan_id not in known:
            undo = text("helper.next.undo", plan=plan_id)
            raise Unreachable(text("service.host.forgotten", plan=plan_id), text("helper.next.install"), undo)
    return tuple(_awaiting(bench, root, told, runs.get(told.plan_id)) for told in status.awaiting())


def _ours(bench: Bench) -> dict[str, Run]:
    """The newest run of each plan of this user's on this computer, whichever of its libvirts it was for."""
    found: dict[str, Run] = {}
    for run in read_runs(bench.state):
        if isinstance(run, Run) and _is_here(bench, run.started.connection):
            found.setdefault(run.started.plan_id, run)
    return found


def _is_here(bench: Bench, connection: str) -> bool:
    """A recording's changes are its own; the state folder holds them beside the computer's."""
    return connection == bench.connection or not (bench.host.simulated or connection.startswith("machine:"))


def _awaiting(bench: Bench, root: Root, told: HostRunState, run: Run | None) -> Awaiting:
    stage = _stage(bench, root, told)
    match stage:
        case ResumeStage.TRIAL:
            until = bench.host.until(told.plan_id)
        case ResumeStage.RESTART_DUE:
            simulated = "service.host.simulated-no-restart" if bench.host.simulated else "service.host.before-restart"
            until = Unknown(text(simulated))
        case _:
            until = Unknown(text("service.host.trial-is-over"))
    name, mode = ("", "") if run is None else (run.started.vm_name, mode_of(run.started.choice).value)
    return Awaiting(told.plan_id, name, mode, stage, until)


def _stage(bench: Bench, root: Root, told: HostRunState) -> ResumeStage:
    boot = bench.host.boot_id()
    if bench.host.simulated or (isinstance(boot, Known) and boot.value == told.boot_id):
        return ResumeStage.RESTART_DUE
    try:
        words = root.read(_CMDLINE).split()
    except OSError:
        words = []
    return ResumeStage.TRIAL if word_of(PlanToken(told.plan_id)) in words else ResumeStage.TAKEN_BACK


def resume_state(bench: Bench, root: Root) -> ResumeState:
    """Which page is due. Raises Unreachable where root's side does not tell."""
    waiting = what_awaits(bench, root)
    if waiting:
        one = waiting[0]
        story = _never_started(bench, one.plan_id) if one.stage is ResumeStage.TAKEN_BACK else None
        return ResumeState(one.stage, one.plan_id, one.vm_name, one.mode, one.until, story)
    over = newest_taken_back(bench)
    return _NOTHING if over is None else _over(*over)


def newest_taken_back(bench: Bench) -> tuple[Run, TrialStory] | None:
    """The newest change that this user still believes to be on trial, and what became of it."""
    status = bench.host.status()
    for plan_id, run in _ours(bench).items():
        if run.state is RunState.AWAITING_KEEP and state_now(run, status) is RunState.TAKEN_BACK:
            return run, bench.host.story(plan_id) or _unknown_story()
    return None


def last_taken_back(bench: Bench) -> ResumeState | None:
    """The newest change to this computer, where it was a trial that did not last; also after the user was told."""
    run = next((run for run in _ours(bench).values() if run.host is not None), None)
    if run is None or state_now(run, bench.host.status()) is not RunState.TAKEN_BACK:
        return None
    story = bench.host.story(run.started.plan_id)
    return None if story is None else _over(run, story)


def _over(run: Run, story: TrialStory) -> ResumeState:
    mode = mode_of(run.started.choice).value
    until = Unknown(text("service.host.trial-is-over"))
    return ResumeState(ResumeStage.TAKEN_BACK, run.started.plan_id, run.started.vm_name, mode, until, story)


def require_taken_back(bench: Bench, plan_id: str) -> None:
    """Nothing, where no part of the plan is in effect on this computer. Raises Refused."""
    if bench.host.status().in_effect(plan_id):
        raise Refused(text("service.host.still-in-effect", plan=plan_id), text("helper.next.undo", plan=plan_id))


def still_acting(bench: Bench, root: Root) -> tuple[str, ...]:
    """Plans that this start was made with though nothing of them is in effect any more: the next start is without."""
    if bench.host.simulated:
        return ()
    try:
        words = root.read(_CMDLINE).split()
        tokens = [argument_of(word) for word in words]
        status = bench.host.status()
    except (OSError, Refused, Unreachable):
        return ()
    plans = dict.fromkeys(token.plan_id for token in tokens if isinstance(token, PlanToken))
    return tuple(plan for plan in plans if not status.in_effect(plan))


def kept_half_way(bench: Bench) -> tuple[str, ...]:
    """Plans of this user that were kept on a console, or half: what belongs to the VM is still to come."""
    status = status_or_none(bench)
    if status is None:
        return ()
    return tuple(
        plan_id
        for plan_id, run in _ours(bench).items()
        if run.state is RunState.AWAITING_KEEP and state_now(run, status) is RunState.INTERRUPTED
    )


def state_now(run: Run, status: HostStatus) -> RunState:
    """What became of a run that waited when its journal was last written, by what root's side tells."""
    if run.state is not RunState.AWAITING_KEEP:
        return run.state
    told = [one for one in status.runs if one.plan_id == run.started.plan_id]
    if any(one.awaits_keep for one in told):
        return RunState.AWAITING_KEEP
    if status.in_effect(run.started.plan_id):
        # Kept, and nobody came to do what follows; “keep” goes on there.
        return RunState.INTERRUPTED
    return RunState.TAKEN_BACK if told else run.state


def status_or_none(bench: Bench) -> HostStatus | None:
    """What root's side tells, None where it does not answer: then the user's journal is all there is."""
    try:
        return bench.host.status()
    except (Refused, Unreachable):
        return None


def _never_started(bench: Bench, plan_id: str) -> TrialStory:
    """The trial's start ended before anything could look at it; the old system came up by itself."""
    told = bench.host.story(plan_id)
    if told is not None:
        return told
    unseen = Unknown(text("service.story.nobody-looked"))
    return TrialStory(
        unseen, text("service.story.never-started"), unseen, unseen, unseen, (text("service.story.undo-and-retry"),)
    )


def _unknown_story() -> TrialStory:
    unseen = Unknown(text("service.story.nobody-looked"))
    return TrialStory(unseen, text("service.story.not-kept"), unseen, unseen, unseen, ())

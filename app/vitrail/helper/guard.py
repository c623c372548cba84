# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of a trial start: counts down, and takes back what nobody keeps; then one restart.

It acts only in a boot that has the word of a guarded, unkept plan on its line. Everything it decides by is on the disk
or in /run, so that it can fall over at any point and go on: the journal, its clock, and the stamp of a restart.
"""

from __future__ import annotations

import contextlib
import json

from vitrail.helper.foundation import is_off, is_on_line
from vitrail.helper.guard_clock import announce_restart, begin_clock, read_clock, stop_clock, tick
from vitrail.helper.guard_hands import Hands
from vitrail.helper.guard_story import note_seen, read_seen, seen_now
from vitrail.helper.guard_words import COUNTS, Countdown, words_left
from vitrail.helper.journal import Run, is_kept, read_runs
from vitrail.helper.keep import clear_mark
from vitrail.helper.machine import boot_id
from vitrail.helper.put import new_state, put
from vitrail.helper.state import RUNS, State
from vitrail.helper.undo import undo
from vitrail.model.host_story import GuardClock, GuardPhase, WhyBack
from vitrail.model.host_wire import Kind, Refusal, Undo
from vitrail.model.outcome import RunResult
from vitrail.model.trial import SetOneShot

TICK_SECONDS = 2.0
RESTART_SECONDS = 60.0
_AGAIN_SECONDS = 20.0
_TRIES = 90
_STAMP = "restarted.json"
_TEMPORARY = ".vitrail-restarted.tmp"
_PRIVATE = 0o600
_PASSING = (Kind.LOCKED, Kind.PACKAGE_LOCK)


def guard(state: State, hands: Hands) -> int:
    """The whole watch; the exit code. Anything but 0 is started again."""
    clock = read_clock(state.tree)
    run = guarded_run(state)
    if clock is None or clock.phase is GuardPhase.COUNTING:
        if run is None:
            stop_clock(state.tree)
            return 0
        clock = begin_clock(state.tree, run.plan.plan_id, hands.boottime())
        _erase_mark(state, run)
        if _stamp(state, run) is None and not _time_is_over(state, hands, clock):
            stop_clock(state.tree)
            return 0
    run = run or _newest(state, clock.plan_id)
    due = run is not None and _is_taken_back(state, hands, run, read_clock(state.tree) or clock)
    if run is not None and due and not hands.is_ending:
        _restart_once(state, hands, run, clock)
    stop_clock(state.tree)
    return 0


def _erase_mark(state: State, run: Run) -> None:
    """A loader that could not erase the mark of a start that happens once would start the trial again."""
    with contextlib.suppress(OSError, Refusal):
        clear_mark(state, run.plan)


def guarded_run(state: State) -> Run | None:
    """The run that this boot is the trial of, None where it is none."""
    now = boot_id(state.tree)
    if is_off(state.tree):
        return None
    for run in read_runs(state.tree)[0]:
        plan = run.plan
        awaits = run.in_effect and plan.guarded and run.kept is None and plan.boot_id != now
        if awaits and is_on_line(state.tree, plan.plan_id):
            return run
    return None


def _newest(state: State, plan_id: str) -> Run | None:
    runs = (run for run in read_runs(state.tree)[0] if run.plan.plan_id == plan_id and run.plan.guarded)
    return next(runs, None)


def _time_is_over(state: State, hands: Hands, clock: GuardClock) -> bool:
    """Count down. False where the plan was kept, or somebody took it back."""
    spoken = Countdown()
    while True:
        run = guarded_run(state)
        if run is None or run.plan.plan_id != clock.plan_id:
            kept = is_kept(state.tree, clock.plan_id)
            hands.tell(COUNTS["kept" if kept else "gone"])
            return False
        now = hands.boottime()
        clock = tick(state.tree, clock, now, up=clock.up or hands.is_up())
        if clock.phase is not GuardPhase.COUNTING:
            return True
        left = clock.deadline_boottime - now
        words = spoken.due(left, clock.extended)
        if words is not None:
            hands.tell(words)
        hands.wait(min(TICK_SECONDS, left))


def _is_taken_back(state: State, hands: Hands, run: Run, clock: GuardClock) -> bool:
    """Take the plan back; whether a restart is due. A Keep that was quicker stays."""
    if clock.phase is GuardPhase.RESTARTING:
        return True
    hands.tell(COUNTS["over"])
    with hands.undisturbed():
        _note(state, run, WhyBack.NOT_KEPT if clock.up else WhyBack.NOT_UP)
        if not clock.up:
            hands.make_writable()
        reason = ""
        for _ in range(_TRIES):
            reason = _undo(state, clock.plan_id)
            if is_kept(state.tree, clock.plan_id):
                hands.tell(COUNTS["kept"])
                return False
            if reason not in _PASSING:
                break
            hands.wait(_AGAIN_SECONDS)
    if reason:
        hands.tell(COUNTS["not-all"].format(reason=reason))
    # Without its own entry, the next start is the same again until undo has worked.
    return not reason or reason == RunResult.INCOMPLETE.value or _returns_by_itself(run)


def _note(state: State, run: Run, why: WhyBack) -> None:
    """What is seen is worth writing down, but never worth not going on."""
    if read_seen(state.tree, run.name) is not None:
        return
    try:
        note_seen(state, run.name, seen_now(state.tree, run, why))
    except (OSError, Refusal):
        return


def _undo(state: State, plan_id: str) -> str:
    """Why it is not all back, empty where it is."""
    try:
        outcomes = undo(state, Undo(plan_id, everything=False, force=False), unless_kept=True)
    except Refusal as refusal:
        # Nothing in effect any more: somebody else, or the guard before it fell over, has done it.
        return "" if refusal.kind is Kind.NO_RUN else refusal.kind.value
    except OSError as error:
        return error.strerror or type(error).__name__
    well = all(outcome.result == RunResult.TAKEN_BACK.value for outcome in outcomes)
    return "" if well else RunResult.INCOMPLETE.value


def _returns_by_itself(run: Run) -> bool:
    return any(isinstance(change, SetOneShot) for change in run.plan.steps)


def _restart_once(state: State, hands: Hands, run: Run, clock: GuardClock) -> None:
    """Announced, put off as often as asked, and only if no other boot has done so for this run."""
    stamp = _stamp(state, run)
    if stamp not in (None, boot_id(state.tree)):
        hands.tell(COUNTS["not-again"])
        return
    clock = announce_restart(state.tree, clock, hands.boottime() + RESTART_SECONDS)
    extended = -1
    while (left := clock.deadline_boottime - hands.boottime()) > 0:
        if clock.extended != extended:
            extended = clock.extended
            hands.tell(COUNTS["restart"].format(left=words_left(left)))
        hands.wait(min(TICK_SECONDS, left))
        clock = read_clock(state.tree) or clock
    if not _has_stamped(state, run) and not _returns_by_itself(run):
        hands.tell(COUNTS["not-again"])
        return
    hands.tell(COUNTS["now"])
    hands.restart()


def _stamp(state: State, run: Run) -> str | None:
    """The boot that a restart was asked for in, None for none."""
    words = state.tree.words(f"{RUNS}/{run.name}/{_STAMP}")
    if words is None:
        return None
    try:
        return str(json.loads(words)["boot_id"])
    except (ValueError, TypeError, KeyError):
        return words


def _has_stamped(state: State, run: Run) -> bool:
    """On the disk before the restart, so that there is never a second one."""
    content = json.dumps({"boot_id": boot_id(state.tree)}).encode()
    path = f"{RUNS}/{run.name}/{_STAMP}"
    try:
        put(state.tree, path, content, new_state(state.tree, content, _PRIVATE), _TEMPORARY)
    except (OSError, Refusal):
        return False
    return True

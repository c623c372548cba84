# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep, more time, and the stories of trials for a person at a text console, in plain English.

Separate from the console's undo: these make sense around a trial start only, and the guard names them in its words.
"""

from __future__ import annotations

import os
import re
import time

from vitrail.helper.guard import guarded_run
from vitrail.helper.guard_clock import boottime, extend, read_clock
from vitrail.helper.guard_story import story
from vitrail.helper.guard_words import words_left
from vitrail.helper.keep import keep
from vitrail.helper.machine import boot_id
from vitrail.helper.state import State
from vitrail.model.host_story import Foundation, HostTrial, KeptPlan, TrialSeen, TrialState, WhyBack
from vitrail.model.host_wire import Extend, Keep, Kind, Refusal

_VIRTUAL_CONSOLE = re.compile(r"/dev/tty\d+", re.ASCII)
_REFUSALS = {
    Kind.NO_RUN: "No trial is being counted down in this start. See --status.",
    Kind.TOO_LATE: "The time was over: it is being taken back already.",
    Kind.LOCKED: "Another Vitrail helper, or a program it started, is at work. Try again when it has ended.",
    Kind.PACKAGE_LOCK: "A package manager is at work (its lock is {path}). Try again when it has ended.",
    Kind.NOT_RESTARTED: "The computer was not restarted since this change, so nobody can have seen that it works.",
    Kind.NOT_STARTED: "This start is not the one in which the change is tried.",
}
_STATES = {
    TrialState.RESTART_DUE: "waits for the restart in which it is tried",
    TrialState.RUNNING: "this start is its trial; --keep makes it last, --undo takes it back",
    TrialState.OFF: "this start would be its trial, but vitrail=off was typed in the boot menu",
    TrialState.FELL_BACK: "its trial did not come up, or was not started: this is the old system. --undo clears up",
    TrialState.TAKEN_BACK: "was taken back",
    TrialState.NOT_ALL_BACK: "was not kept, and not all of it could be taken back; --undo tries again",
}
_WHY = {
    WhyBack.NOT_KEPT: "nobody kept it in time",
    WhyBack.NOT_UP: "it never came as far as a login",
    WhyBack.FELL_BACK: "it did not come up; noticed in the start after it",
}
_NOT_AT_SCREEN = (
    "This is no text console of the computer itself, so it cannot be told whether you see its screen. "
    "If you do, or know that it works: add --without-screen"
)
_SHOWN_LINES = 12


def _plain(words: str) -> str:
    """What programs and firmware wrote, without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def console_keep(state: State, plan_id: str | None, *, without_screen: bool) -> tuple[int, str]:
    """The change that this start tries is to stay; the exit code and what to say."""
    if not without_screen and not _at_screen():
        return 1, _NOT_AT_SCREEN
    run = guarded_run(state)
    plan_id = plan_id or (run.plan.plan_id if run is not None else None)
    if plan_id is None:
        return 1, _REFUSALS[Kind.NO_RUN]
    try:
        keep(state, Keep(plan_id, boot_id(state.tree)))
    except Refusal as refusal:
        return 1, _refused(refusal)
    return 0, f"Kept: {plan_id}"


def console_extend(state: State, plan_id: str | None) -> tuple[int, str]:
    """A quarter of an hour more; the exit code and what to say."""
    clock = read_clock(state.tree)
    plan_id = plan_id or (clock.plan_id if clock is not None else None)
    if plan_id is None:
        return 1, _REFUSALS[Kind.NO_RUN]
    try:
        clock = extend(state.tree, Extend(plan_id, boot_id(state.tree)))
    except Refusal as refusal:
        return 1, _refused(refusal)
    return 0, f"{words_left(clock.deadline_boottime - boottime())} are left now."


def _at_screen() -> bool:
    try:
        return _VIRTUAL_CONSOLE.fullmatch(os.ttyname(0)) is not None
    except OSError:
        return False


def _refused(refusal: Refusal) -> str:
    words = _REFUSALS.get(refusal.kind, f"Refused: {refusal.kind.value}.")
    return words.format(**refusal.args_of)


def story_lines(state: State) -> list[str]:
    """Trials and kept changes as `--status` tells them; nothing where this boot cannot be told from others."""
    try:
        told = story(state)
    except Refusal:
        return []
    lines = [line for trial in told.trials for line in _trial_lines(trial)]
    return lines + [line for kept in told.kept for line in _kept_lines(kept)]


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _trial_lines(trial: HostTrial) -> list[str]:
    lines = [f"Trial of {trial.plan_id}: {_STATES[trial.state]}."]
    if trial.clock is not None:
        lines.append(f"  {words_left(trial.clock.deadline_boottime - boottime())} are left.")
    return lines + (_seen_lines(trial.seen) if trial.seen is not None else [])


def _seen_lines(seen: TrialSeen) -> list[str]:
    lines = [f"  {_when(seen.taken_at)}: {_WHY[seen.why]}."]
    lines += [f"  {one.address}: {_plain(one.driver or 'no driver')}" for one in seen.drivers or ()]
    lines += [f"  {_plain(one.connector)}: {_plain(one.status)}" for one in seen.outputs or ()]
    if seen.kernel_lines is None:
        return [*lines, "  What the kernel said then is not known."]
    return [*lines, *(f"  | {_plain(line)}" for line in seen.kernel_lines[-_SHOWN_LINES:])]


def _kept_lines(kept: KeptPlan) -> list[str]:
    broken = ["  Its word is missing on the kernel's command line."] if kept.on_line is False else []
    for device in kept.devices:
        if device.same is not True or device.driver != "vfio-pci":
            seen = "absent" if device.same is None else "another device" if not device.same else device.driver
            broken.append(f"  {device.identity.address}: {_plain(seen or 'no driver')}, not vfio-pci")
    updated = _updates(kept.then, kept.now)
    verdict = "does not hold in this start" if broken else "holds in this start"
    lines = [f"Kept {kept.plan_id} ({_when(kept.kept_at)}): {verdict}.", *broken]
    return [*lines, *(f"  Since then: {line}" for line in updated)] if broken else lines


def _updates(then: Foundation, now: Foundation) -> list[str]:
    pairs = (("kernel", then.kernel, now.kernel), ("firmware", then.firmware, now.firmware))
    return [
        f"{name} {_plain(before)} became {_plain(after)}"
        for name, before, after in pairs
        if before and after and after != before
    ]

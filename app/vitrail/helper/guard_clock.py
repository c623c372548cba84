# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's clock in /run: written by the guard and by whoever asks for more time, read by everybody.

Separate from the guard, because more time is asked for by another process. Every change is a read and a write under
one lock, so an extension is never lost to the guard's own tick.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from vitrail.helper.machine import boot_id
from vitrail.helper.put import make_folders, new_state, put, remove
from vitrail.helper.tree import Tree
from vitrail.model.host_story import CLOCK_FILE, EXTENSION_SECONDS, GuardClock, GuardPhase
from vitrail.model.host_wire import Extend, Kind, Refusal
from vitrail.model.wire import canonical, from_wire

UP_SECONDS = 5 * 60.0
START_SECONDS = 15 * 60.0
_FOLDER = CLOCK_FILE.rpartition("/")[0]
_LOCK = ".guard.lock"
_TEMPORARY = ".vitrail-guard.tmp"
_READABLE = 0o644
_PRIVATE = 0o600


def boottime() -> float:
    """Now, on the clock of the deadline."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextlib.contextmanager
def locked(tree: Tree) -> Iterator[None]:
    """Nobody else changes the clock meanwhile."""
    make_folders(tree, (*tree.missing_folders(CLOCK_FILE),))
    with tree.folder(_FOLDER) as folder:
        descriptor = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_clock(tree: Tree) -> GuardClock | None:
    """The clock of this boot, None where none runs."""
    try:
        file = tree.read(CLOCK_FILE)
        clock = None if file is None else from_wire(GuardClock, json.loads(file.content))
    except (OSError, ValueError, RecursionError, Refusal):
        return None
    return clock if clock is not None and clock.boot_id == boot_id(tree) else None


def write_clock(tree: Tree, clock: GuardClock) -> None:
    """Put it in place whole. Raises OSError and Refusal."""
    content = canonical(clock).encode() + b"\n"
    put(tree, CLOCK_FILE, content, new_state(tree, content, _READABLE), _TEMPORARY)


def stop_clock(tree: Tree) -> None:
    """Nothing awaits anybody any more."""
    with contextlib.suppress(OSError, Refusal):
        remove(tree, CLOCK_FILE)


def begin_clock(tree: Tree, plan_id: str, now: float) -> GuardClock:
    """A clock that counts from now, or the one that was running for this plan already."""
    # From the guard's own start: a passphrase or a long check of a disk before it is nobody's fault.
    new = GuardClock(plan_id, boot_id(tree), GuardPhase.COUNTING, now, now + START_SECONDS, 0, up=False)

    def begun(current: GuardClock | None) -> GuardClock:
        return current if current is not None and current.plan_id == plan_id else new

    return _changed(tree, begun)


def tick(tree: Tree, clock: GuardClock, now: float, *, up: bool) -> GuardClock:
    """The clock as it is now: somebody may have asked for more, the login may have come, or it has run out."""

    def ticked(read: GuardClock | None) -> GuardClock:
        current = read or clock
        if up and not current.up:
            shorter = min(current.deadline_boottime, now + UP_SECONDS)
            deadline = current.deadline_boottime if current.extended else shorter
            current = replace(current, up=True, deadline_boottime=deadline)
        if current.phase is GuardPhase.COUNTING and current.deadline_boottime <= now:
            current = replace(current, phase=GuardPhase.TAKING_BACK)
        return current

    return _changed(tree, ticked)


def announce_restart(tree: Tree, clock: GuardClock, deadline: float) -> GuardClock:
    """It is taken back; what is left can still be put off."""

    def announced(read: GuardClock | None) -> GuardClock:
        current = read or clock
        if current.phase is GuardPhase.RESTARTING:
            return current
        return replace(current, phase=GuardPhase.RESTARTING, deadline_boottime=deadline, extended=0)

    return _changed(tree, announced)


def _changed(tree: Tree, change: Callable[[GuardClock | None], GuardClock]) -> GuardClock:
    """The clock after this change. Where /run takes nothing, the guard counts on in its own memory."""
    try:
        with locked(tree):
            current = read_clock(tree)
            clock = change(current)
            if clock != current:
                write_clock(tree, clock)
    except (OSError, Refusal):
        return change(read_clock(tree))
    return clock


def refuse_while_taking_back(tree: Tree, plan_id: str) -> None:
    """Nothing, where the guard has not begun to take this plan back in this boot. Raises Refusal."""
    clock = read_clock(tree)
    if clock is not None and clock.plan_id == plan_id and clock.phase is not GuardPhase.COUNTING:
        raise Refusal(Kind.TOO_LATE, plan_id=plan_id)


def extend(tree: Tree, request: Extend) -> GuardClock:
    """A quarter of an hour more, as often as it is asked for. Raises Refusal."""
    if request.boot_id != boot_id(tree):
        raise Refusal(Kind.OTHER_BOOT)
    if read_clock(tree) is None:
        raise Refusal(Kind.NO_RUN, plan_id=request.plan_id)
    with locked(tree):
        clock = read_clock(tree)
        if clock is None or clock.plan_id != request.plan_id:
            raise Refusal(Kind.NO_RUN, plan_id=request.plan_id)
        if clock.phase is GuardPhase.TAKING_BACK:
            raise Refusal(Kind.TOO_LATE, plan_id=request.plan_id)
        deadline = max(clock.deadline_boottime, boottime()) + EXTENSION_SECONDS
        clock = replace(clock, deadline_boottime=deadline, extended=clock.extended + 1)
        write_clock(tree, clock)
    return clock

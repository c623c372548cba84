# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed and out of space at every call that changes something: the machine ends as before or as after."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from helper.bench import STACKS, apply_line, make_machine, plan_of, snapshot, undo_line
from helper.faults import Fault, copy_machine, ended_state, send, settle

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture
def shelf():
    """A folder in memory: thousands of machines are made and thrown away."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


class Bench:
    """One plan's machine before and after, and a copy of either for each fault."""

    def __init__(self, shelf: Path, stack: str) -> None:
        self.shelf = shelf
        self.fresh = make_machine(shelf / "fresh")
        self.plan = plan_of(self.fresh, *STACKS[stack])
        self.line = apply_line(self.plan)
        self.before = snapshot(self.fresh)
        self.applied = copy_machine(self.fresh, shelf / "applied")
        self.calls_of_apply = send(self.applied, self.line).calls
        self.after = snapshot(self.applied)
        assert self.after != self.before
        undone = self.copy(self.applied)
        self.calls_of_undo = send(undone, undo_line()).calls
        assert snapshot(undone) == self.before

    def copy(self, machine: Path) -> Path:
        target = self.shelf / "broken"
        shutil.rmtree(target, ignore_errors=True)
        return copy_machine(machine, target)


@pytest.fixture(params=STACKS)
def bench(request, shelf):
    return Bench(shelf, request.param)


def settled(root: Path, bench: Bench) -> None:
    """Recovery: what is applied is applied whole, and what is not is as before."""
    if ended_state(root) == "applied":
        assert snapshot(root) == bench.after
        return
    answer = settle(root, undo_line())
    assert answer["ok"], answer
    assert snapshot(root) == bench.before


@pytest.mark.parametrize("fault", [Fault.KILL, Fault.KILL_HALFWAY])
def test_an_apply_killed_anywhere_ends_as_before_or_as_after(bench, fault):
    assert bench.calls_of_apply > 5
    for at in range(1, bench.calls_of_apply + 1):
        root = bench.copy(bench.fresh)
        assert send(root, bench.line, fault, at).answer is None
        settled(root, bench)


@pytest.mark.parametrize("fault", [Fault.KILL, Fault.KILL_HALFWAY])
def test_an_undo_killed_anywhere_is_finished_by_the_next(bench, fault):
    for at in range(1, bench.calls_of_undo + 1):
        root = bench.copy(bench.applied)
        assert send(root, undo_line(), fault, at).answer is None
        settle(root, undo_line())
        assert snapshot(root) == bench.before


def test_a_recovery_killed_anywhere_is_finished_by_the_next(bench):
    half = bench.copy(bench.fresh)
    send(half, bench.line, Fault.KILL, bench.calls_of_apply * 3 // 4)
    half = half.rename(bench.shelf / "half")
    calls = send(bench.copy(half), undo_line()).calls
    for at in range(1, calls + 1, 3):
        root = bench.copy(half)
        assert send(root, undo_line(), Fault.KILL, at).answer is None
        settle(root, undo_line())
        assert snapshot(root) == bench.before


@pytest.mark.parametrize("fault", [Fault.NO_SPACE_ONCE, Fault.NO_SPACE_FROM_THERE])
def test_no_space_at_any_call_of_an_apply_leaves_before_or_after(bench, fault):
    calls = send(bench.copy(bench.fresh), bench.line, fault).calls
    for at in range(1, calls + 1):
        root = bench.copy(bench.fresh)
        ended = send(root, bench.line, fault, at)
        assert ended.answer is not None
        if ended.answer["ok"]:
            assert snapshot(root) == bench.after
            continue
        told = ended.answer["error"]["args"].get("result", "taken_back")
        assert told in ("taken_back", "incomplete", "unknown")
        now = snapshot(root)
        if told == "taken_back":
            assert now == bench.before
        for name in set(now) & set(bench.before) & set(bench.after):
            assert now[name] in (bench.before[name], bench.after[name])
        settle(root, undo_line())
        assert snapshot(root) == bench.before

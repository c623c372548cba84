# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed and out of space at every call of a trial, a Keep and an undo: as before, as after, or asked for again."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from helper.bench import CARDS, PLAN_ID, STACKS, apply_line, line, snapshot, steps_of, undo_line
from helper.faults import Fault, copy_machine, ended_state, send, settle
from helper.trial_bench import (
    entry_trial,
    grub_trial,
    keep_line,
    make_entry_machine,
    make_trial_machine,
    normal_start,
    start_trial,
)
from vitrail.helper.core_file import running_core

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]

WAYS = {
    "grub": (make_trial_machine, grub_trial, (CARDS, *STACKS["grub-arch"])),
    "systemd-boot": (make_entry_machine, entry_trial, None),
}
KILLED = [Fault.KILL, Fault.KILL_HALFWAY]
FULL = [Fault.NO_SPACE_ONCE, Fault.NO_SPACE_FROM_THERE]
UNDO = undo_line(PLAN_ID)
KEEP = keep_line()


class Bench:
    """A trial's machine before the click, after it, in the trial, and kept; and a copy of either for each fault."""

    def __init__(self, shelf: Path, way: str) -> None:
        make, plan, lasting = WAYS[way]
        # Packed once, so that not every fork does it again.
        running_core()
        self.shelf = shelf
        self.fresh = make(shelf / "fresh")
        self.before = snapshot(self.fresh)
        made = plan(self.fresh)
        self.line = apply_line(made if lasting is None else replace(made, keep=steps_of(self.fresh, *lasting)))
        self.applied = copy_machine(self.fresh, shelf / "applied")
        self.apply_calls = self.calls(self.applied, self.line)
        self.after = snapshot(self.applied)
        self.tried = copy_machine(self.applied, shelf / "tried")
        start_trial(self.tried)
        self.kept = copy_machine(self.tried, shelf / "kept")
        self.keep_calls = self.calls(self.kept, KEEP)
        self.lasting = snapshot(self.kept)
        self.undo_calls = self.calls(self.copy(self.applied), UNDO)

    def calls(self, root: Path, request: bytes) -> int:
        ended = send(root, request)
        assert ended.answer is not None
        assert ended.answer["ok"], ended.answer
        return ended.calls

    def copy(self, machine: Path) -> Path:
        target = self.shelf / "broken"
        shutil.rmtree(target, ignore_errors=True)
        return copy_machine(machine, target)


@pytest.fixture(scope="module", params=WAYS)
def bench(request):
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Bench(Path(folder), request.param)


def asked(root: Path, request: bytes) -> None:
    answer = settle(root, request)
    assert answer["ok"], answer


def back(root: Path, bench: Bench) -> None:
    """Taken back, and started normally: not a trace."""
    answer = settle(root, UNDO)
    assert answer["ok"] or answer["error"]["kind"] == "no-run", answer
    normal_start(root)
    assert snapshot(root) == bench.before


@pytest.mark.parametrize("fault", KILLED)
def test_a_trial_killed_anywhere_is_there_or_is_not(bench, fault):
    for at in range(1, bench.apply_calls + 1):
        root = bench.copy(bench.fresh)
        assert send(root, bench.line, fault, at).answer is None
        if ended_state(root) == "applied":
            assert snapshot(root) == bench.after
        back(root, bench)


@pytest.mark.parametrize("fault", KILLED)
def test_a_keep_killed_anywhere_can_be_asked_for_again(bench, fault):
    for at in range(1, bench.keep_calls + 1):
        root = bench.copy(bench.tried)
        assert send(root, KEEP, fault, at).answer is None
        asked(root, KEEP)
        assert snapshot(root) == bench.lasting
        runs = settle(root, line("status"))["result"]["runs"]
        assert [(run["state"], run["kept"]) for run in runs if run["state"] == "applied"] == [("applied", True)]


def test_a_keep_killed_anywhere_can_be_taken_back(bench):
    for at in range(1, bench.keep_calls + 1):
        root = bench.copy(bench.tried)
        assert send(root, KEEP, Fault.KILL, at).answer is None
        back(root, bench)


@pytest.mark.parametrize("fault", KILLED)
def test_an_undo_of_a_trial_killed_anywhere_is_finished_by_the_next(bench, fault):
    for at in range(1, bench.undo_calls + 1):
        root = bench.copy(bench.applied)
        assert send(root, UNDO, fault, at).answer is None
        back(root, bench)


@pytest.mark.parametrize("fault", FULL)
def test_a_trial_without_space_is_there_or_is_not(bench, fault):
    for at in range(1, send(bench.copy(bench.fresh), bench.line, fault).calls + 1):
        root = bench.copy(bench.fresh)
        ended = send(root, bench.line, fault, at)
        assert ended.answer is not None
        if ended.answer["ok"]:
            assert snapshot(root) == bench.after
        elif ended.answer["error"]["args"].get("result", "taken_back") == "taken_back":
            assert snapshot(root) == bench.before
        back(root, bench)


@pytest.mark.parametrize("fault", FULL)
def test_a_keep_without_space_leaves_the_trial_or_is_done(bench, fault):
    for at in range(1, send(bench.copy(bench.tried), KEEP, fault).calls + 1):
        root = bench.copy(bench.tried)
        ended = send(root, KEEP, fault, at)
        assert ended.answer is not None
        asked(root, KEEP)
        assert snapshot(root) == bench.lasting

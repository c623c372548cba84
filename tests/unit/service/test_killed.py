# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at every point where a plan for a computer reaches the disk, then settled by undo: all of it is as before."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.host_plans import GRUB, host_plan_for
from fakes.memory_store import MemoryStore
from vitrail.model.errors import Refused
from vitrail.model.outcome import RunState
from vitrail.service.applying import apply_plan
from vitrail.service.changing import Bench
from vitrail.service.history import read_history
from vitrail.service.host_simulated import HostSimulated
from vitrail.service.journal import Run, read_runs
from vitrail.service.simulated_files import SimulatedFiles
from vitrail.service.state import StateFolder
from vitrail.service.undoing import choose_runs, undo_run
from vitrail.service.user_files import UserFiles
from vitrail.source.root import FolderRoot

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"<domain type='kvm'>\n  <name>guest</name>\n  <uuid>{UUID}</uuid>\n  <vcpu>1</vcpu>\n</domain>\n"
PLAN = host_plan_for(BEFORE, BEFORE.replace("<vcpu>1", "<vcpu>2"), uuid=UUID)
CONNECTION = "machine:/recorded"


def _bench(folder: Path) -> Bench:
    recording = folder / "recording"
    (recording / "etc" / "default").mkdir(parents=True, exist_ok=True)
    (recording / "etc" / "default" / "grub").write_bytes(GRUB)
    state = StateFolder(folder / "state")
    host = HostSimulated(SimulatedFiles(FolderRoot(recording), state, CONNECTION), state)
    return Bench(MemoryStore(UUID, BEFORE), state, CONNECTION, host, UserFiles(folder / "config"))


def _killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do it in a child that is killed before its `number`th write is on the disk; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = number
        fsync = os.fsync

        def dying(descriptor: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            fsync(descriptor)

        os.fsync = dying
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _undo_everything(bench: Bench) -> None:
    for run in choose_runs(bench, None, everything=True):
        undo_run(bench, run, force=False)


def _is_as_before(bench: Bench, folder: Path) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    left = [path for path in files if "config" in path.parts or "files" in path.parts]
    in_effect = [run for run in read_runs(bench.state) if isinstance(run, Run) and run.in_effect]
    return not [path for path in left if not path.name.startswith(".vitrail-")] and not in_effect


@pytest.fixture(scope="module")
def writes(tmp_path_factory) -> int:
    """How often an apply reaches the disk."""
    calls = 0
    fsync = os.fsync

    def counting(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", counting)
        apply_plan(_bench(tmp_path_factory.mktemp("count")), PLAN)
    return calls


def test_an_apply_that_is_killed_anywhere_is_told_and_settled(writes, tmp_path):
    assert writes > 30
    seen = set()
    for number in range(writes):
        folder = tmp_path / str(number)
        assert _killed_at(number, lambda folder=folder: apply_plan(_bench(folder), PLAN))
        bench = _bench(folder)
        seen |= {entry.state for entry in read_history(bench.state, CONNECTION, bench.host.status())}
        _undo_everything(bench)
        assert _is_as_before(bench, folder), number
    # A journal without its first line is not told from one that somebody emptied.
    assert seen <= {RunState.INTERRUPTED, RunState.AWAITING_KEEP, RunState.UNREADABLE}
    assert RunState.INTERRUPTED in seen


def test_an_undo_that_is_killed_anywhere_is_finished_by_the_next(tmp_path):
    number, more = 0, True
    while more:
        folder = tmp_path / str(number)
        apply_plan(_bench(folder), PLAN)
        more = _killed_at(number, lambda folder=folder: _undo_everything(_bench(folder)))
        bench = _bench(folder)
        _undo_everything(bench)
        assert _is_as_before(bench, folder), number
        number += 1
    assert number > len(PLAN.steps)


def test_after_a_kill_the_same_plan_can_be_applied(tmp_path):
    assert _killed_at(35, lambda: apply_plan(_bench(tmp_path), PLAN))
    bench = _bench(tmp_path)
    with pytest.raises(Refused) as caught:
        apply_plan(bench, PLAN)
    assert caught.value.what.id == "helper.refused.interrupted"
    _undo_everything(bench)
    apply_plan(bench, PLAN)
    _undo_everything(bench)
    assert _is_as_before(bench, tmp_path)

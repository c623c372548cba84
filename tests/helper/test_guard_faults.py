# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard killed at every call that changes something: what is started again brings the old system back, once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from helper.bench import NEXT_BOOT_ID, PLAN_ID, STACKS, ask, line, make_machine, snapshot
from helper.faults import Fault, copy_machine, run_broken
from helper.timeless import GUARD_STEPS, THIRD_BOOT_ID, Gone, Timeless, applied, dress, guarded_plan, start, state_of
from vitrail.helper import guard as guard_module
from vitrail.helper import guard_clock

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
RUN = f"var/lib/vitrail/runs/000001-{PLAN_ID}"
OURS = "etc/systemd/system/vitrail-guard.service"


class Marking(Timeless):
    """Notes on the machine's own disk that a restart was asked for, and whether it was all back by then."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root
        self.up_at = 0.0

    def restart(self) -> None:
        back = not (self.root / OURS).exists()
        stamped = (self.root / RUN / "restarted.json").exists()
        with (self.root / "restarts").open("a") as stream:
            stream.write("well\n" if back and stamped else "too early\n")
        raise Gone


@pytest.fixture
def shelf():
    """A folder in memory."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def brief(monkeypatch):
    """Minutes of counting are the same two ticks again and again."""
    monkeypatch.setattr(guard_clock, "UP_SECONDS", 3.0)
    monkeypatch.setattr(guard_module, "RESTART_SECONDS", 3.0)


def watch(root):
    """One life of the guard; what it says goes nowhere."""
    try:
        guard_module.guard(state_of(root), Marking(root))
    except Gone:
        return


def machine_files(root):
    facts = ("proc", "run", "calls", "dev", "restarts")
    return {name: value for name, value in snapshot(root).items() if not name.startswith(facts)}


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("fault", [Fault.KILL, Fault.KILL_HALFWAY])
def test_a_guard_killed_anywhere_is_finished_by_the_next(shelf, fault):
    fresh = make_machine(shelf / "fresh")
    dress(fresh)
    before = machine_files(fresh)
    applied(fresh, guarded_plan(fresh, *GUARD_STEPS, *STACKS["grub-arch"]))
    start(fresh)
    whole = copy_machine(fresh, shelf / "whole")
    calls = run_broken(lambda: watch(whole))
    assert calls is not None
    assert calls > 40
    assert machine_files(whole) == before
    for at in range(1, calls + 1):
        shutil.rmtree(shelf / "broken", ignore_errors=True)
        root = copy_machine(fresh, shelf / "broken")
        assert run_broken(lambda root=root: watch(root), fault, at) is None, at
        watch(root)
        assert machine_files(root) == before, at
        assert (root / "restarts").read_text().split("\n")[0] == "well", at
        (told,) = ask(root, line("story"))
        (trial,) = told["result"]["trials"]
        assert (trial["state"], trial["seen"]["boot_id"]) == ("taken-back", NEXT_BOOT_ID), at
        start(root, boot_id=THIRD_BOOT_ID)
        restarts = (root / "restarts").read_text()
        watch(root)
        assert (root / "restarts").read_text() == restarts, at


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("fault", [Fault.NO_SPACE_ONCE, Fault.NO_SPACE_FROM_THERE])
def test_without_space_the_guard_never_restarts_what_is_not_back(shelf, fault):
    fresh = make_machine(shelf / "fresh")
    dress(fresh)
    applied(fresh, guarded_plan(fresh, *GUARD_STEPS, *STACKS["refind"]))
    start(fresh)
    calls = run_broken(lambda: watch(copy_machine(fresh, shelf / "whole")))
    assert calls is not None
    for at in range(1, calls + 1, 3):
        shutil.rmtree(shelf / "broken", ignore_errors=True)
        root = copy_machine(fresh, shelf / "broken")
        run_broken(lambda root=root: contained(root), fault, at)
        noted = root / "restarts"
        assert not noted.exists() or (root / RUN / "restarted.json").exists(), at


def contained(root):
    """As systemd sees it: a guard that fails is one that ended."""
    try:
        watch(root)
    except OSError:
        return

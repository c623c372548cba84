# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard under a real systemd: what starts it, what it survives, and that it restarts the system."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from helper.bench import PLAN_ID, make_machine
from helper.booted import booted
from helper.timeless import applied, dress, guarded_plan
from vitrail.model.host_place import GUARD_CORE
from vitrail.model.host_step import Fixed, FixedFile
from vitrail.model.kernel_argument import Flag

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
TRIAL = f"vitrail.plan={PLAN_ID} {Flag.GUARD.value}"
CORE = ("python3", "-I", "-S", f"/{GUARD_CORE}")
RUN = f"/var/lib/vitrail/runs/000001-{PLAN_ID}"


@pytest.fixture
def made():
    """A machine with a guarded plan, in a folder that is no file system of the test's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = make_machine(Path(folder) / "root")
        dress(root)
        applied(root, guarded_plan(root, FixedFile(Fixed.GUARD_UNIT)))
        yield Path(folder)


def test_the_trial_s_own_line_starts_it_and_it_counts_five_minutes(made):
    with booted(made, TRIAL) as start:
        start.until(lambda: bool(start.clock().get("up")))
        clock = start.clock()
        assert clock["deadline_boottime"] - clock["began_boottime"] == pytest.approx(300, abs=20)
        assert start.guard("ActiveState") == {"ActiveState": "active"}


def test_killed_it_goes_on_by_the_same_clock_and_it_outlives_the_way_to_the_emergency_shell(made):
    with booted(made, TRIAL) as start:
        start.until(lambda: bool(start.clock().get("up")))
        assert "20 minutes" in start.run(*CORE, "--extend")
        before = start.clock()
        start.run("systemctl", "kill", "-s", "KILL", "vitrail-guard.service")
        start.until(lambda: start.guard("NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"})
        assert start.clock() == before
        start.run("systemctl", "isolate", "emergency.target")
        start.until(lambda: start.run("systemctl", "is-active", "other.service").strip() == "inactive")
        assert start.guard("ActiveState") == {"ActiveState": "active"}


def test_not_kept_it_takes_back_its_own_file_and_the_system_restarts(made):
    with booted(made, TRIAL) as start:
        start.until(lambda: bool(start.clock().get("up")))
        start.turn_clock(1.0)
        start.until(lambda: start.clock().get("phase") == "restarting")
        assert start.run("find", f"/{GUARD_CORE}", "/etc/systemd/system/vitrail-guard.service") == ""
        assert "seen.json" in start.run("ls", RUN)
        start.turn_clock(1.0)
        assert start.has_ended()


def test_kept_it_ends_and_nothing_restarts(made):
    with booted(made, TRIAL) as start:
        start.until(lambda: bool(start.clock().get("up")))
        assert start.run(*CORE, "--keep", "--without-screen") == f"Kept: {PLAN_ID}\n"
        start.until(lambda: start.guard("ActiveState") == {"ActiveState": "inactive"})
        assert start.is_up()
        assert start.clock() == {}


@pytest.mark.parametrize(
    "line",
    [f"{TRIAL} vitrail=off", Flag.GUARD.value, f"vitrail.plan={PLAN_ID}", "quiet"],
    ids=["off", "no word of a plan", "nothing that wants it", "neither"],
)
def test_no_other_start_starts_it(made, line):
    with booted(made, line) as start:
        start.until(start.is_up)
        assert start.guard("ActiveState", "ExecMainStartTimestampMonotonic") == {
            "ActiveState": "inactive",
            "ExecMainStartTimestampMonotonic": "0",
        }


def test_a_restart_that_somebody_asks_for_while_it_counts_is_not_held_up(made):
    with booted(made, TRIAL) as start:
        start.until(lambda: bool(start.clock().get("up")))
        start.run("systemctl", "--no-block", "reboot")
        assert start.has_ended(15.0)

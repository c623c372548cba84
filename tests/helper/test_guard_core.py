# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard as systemd starts it: a process of its own, from the copy that was put aside and that undo removes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from helper.bench import NEXT_BOOT_ID, PLAN_ID, ask, line, make_machine, snapshot
from helper.timeless import applied, dress, guarded_plan, start, tree_of
from vitrail.helper.guard_clock import boottime, write_clock
from vitrail.helper.put import make_folders
from vitrail.model.host_place import GUARD_CORE
from vitrail.model.host_story import GuardClock, GuardPhase

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def machine(tmp_path):
    root = make_machine(tmp_path / "root")
    dress(root)
    return root


def started_guard(machine):
    """As the unit's ExecStart, on another root."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", machine / GUARD_CORE, "--guard", "--root", machine],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={},
        cwd="/",
    )


def set_clock(machine, *, left):
    tree = tree_of(machine)
    make_folders(tree, tree.missing_folders("run/vitrail/guard.json"))
    now = boottime()
    write_clock(tree, GuardClock(PLAN_ID, NEXT_BOOT_ID, GuardPhase.COUNTING, now, now + left, 0, up=True))


def lines_until(guard, words):
    said = []
    for words_said in guard.stdout:
        said.append(words_said)
        if words in words_said:
            return said
    return said


def test_it_takes_back_the_file_that_it_runs_from(machine):
    before = {name for name in snapshot(machine) if not name.startswith(("run", "proc", "etc"))}
    configuration = {name for name in snapshot(machine) if name.startswith("etc")}
    applied(machine, guarded_plan(machine))
    start(machine)
    set_clock(machine, left=-1.0)
    assert (machine / GUARD_CORE).is_file()
    with started_guard(machine) as guard:
        said = lines_until(guard, "restarts in")
        assert not (machine / GUARD_CORE).exists()
        guard.send_signal(signal.SIGTERM)
        _, errors = guard.communicate(timeout=30)
    assert said[0].startswith("Nobody has kept the change")
    assert errors == ""
    assert guard.returncode == -signal.SIGTERM
    now = set(snapshot(machine))
    assert {name for name in now if name.startswith("etc")} == configuration
    assert before <= now
    (told,) = ask(machine, line("story"))
    assert told["result"]["trials"][0]["state"] == "taken-back"


def test_it_sees_a_keep_by_another_process(machine):
    applied(machine, guarded_plan(machine))
    start(machine)
    set_clock(machine, left=600.0)
    with started_guard(machine) as guard:
        lines_until(guard, "--extend")
        (answer,) = ask(machine, line("keep", plan_id=PLAN_ID, boot_id=NEXT_BOOT_ID))
        assert answer["ok"], answer
        rest, errors = guard.communicate(timeout=30)
    assert (guard.returncode, errors) == (0, "")
    assert rest.startswith("The change is kept")


def test_it_ends_with_the_system_while_it_counts(machine):
    applied(machine, guarded_plan(machine))
    start(machine)
    set_clock(machine, left=600.0)
    with started_guard(machine) as guard:
        lines_until(guard, "--extend")
        guard.send_signal(signal.SIGTERM)
        _, errors = guard.communicate(timeout=30)
    assert (guard.returncode, errors) == (-signal.SIGTERM, "")
    assert (machine / GUARD_CORE).is_file()


STRANGE = ["", "0" * 15, "g" * 16, "0" * 17, f"{PLAN_ID}\n", "../../etc", None, 1, True, ["x"], {}]


@pytest.mark.parametrize("plan_id", STRANGE)
def test_more_time_is_for_a_plan(machine, plan_id):
    before = snapshot(machine, own=True)
    (answer,) = ask(machine, line("extend", plan_id=plan_id, boot_id=NEXT_BOOT_ID))
    assert answer["error"]["kind"] == "fields"
    assert snapshot(machine, own=True) == before


@pytest.mark.parametrize(
    "members",
    [
        {"plan_id": PLAN_ID},
        {"boot_id": NEXT_BOOT_ID},
        {"plan_id": PLAN_ID, "boot_id": NEXT_BOOT_ID, "seconds": 9},
        {"plan_id": PLAN_ID, "boot_id": None},
    ],
)
def test_more_time_is_asked_for_in_one_form(machine, members):
    (answer,) = ask(machine, line("extend", **members))
    assert answer["error"]["kind"] == "fields"


@pytest.mark.parametrize("members", [{"plan_id": PLAN_ID}, {"path": "/etc/shadow"}, {"run": "../../.."}])
def test_a_story_is_asked_for_without_a_word(machine, members):
    (answer,) = ask(machine, line("story", **members))
    assert answer["error"]["kind"] == "fields"


@pytest.mark.parametrize("bent", ["", "{}", "[]", "null", '{"class":"GuardClock"}', "\0", "[" * 5000])
def test_a_clock_that_is_none_counts_anew(machine, bent):
    applied(machine, guarded_plan(machine))
    start(machine)
    folder = machine / "run/vitrail"
    folder.mkdir(parents=True)
    (folder / "guard.json").write_text(bent)
    (answer,) = ask(machine, line("extend", plan_id=PLAN_ID, boot_id=NEXT_BOOT_ID))
    assert answer["error"]["kind"] == "no-run"


def test_a_link_in_the_place_of_the_clock_is_not_followed(machine):
    applied(machine, guarded_plan(machine))
    start(machine)
    folder = machine / "run/vitrail"
    folder.mkdir(parents=True)
    target = machine / "etc/default/grub"
    words = target.read_text()
    (folder / "guard.json").symlink_to("/etc/default/grub")
    with started_guard(machine) as guard:
        lines_until(guard, "--extend")
        guard.send_signal(signal.SIGTERM)
        guard.communicate(timeout=30)
    assert target.read_text() == words


def test_a_stamp_or_a_story_that_is_damaged_stops_nothing(machine):
    applied(machine, guarded_plan(machine))
    start(machine, line="root=/dev/vda1")
    (machine / f"var/lib/vitrail/runs/000001-{PLAN_ID}/seen.json").write_text('{"class":"TrialSeen"')
    (told,) = ask(machine, line("story"))
    assert told["result"]["trials"][0]["seen"]["why"] == "fell-back"

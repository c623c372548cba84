# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of a trial start: when it counts, how long, what ends it, and what it leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from helper.bench import (
    BOOT_ID,
    NEXT_BOOT_ID,
    PLAN_ID,
    STACKS,
    ask,
    line,
    make_machine,
    plan_of,
    program,
    snapshot,
    undo_line,
)
from helper.timeless import THIRD_BOOT_ID, Gone, Timeless, applied, dress, guarded_plan, start, state_of, tree_of
from vitrail.helper.guard import guard
from vitrail.helper.guard_clock import read_clock
from vitrail.helper.guard_hands import Hands
from vitrail.helper.journal import begin
from vitrail.model.host_step import Fixed, FixedFile
from vitrail.model.host_story import GuardClock, GuardPhase
from vitrail.model.outcome import RunResult
from vitrail.model.trial import OneShot, SetOneShot
from vitrail.model.wire import from_wire

pytestmark = pytest.mark.real
MINUTES = 60.0
RUN = f"var/lib/vitrail/runs/000001-{PLAN_ID}"


@pytest.fixture
def machine(tmp_path):
    root = make_machine(tmp_path / "root")
    dress(root)
    return root


@pytest.fixture
def trial(machine):
    """A machine in the start after a guarded plan, and how it was before."""
    before = snapshot(machine)
    applied(machine, guarded_plan(machine))
    start(machine)
    after = snapshot(machine)
    return machine, {name: before.get(name, after.get(name)) for name in changed_by_starting(before, after)}


def changed_by_starting(before, after):
    facts = ("proc/cmdline", "proc/sys/kernel/random/boot_id", "calls")
    return {name for name in before if name not in facts} | {name for name in after if name.startswith("run")}


def is_as_before(machine, before):
    facts = ("proc", "run", "calls", "dev")
    now = {name: value for name, value in snapshot(machine).items() if not name.startswith(facts)}
    return now == {name: value for name, value in before.items() if not name.startswith(facts)}


def guarded(machine, hands):
    """The guard until it ends, or until its restart ends it."""
    try:
        return guard(state_of(machine), hands)
    except Gone:
        return None


def asked(machine, verb):
    (answer,) = ask(machine, line(verb, plan_id=PLAN_ID, boot_id=NEXT_BOOT_ID))
    return answer


class TestWhenItDoesNothing:
    """It is of no boot but the one that tries a guarded plan."""

    def test_without_its_word_on_the_line(self, trial):
        machine, _ = trial
        start(machine, line="root=/dev/vda1")
        now = snapshot(machine, own=True)
        hands = Timeless(machine)
        assert guarded(machine, hands) == 0
        assert (hands.said, hands.restarts, hands.passed) == ([], [], 0.0)
        assert snapshot(machine, own=True) == now

    def test_with_vitrail_off(self, trial):
        machine, _ = trial
        start(machine, line=f"vitrail.plan={PLAN_ID} vitrail=off")
        hands = Timeless(machine)
        assert (guarded(machine, hands), hands.passed) == (0, 0.0)

    def test_with_the_word_of_another_plan(self, trial):
        machine, _ = trial
        start(machine, line=f"vitrail.plan={PLAN_ID}0 xvitrail.plan={PLAN_ID} vitrail.plan=fedcba9876543210")
        hands = Timeless(machine)
        assert (guarded(machine, hands), hands.passed) == (0, 0.0)

    def test_in_the_boot_that_the_plan_was_applied_in(self, trial):
        machine, _ = trial
        start(machine, boot_id=BOOT_ID)
        assert guarded(machine, Timeless(machine)) == 0

    def test_for_a_kept_plan(self, trial):
        machine, _ = trial
        assert asked(machine, "keep")["ok"]
        start(machine, boot_id=THIRD_BOOT_ID)
        hands = Timeless(machine)
        assert (guarded(machine, hands), hands.passed) == (0, 0.0)
        assert not (machine / "run/vitrail/guard.json").exists()

    def test_for_a_plan_that_is_not_guarded(self, machine):
        applied(machine, plan_of(machine, *STACKS["grub"]))
        start(machine)
        hands = Timeless(machine)
        assert (guarded(machine, hands), hands.passed) == (0, 0.0)


class TestHowLong:
    """The clock, as the design has it."""

    def test_a_quarter_of_an_hour_where_no_login_comes(self, trial):
        machine, before = trial
        hands = Timeless(machine)
        assert guarded(machine, hands) is None
        assert is_as_before(machine, before)
        assert hands.restarts == pytest.approx([16 * MINUTES], abs=3)

    def test_five_minutes_from_the_login_on(self, trial):
        machine, before = trial
        hands = Timeless(machine)
        hands.up_at = 90.0
        guarded(machine, hands)
        assert is_as_before(machine, before)
        assert hands.restarts == pytest.approx([90 + 6 * MINUTES], abs=3)

    def test_a_late_login_does_not_make_it_longer(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.up_at = 13 * MINUTES
        guarded(machine, hands)
        assert hands.restarts == pytest.approx([16 * MINUTES], abs=3)

    def test_a_quarter_of_an_hour_more_as_often_as_it_is_asked_for(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.up_at = 60.0
        answers = []
        for seconds in (120, 240, 1500):
            hands.at(seconds, lambda: answers.append(asked(machine, "extend")))
        guarded(machine, hands)
        clocks = [from_wire(GuardClock, answer["result"]) for answer in answers]
        assert [clock.extended for clock in clocks] == [1, 2, 3]
        assert hands.restarts == pytest.approx([60 + (5 + 3 * 15 + 1) * MINUTES], abs=3)

    def test_more_time_is_not_taken_away_by_the_login(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.at(30, lambda: asked(machine, "extend"))
        hands.up_at = 60.0
        guarded(machine, hands)
        assert hands.restarts == pytest.approx([31 * MINUTES], abs=3)

    def test_it_counts_where_nothing_can_be_written_to_run(self, trial):
        machine, before = trial
        (machine / "run").mkdir(exist_ok=True)
        (machine / "run/vitrail").write_text("")
        hands = Timeless(machine)
        hands.up_at = 60.0
        guarded(machine, hands)
        assert is_as_before(machine, before)
        assert hands.restarts == pytest.approx([7 * MINUTES], abs=3)

    def test_standby_counts(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.up_at = 10.0

        def sleep():
            hands.now += 8 * 3600

        hands.at(60, sleep)
        guarded(machine, hands)
        assert hands.restarts == pytest.approx([8 * 3600 + 2 * MINUTES], abs=3)

    def test_a_guard_that_fell_over_goes_on_by_the_same_clock(self, trial):
        machine, _ = trial
        first = Timeless(machine)
        first.up_at = 0.0

        def fall():
            raise Gone

        first.at(200, fall)
        guarded(machine, first)
        deadline = read_clock(tree_of(machine)).deadline_boottime
        second = Timeless(machine)
        second.began, second.now = first.began, first.now
        guarded(machine, second)
        assert second.restarts == pytest.approx([deadline - first.began + MINUTES], abs=3)


class TestWhatEndsIt:
    """People are quicker than the clock, or they are not."""

    def test_keep(self, trial):
        machine, _ = trial
        after = snapshot(machine)
        hands = Timeless(machine)
        hands.at(100, lambda: asked(machine, "keep"))
        assert guarded(machine, hands) == 0
        assert hands.restarts == []
        assert hands.said[-1].startswith("The change is kept")
        assert hands.passed < 105
        assert not (machine / "run/vitrail/guard.json").exists()
        now = {name: value for name, value in snapshot(machine).items() if not name.startswith("run")}
        assert now == {name: value for name, value in after.items() if not name.startswith("etc/systemd")}

    def test_taking_back_by_hand_restarts_nothing(self, trial):
        machine, before = trial
        hands = Timeless(machine)
        hands.at(100, lambda: ask(machine, undo_line(PLAN_ID)))
        assert guarded(machine, hands) == 0
        assert hands.restarts == []
        assert is_as_before(machine, before)

    def test_keep_comes_too_late_once_it_is_taken_back(self, trial):
        machine, _ = trial
        answers = []
        lock = machine / "var/lib/pacman/db.lck"
        lock.parent.mkdir(parents=True)
        lock.write_text("")
        hands = Timeless(machine)
        hands.at(16 * MINUTES, lambda: answers.extend((asked(machine, "keep"), asked(machine, "extend"))))
        hands.at(20 * MINUTES, lock.unlink)
        guarded(machine, hands)
        assert [answer["error"]["kind"] for answer in answers] == ["too-late", "too-late"]
        assert hands.restarts == pytest.approx([21 * MINUTES], abs=25)

    def test_a_keep_that_is_at_work_at_the_deadline_wins(self, trial):
        machine, _ = trial
        state = state_of(machine)
        hands = Timeless(machine)
        holding = state.lock()

        def kept():
            journal = machine / RUN / "journal.jsonl"
            foundation = {"class": "Foundation", "kernel": None, "firmware": None, "firmware_date": None}
            words = {"class": "HostRunKept", "boot_id": NEXT_BOOT_ID, "kept_at": 1.0, "foundation": foundation}
            journal.write_text(f"{journal.read_text()}{json.dumps(words)}\n")
            holding.__exit__(None, None, None)

        hands.at(14 * MINUTES, holding.__enter__)
        hands.at(18 * MINUTES, kept)
        assert guarded(machine, hands) == 0
        assert hands.restarts == []
        assert hands.said[-1].startswith("The change is kept")


class TestWhatItLeaves:
    """What is there after it: the old system, its story, and at most one restart."""

    def test_the_snapshot_is_of_the_trial_and_not_of_what_came_after(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.up_at = 0.0
        guarded(machine, hands)
        seen = json.loads((machine / RUN / "seen.json").read_text())
        assert (seen["boot_id"], seen["why"]) == (NEXT_BOOT_ID, "not-kept")
        assert [one["driver"] for one in seen["drivers"]] == ["vfio-pci", None]
        assert seen["outputs"] == [{"class": "SeenOutput", "connector": "card0-DP-1", "status": "connected"}]
        lines = "\n".join(seen["kernel_lines"])
        assert "an error" in lines
        assert "is reserved" in lines
        assert "usb 1-1" not in lines
        (told,) = ask(machine, line("story"))
        (one,) = told["result"]["trials"]
        assert (one["state"], one["seen"]) == ("taken-back", seen)

    def test_a_start_without_a_login_is_told_apart_and_mounts_what_undo_needs(self, trial):
        machine, _ = trial
        guarded(machine, Timeless(machine))
        assert json.loads((machine / RUN / "seen.json").read_text())["why"] == "not-up"
        assert "mount --all --test-opts no_netdev" in (machine / "calls").read_text()

    def test_a_login_mounts_nothing(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.up_at = 0.0
        guarded(machine, hands)
        assert "mount" not in (machine / "calls").read_text()

    def test_whoever_is_at_a_screen_puts_the_restart_off(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        hands.at(15 * MINUTES + 20, lambda: asked(machine, "extend"))
        guarded(machine, hands)
        assert hands.restarts == pytest.approx([31 * MINUTES], abs=3)

    def test_an_undo_that_fails_restarts_once_and_never_again(self, trial):
        machine, _ = trial
        program(machine, "usr/sbin/update-grub", "exit 1\n")
        first = Timeless(machine)
        guarded(machine, first)
        assert len(first.restarts) == 1
        for boot in (THIRD_BOOT_ID, BOOT_ID.replace("1", "2")):
            start(machine, boot_id=boot)
            later = Timeless(machine)
            assert guarded(machine, later) == 0
            assert later.restarts == []
            assert later.passed == 0.0

    def test_a_package_manager_that_never_ends_is_not_cut_short(self, trial):
        machine, _ = trial
        lock = machine / "var/lib/pacman/db.lck"
        lock.parent.mkdir(parents=True)
        lock.write_text("")
        hands = Timeless(machine)
        assert guarded(machine, hands) == 0
        assert hands.restarts == []
        assert "package-lock" in hands.said[-1]

    def test_a_start_that_happens_only_once_needs_no_undo_to_end(self, machine):
        lock = machine / "var/lib/pacman/db.lck"
        lock.parent.mkdir(parents=True)
        lock.write_text("")
        state = state_of(machine)
        plan = guarded_plan(machine, FixedFile(Fixed.GUARD_UNIT))
        once = replace(plan, steps=(*plan.steps, SetOneShot(OneShot.GRUB, PLAN_ID)))
        begin(state, once).end(RunResult.APPLIED)
        start(machine)
        hands = Timeless(machine)
        assert guarded(machine, hands) is None
        assert len(hands.restarts) == 1

    def test_a_plan_that_was_broken_off_is_taken_back_too(self, trial):
        machine, before = trial
        journal = machine / RUN / "journal.jsonl"
        journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
        guarded(machine, Timeless(machine))
        assert is_as_before(machine, before)

    def test_where_the_system_does_not_restart_the_kernel_does(self, trial):
        machine, _ = trial
        (machine / "proc/sysrq-trigger").write_text("")
        hands = Timeless(machine, orderly=False)
        assert guarded(machine, hands) == 0
        assert "systemctl --no-block reboot" in (machine / "calls").read_text()
        assert (machine / "proc/sysrq-trigger").read_text()[-1] == "b"
        assert hands.restarts[0] + 180 == pytest.approx(hands.passed, abs=1)

    def test_the_stamp_is_there_before_the_restart(self, trial):
        machine, _ = trial
        hands = Timeless(machine)
        guarded(machine, hands)
        assert json.loads((machine / RUN / "restarted.json").read_text()) == {"boot_id": NEXT_BOOT_ID}
        assert read_clock(tree_of(machine)).phase is GuardPhase.RESTARTING


class TestTargets:
    """What `systemctl show` says of how far a start is."""

    @pytest.mark.parametrize(
        ("graphical", "multi_user", "up"),
        [
            ("active\nJob=", "active\nJob=", True),
            ("inactive\nJob=12", "active\nJob=", False),
            ("inactive\nJob=", "active\nJob=", True),
            ("inactive\nJob=0", "active\nJob=0", True),
            ("inactive\nJob=7", "inactive\nJob=6", False),
            ("inactive\nJob=", "inactive\nJob=", False),
        ],
    )
    def test_a_login_is_the_desktop_or_the_text_mode_that_was_wanted(self, machine, graphical, multi_user, up):
        words = f"Id=graphical.target\nActiveState={graphical}\n\nId=multi-user.target\nActiveState={multi_user}\n"
        (machine / "targets").write_text(words)
        assert Hands(tree_of(machine)).is_up() is up

    def test_a_system_that_does_not_answer_is_not_up(self, machine):
        (machine / "usr/bin/systemctl").unlink()
        assert Hands(tree_of(machine)).is_up() is False


def test_what_it_says_names_the_commands(trial):
    machine, _ = trial
    hands = Timeless(machine)
    guarded(machine, hands)
    assert "--keep" in hands.said[0]
    assert "--extend" in hands.said[0]
    assert "15 minutes" in hands.said[0]
    assert any(words.startswith("5 minutes until") for words in hands.said)
    assert any("30 seconds" in words for words in hands.said)
    assert hands.said[-1] == "This computer restarts now."


def test_more_time_without_a_guard_is_refused_and_makes_nothing(machine):
    before = snapshot(machine, own=True)
    assert asked(machine, "extend")["error"]["kind"] == "other-boot"
    (answer,) = ask(machine, line("extend", plan_id=PLAN_ID, boot_id=BOOT_ID))
    assert answer["error"]["kind"] == "no-run"
    assert snapshot(machine, own=True) == before

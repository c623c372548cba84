# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of trials that nobody kept, and what later starts show of kept plans."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from helper.bench import (
    BOOT_ID,
    CARD,
    CARDS,
    NEXT_BOOT_ID,
    PLAN_ID,
    REPOSITORY,
    STACKS,
    ask,
    line,
    make_machine,
    plan_of,
    program,
    undo_line,
)
from helper.timeless import THIRD_BOOT_ID, Gone, Timeless, applied, dress, guarded_plan, start, state_of
from vitrail.helper.guard import guard
from vitrail.model.host_story import HostStory
from vitrail.model.wire import from_wire, to_wire

pytestmark = pytest.mark.real
OLD_LINE = "root=/dev/vda1 quiet"
OLDER_BOOT = "cccccccc22223333444455555555555f"


@pytest.fixture
def machine(tmp_path):
    root = make_machine(tmp_path / "root")
    dress(root)
    firmware(root, "F20", "03/01/2024")
    return root


def firmware(root, version, date):
    folder = root / "sys/class/dmi/id"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bios_version").write_text(f"{version}\n")
    (folder / "bios_date").write_text(f"{date}\n")


def told(machine):
    (answer,) = ask(machine, line("story"))
    assert answer["ok"], answer
    assert to_wire(from_wire(HostStory, answer["result"])) == answer["result"]
    return answer["result"]


def trial(machine):
    (one,) = told(machine)["trials"]
    return one


def journal(machine, *boots: object):
    """What journalctl says of boots before this one, the newest first."""
    for number, lines in enumerate(boots, 1):
        (machine / f"boot-{number}").write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    program(
        machine,
        "usr/bin/journalctl",
        'for word; do case "$word" in --boot=-*) file=/boot-${word#--boot=-} ;; esac; done\n'
        '[ -e "$file" ] || exit 1\nwhile read -r line; do printf "%s\\n" "$line"; done < "$file"\n',
    )


def entry(words, priority=6, boot=OLDER_BOOT):
    return {"MESSAGE": words, "PRIORITY": str(priority), "_BOOT_ID": boot}


class TestTrials:
    """Where each stands, by the boot that asks."""

    def test_before_the_restart(self, machine):
        applied(machine, guarded_plan(machine))
        assert (trial(machine)["state"], trial(machine)["seen"]) == ("restart-due", None)

    def test_in_the_trial_the_clock_is_told(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        hands = Timeless(machine)
        seen = []

        def look():
            seen.append(trial(machine))
            raise Gone

        hands.at(10, look)
        with pytest.raises(Gone):
            guard(state_of(machine), hands)
        assert seen[0]["state"] == "running"
        assert seen[0]["clock"]["phase"] == "counting"
        assert seen[0]["clock"]["plan_id"] == PLAN_ID

    def test_the_clock_can_be_read_by_everybody(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        hands = Timeless(machine)
        modes = []
        paths = [machine / "run/vitrail/guard.json", machine / "run/vitrail"]
        hands.at(10, lambda: modes.extend(path.stat().st_mode & 0o777 for path in paths))
        with pytest.raises(Gone):
            guard(state_of(machine), hands)
        assert modes == [0o644, 0o755]

    def test_turned_off_in_the_loader(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=f"vitrail.plan={PLAN_ID} vitrail=off")
        assert trial(machine)["state"] == "off"

    def test_one_that_never_came_up_is_noticed_and_told_from_the_journal(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        journal(
            machine,
            [
                entry(f"Command line: root=/dev/vda1 vitrail.plan={PLAN_ID} panic=30"),
                entry("usb 1-1: new device"),
                entry("vfio-pci 0000:01:00.0: reset failed", 3),
                entry("Kernel panic", 0),
            ],
        )
        one = trial(machine)
        assert one["state"] == "fell-back"
        assert (one["seen"]["why"], one["seen"]["boot_id"]) == ("fell-back", OLDER_BOOT)
        assert one["seen"]["kernel_lines"][1:] == ["vfio-pci 0000:01:00.0: reset failed", "Kernel panic"]

    def test_what_was_told_once_is_still_told_when_the_journal_has_gone_on(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        journal(machine, [entry(f"Command line: vitrail.plan={PLAN_ID}")])
        first = trial(machine)
        (machine / "boot-1").write_text("")
        assert trial(machine) == first

    def test_the_boot_of_the_trial_may_lie_further_back(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        journal(machine, [entry(OLD_LINE, boot="d" * 32)], [entry(f"Command line: x vitrail.plan={PLAN_ID}")])
        assert trial(machine)["seen"]["boot_id"] == OLDER_BOOT

    @pytest.mark.parametrize("other", [OLD_LINE, f"vitrail.plan={PLAN_ID}0", "vitrail.plan=fedcba9876543210"])
    def test_another_boot_is_never_taken_for_the_trial(self, machine, other):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        journal(machine, [entry(f"Command line: {other}")])
        assert trial(machine)["seen"]["kernel_lines"] is None

    def test_without_a_journal_it_is_noticed_all_the_same(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        one = trial(machine)
        assert (one["state"], one["seen"]["kernel_lines"], one["seen"]["boot_id"]) == ("fell-back", None, None)

    def test_undo_clears_up_and_the_story_stays(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        trial(machine)
        ask(machine, undo_line(PLAN_ID))
        assert (trial(machine)["state"], trial(machine)["seen"]["why"]) == ("taken-back", "fell-back")

    def test_one_that_was_taken_back_by_hand_has_no_story(self, machine):
        applied(machine, guarded_plan(machine))
        ask(machine, undo_line(PLAN_ID))
        assert told(machine) == {"class": "HostStory", "trials": [], "kept": []}

    def test_what_could_not_all_be_taken_back_says_so(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        program(machine, "usr/sbin/update-grub", "exit 1\n")
        with pytest.raises(Gone):
            guard(state_of(machine), Timeless(machine))
        start(machine, boot_id=THIRD_BOOT_ID)
        assert trial(machine)["state"] == "not-all-back"

    def test_a_long_log_is_cut_in_the_middle(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        (machine / "dev/kmsg").write_text("".join(f"3,{n},{n},-;error {n} {'x' * 500}\n" for n in range(5000)))
        with pytest.raises(Gone):
            guard(state_of(machine), Timeless(machine))
        lines = trial(machine)["seen"]["kernel_lines"]
        assert len(lines) == 201
        assert "error 0 " in lines[0]
        assert "error 4999 " in lines[-1]
        assert max(map(len, lines)) == 300


class TestKeptPlans:
    """A promise that an update breaks is noticed, and dated by what was updated."""

    @pytest.fixture
    def kept(self, machine):
        applied(machine, plan_of(machine, *STACKS["grub"]))
        start(machine)
        (answer,) = ask(machine, line("keep", plan_id=PLAN_ID, boot_id=NEXT_BOOT_ID))
        assert answer["ok"], answer
        return machine

    def test_what_this_boot_shows_of_it(self, kept):
        (one,) = told(kept)["kept"]
        assert one["then"] == one["now"]
        assert one["now"] == {
            "class": "Foundation",
            "kernel": "6.1.0",
            "firmware": "F20",
            "firmware_date": "03/01/2024",
        }
        assert one["on_line"] is True
        assert [(device["same"], device["driver"]) for device in one["devices"]] == [(True, "vfio-pci"), (True, None)]

    def test_an_update_of_kernel_and_firmware_is_told(self, kept):
        start(kept, boot_id=THIRD_BOOT_ID)
        (kept / "proc/sys/kernel/osrelease").write_text("6.2.0\n")
        firmware(kept, "F31", "09/09/2025")
        (one,) = told(kept)["kept"]
        assert (one["then"]["kernel"], one["now"]["kernel"]) == ("6.1.0", "6.2.0")
        assert (one["then"]["firmware"], one["now"]["firmware_date"]) == ("F20", "09/09/2025")

    def test_a_card_that_moved_or_is_gone_is_told(self, kept):
        start(kept, boot_id=THIRD_BOOT_ID, line=OLD_LINE)
        (kept / f"sys/devices/pci0000:00/{CARD.address}/device").write_text("0x1234\n")
        sound = CARDS.cards[1].identity
        (kept / f"sys/bus/pci/devices/{sound.address}").unlink()
        (one,) = told(kept)["kept"]
        assert one["on_line"] is False
        assert [device["same"] for device in one["devices"]] == [False, None]

    def test_what_cannot_be_read_is_null(self, kept):
        (kept / "proc/cmdline").unlink()
        (kept / "sys/class/dmi/id/bios_version").unlink()
        (one,) = told(kept)["kept"]
        assert one["on_line"] is None
        assert one["now"]["firmware"] is None

    def test_a_plan_that_was_taken_back_promises_nothing(self, kept):
        ask(kept, undo_line(PLAN_ID))
        assert told(kept)["kept"] == []


class TestConsole:
    """The same in plain English, where there is nothing but Python."""

    def run(self, machine, *arguments: object):
        return subprocess.run(
            [sys.executable, "-m", "vitrail.helper", "--root", machine, *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"PYTHONPATH": str(REPOSITORY / "app")},
        )

    def test_status_tells_of_a_trial_that_never_came_up(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine, line=OLD_LINE)
        journal(machine, [entry(f"Command line: vitrail.plan={PLAN_ID}"), entry("vfio-pci: \x1b[2Jbad", 2)])
        said = self.run(machine, "--status").stdout
        assert f"Trial of {PLAN_ID}: its trial did not come up" in said
        assert "  | vfio-pci: ?[2Jbad\n" in said

    def test_keep_from_elsewhere_needs_to_know(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        refused = self.run(machine, "--keep")
        assert (refused.returncode, "--without-screen" in refused.stdout) == (1, True)
        kept = self.run(machine, "--keep", "--without-screen")
        assert (kept.returncode, kept.stdout) == (0, f"Kept: {PLAN_ID}\n")
        assert f"Kept {PLAN_ID}" in self.run(machine, "--status").stdout

    def test_a_broken_promise_is_said_with_what_was_updated(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        self.run(machine, "--keep", "--without-screen")
        start(machine, boot_id=THIRD_BOOT_ID, line=OLD_LINE)
        (machine / "proc/sys/kernel/osrelease").write_text("6.2.0\n")
        said = self.run(machine, "--status").stdout
        assert "does not hold in this start" in said
        assert "Its word is missing on the kernel's command line." in said
        assert "Since then: kernel 6.1.0 became 6.2.0" in said

    def test_there_is_nothing_to_keep_or_to_put_off_in_another_start(self, machine):
        applied(machine, guarded_plan(machine))
        assert (machine / "proc/sys/kernel/random/boot_id").read_text() == f"{BOOT_ID}\n"
        for door in ("--keep", "--extend"):
            done = self.run(machine, door, "--without-screen")
            assert (done.returncode, done.stdout) == (
                1,
                "No trial is being counted down in this start. See --status.\n",
            )

    def test_more_time_is_said(self, machine):
        applied(machine, guarded_plan(machine))
        start(machine)
        hands = Timeless(machine)
        said = []

        def ask_for_more():
            said.append(self.run(machine, "--extend"))
            raise Gone

        hands.at(30, ask_for_more)
        with pytest.raises(Gone):
            guard(state_of(machine), hands)
        assert said[0].returncode == 0
        assert "minutes are left now." in said[0].stdout

    def test_the_guard_ends_at_once_where_nothing_awaits_it(self, machine):
        done = self.run(machine, "--guard")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

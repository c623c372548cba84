# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back after the world went on: edits, rollbacks, other kernels, later plans, and a person at a console."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import sys

import pytest

from helper.bench import (
    ARGUMENTS,
    BOOT_ID,
    CARD,
    CARDS,
    NEXT_BOOT_ID,
    PLAN_ID,
    REPOSITORY,
    STACKS,
    WORDS,
    apply_line,
    ask,
    call,
    labels,
    line,
    make_machine,
    plan_of,
    program,
    snapshot,
    undo_line,
)
from helper.faults import copy_machine, settle
from vitrail.model.host_place import place_of, subject_path
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsFile,
    HostChange,
    RunTool,
    Template,
    Tool,
    WriteFile,
)
from vitrail.model.kernel_argument import PlanToken
from vitrail.model.reservation import ReservedCard, ReservedCards

pytestmark = pytest.mark.real

EDITED_STACKS = ("grub", "kernel-install", "systemd-boot", "grub-arch", "sdboot-manage", "refind", "booster")
OTHER_PLAN = "fedcba9876543210"


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


def applied(machine, *changes: Template | HostChange, plan_id=PLAN_ID):
    plan = plan_of(machine, *changes, plan_id=plan_id)
    (answer,) = ask(machine, apply_line(plan))
    assert answer["ok"], answer
    return plan


def undone(machine, *, everything=False, force=False):
    (answer,) = ask(machine, undo_line(everything=everything, force=force))
    assert answer["ok"], answer
    return answer["result"]


def results(outcome):
    return {step["subject"]: step["result"] for step in outcome["steps"]}


@pytest.mark.parametrize("stack", EDITED_STACKS)
def test_files_keep_their_mode_owner_and_labels(machine, stack):
    before = {
        path: (machine / path, (machine / path).stat(), labels(machine / path)) for path in snapshot_files(machine)
    }
    plan = applied(machine, *STACKS[stack])
    for change in plan.steps:
        path = subject_path(change)
        if path in before:
            file, status, kept = before[path]
            now = file.stat()
            assert (now.st_mode, now.st_uid, now.st_gid) == (status.st_mode, status.st_uid, status.st_gid)
            assert labels(file) == kept
        elif isinstance(change, WriteFile):
            assert (machine / path).stat().st_mode & 0o7777 == place_of(change.template).mode


def snapshot_files(machine):
    return [name for name in snapshot(machine) if (machine / name).is_file()]


@pytest.mark.parametrize("stack", EDITED_STACKS)
def test_later_edits_survive_and_what_is_ours_goes(machine, stack):
    plan = applied(machine, *STACKS[stack])
    edited = {}
    for change in plan.steps:
        if isinstance(change, WriteFile):
            path = machine / place_of(change.template).path
            path.write_text("# a line of the user's\n" + path.read_text())
            edited[change] = path
    (outcome,) = undone(machine)
    for change, path in edited.items():
        assert path.read_text().startswith("# a line of the user's\n")
        subject = f"/{place_of(change.template).path}"
        if place_of(change.template).ours:
            assert results(outcome)[subject] == "left"
        else:
            assert results(outcome)[subject] == "merged"
            assert not any(word in path.read_text() for word in WORDS)
            assert "Vitrail" not in path.read_text()


@pytest.mark.parametrize("stack", EDITED_STACKS)
def test_force_restores_exactly_and_keeps_what_it_replaced(machine, stack):
    before = snapshot(machine)
    plan = applied(machine, *STACKS[stack])
    for change in plan.steps:
        if isinstance(change, WriteFile):
            (machine / place_of(change.template).path).write_text("theirs\n")
    (outcome,) = undone(machine, force=True)
    assert outcome["result"] == "taken_back"
    assert snapshot(machine) == before
    kept = [path.read_bytes() for path in (machine / "var/lib/vitrail/objects").iterdir()]
    assert b"theirs\n" in kept


@pytest.mark.parametrize("stack", EDITED_STACKS)
def test_a_rolled_back_etc_is_left_as_it_is(machine, tmp_path, stack):
    before = snapshot(machine)
    shutil.copytree(machine / "etc", tmp_path / "etc")
    shutil.copytree(machine / "boot", tmp_path / "boot")
    applied(machine, *STACKS[stack])
    for folder in ("etc", "boot"):
        shutil.rmtree(machine / folder)
        subprocess.run(["cp", "-a", tmp_path / folder, machine / folder], check=True)
    contents = {name: value[3] for name, value in snapshot(machine).items()}
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"
    usr = [name for name in contents if not name.startswith(("etc", "boot"))]
    now = {name: value[3] for name, value in snapshot(machine).items()}
    assert all(now.get(name) == before.get(name, (0, 0, 0, None))[3] for name in usr)
    assert now.keys() == before.keys()


@pytest.mark.parametrize("after", range(6))
def test_the_images_are_rebuilt_by_others_between_two_steps(machine, after):
    before = snapshot(machine)
    kill = STACKS["grub"][:after] if after else STACKS["grub"]
    applied(machine, *kill)
    call(machine, "/usr/sbin/update-initramfs", "-u", "-k", "all")
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"
    call(machine, "/usr/sbin/update-initramfs", "-u", "-k", "all")
    assert snapshot(machine) == before


def test_a_kernel_installed_meanwhile_is_rebuilt_too(machine):
    applied(machine, *STACKS["grub"])
    (machine / "lib/modules/6.3.0").mkdir()
    words = (machine / "usr/sbin/update-initramfs").read_text().replace("6.2.0", "6.2.0 /boot/initrd.img-6.3.0")
    program(machine, "usr/sbin/update-initramfs", words.split("/calls\n", 1)[1])
    call(machine, "/usr/sbin/update-initramfs", "-c", "-k", "6.3.0")
    assert "reserved-cards" in (machine / "boot/initrd.img-6.3.0").read_text()
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"
    assert "reserved-cards" not in (machine / "boot/initrd.img-6.3.0").read_text()


def test_a_program_that_fails_takes_the_plan_back(machine):
    before = snapshot(machine)
    program(machine, "usr/sbin/update-grub", "exit 1\n")
    broken = snapshot(machine)
    (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS["grub"])))
    assert answer["error"]["kind"] == "apply-failed"
    assert answer["error"]["args"]["reason"] == "tool-failed"
    assert answer["error"]["args"]["result"] == "taken_back"
    assert snapshot(machine) == broken
    assert before.keys() == broken.keys()


def test_a_program_that_says_yes_and_does_nothing_takes_the_plan_back(machine):
    program(machine, "usr/sbin/update-grub", "exit 0\n")
    broken = snapshot(machine)
    (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS["grub"])))
    assert answer["error"]["args"]["reason"] == "no-effect"
    assert snapshot(machine) == broken


def test_a_program_that_never_ends_its_output_is_stopped(machine):
    program(machine, "usr/sbin/update-grub", "while :; do echo yes; done\n")
    broken = snapshot(machine)
    (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS["grub"])))
    assert answer["error"]["args"]["reason"] == "tool-too-long"
    assert snapshot(machine) == broken


def test_a_later_plan_on_the_same_file_goes_first(machine):
    before = snapshot(machine)
    applied(machine, *STACKS["grub-arch"])
    both = ArgumentsFile(ArgumentFile.GRUB_DEFAULTS, (*ARGUMENTS, PlanToken(OTHER_PLAN)))
    applied(machine, both, RunTool(Tool.GRUB_MKCONFIG), plan_id=OTHER_PLAN)
    (answer,) = ask(machine, undo_line(PLAN_ID))
    assert answer["error"]["kind"] == "later-plan"
    assert answer["error"]["args"]["plan_id"] == OTHER_PLAN
    outcomes = undone(machine, everything=True)
    assert [outcome["plan_id"] for outcome in outcomes] == [OTHER_PLAN, PLAN_ID]
    assert snapshot(machine) == before


def test_words_that_were_there_before_stay(machine):
    path = machine / "etc/kernel/cmdline"
    path.write_text("root=/dev/vda1 intel_iommu=on quiet\n")
    applied(machine, *STACKS["proxmox-boot-tool"])
    path.write_text(path.read_text().replace("quiet", "splash"))
    undone(machine)
    assert path.read_text() == "root=/dev/vda1 intel_iommu=on splash\n"


def test_arguments_that_a_program_listed_before_stay(machine):
    (machine / "boot/grubby.line").write_text("root=/dev/vda1 intel_iommu=on\n")
    applied(machine, *STACKS["grub-bls"])
    undone(machine)
    assert (machine / "boot/grubby.line").read_text() == "root=/dev/vda1 intel_iommu=on\n"


def test_nothing_to_take_back_is_said_and_nothing_is_made(machine):
    assert undone(machine) == []
    assert not (machine / "var").exists()


def test_keep_needs_a_restart_and_the_boot_that_was_seen(machine):
    applied(machine, *STACKS["refind"])
    (answer,) = ask(machine, line("keep", plan_id=PLAN_ID, boot_id=BOOT_ID))
    assert answer["error"]["kind"] == "not-restarted"
    (machine / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
    (answer,) = ask(machine, line("keep", plan_id=PLAN_ID, boot_id=BOOT_ID))
    assert answer["error"]["kind"] == "other-boot"
    kept, told = ask(machine, line("keep", plan_id=PLAN_ID, boot_id=NEXT_BOOT_ID), line("status"))
    assert kept["result"]["kept"]
    assert told["result"]["runs"][0]["kept"]
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"


def test_a_torn_last_line_is_as_if_it_had_not_been_begun(machine):
    before = snapshot(machine)
    applied(machine, *STACKS["grub"])
    journal = machine / f"var/lib/vitrail/runs/000001-{PLAN_ID}/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    (told,) = ask(machine, line("status"))
    assert told["result"]["runs"][0]["state"] == "interrupted"
    undone(machine)
    assert snapshot(machine) == before


def test_undo_works_on_a_machine_that_no_longer_qualifies(machine):
    before = snapshot(machine)
    applied(machine, *STACKS["grub"])
    shutil.rmtree(machine / "sys")
    shutil.rmtree(machine / "proc")
    (machine / "etc/machine-id").unlink()
    undone(machine)
    now = snapshot(machine)
    assert all(now[name] == before[name] for name in now if name not in ("etc", ".") and not name.startswith("var"))


@pytest.fixture(scope="module")
def core():
    subprocess.run([sys.executable, REPOSITORY / "packaging/helper/build.py"], check=True, stdout=subprocess.PIPE)
    return REPOSITORY / "build/vitrail-helper.pyz"


class TestConsole:
    """The one file that is installed, with Python alone."""

    def run(self, core, machine, *arguments: object):
        return subprocess.run(
            [sys.executable, "-I", "-S", core, "--root", machine, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={},
            cwd="/",
        )

    def test_it_serves_and_takes_back(self, core, machine):
        before = snapshot(machine)
        (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS["grub"])), core=core)
        assert answer["ok"]
        assert self.run(core, machine, "--status").returncode == 0
        done = self.run(core, machine, "--undo")
        assert (done.returncode, done.stderr) == (0, "")
        assert "/etc/default/grub.d/60-vitrail.cfg: taken back\n" in done.stdout
        assert snapshot(machine) == before
        again = self.run(core, machine, "--undo")
        assert (again.returncode, again.stdout) == (0, "Nothing of Vitrail's is in effect on this system.\n")

    def test_it_says_what_is_left_to_do_for_the_vms(self, core, machine, tmp_path):
        state = tmp_path / "user state"
        digest = "a" * 64
        first = {
            "class": "RunStarted",
            "format": 1,
            "run": f"000001-{PLAN_ID}",
            "plan_id": PLAN_ID,
            "connection": "qemu:///system",
            "started_at": 1.0,
            "vm_uuid": "u",
            "vm_name": "win",
            "choice": {"class": "AModeOfALaterVersion"},
        }
        step = {
            "class": "StepStarted",
            "index": 0,
            "step": "edit-vm",
            "subject": "win",
            "before_digest": digest,
            "after_digest": "b" * 64,
        }
        run = state / f"runs/000001-{PLAN_ID}"
        run.mkdir(parents=True)
        (run / "journal.jsonl").write_text(f"{json.dumps(first)}\n{json.dumps(step)}\n")
        done = self.run(core, machine, "--undo", "--state", state)
        assert done.stdout.splitlines()[0] == f"virsh -c qemu:///system define '{state}/objects/{digest}'"

    def test_wrong_arguments_are_a_matter_of_usage(self, core, machine):
        assert self.run(core, machine).returncode == 3
        assert self.run(core, machine, "--undo", "--plan", "../x").returncode == 3

    def test_it_is_the_same_file_twice(self, core):
        before = core.read_bytes()
        subprocess.run([sys.executable, REPOSITORY / "packaging/helper/build.py"], check=True, stdout=subprocess.PIPE)
        assert core.read_bytes() == before


def test_facts_are_the_list_that_probe_reads(machine):
    (answer,) = ask(machine, line("facts", after=None))
    entries = {entry["path"]: entry for entry in answer["result"]["entries"]}
    assert answer["result"]["next"] is None
    address = CARD.address
    assert entries[f"sys/bus/pci/devices/{address}"]["kind"] == "link"
    assert entries[f"sys/devices/pci0000:00/{address}/vendor"]["value"] == "0x10de\n"
    assert entries["etc/default/grub"]["value"].startswith("GRUB_DEFAULT")
    assert not [path for path in entries if "shadow" in path or path.startswith("var")]


def test_a_second_plan_reserves_more_cards_beside_the_first(machine):
    before = snapshot(machine)
    applied(machine, *STACKS["grub"])
    cards = ReservedCards((*CARDS.cards[:1], ReservedCard(OTHER_PLAN, CARDS.cards[1].identity)))
    applied(machine, cards, RunTool(Tool.UPDATE_INITRAMFS), plan_id=OTHER_PLAN)
    assert OTHER_PLAN in (machine / "etc/vitrail/reserved-cards").read_text()
    undone(machine, everything=True)
    assert snapshot(machine) == before


def test_the_installed_file_killed_at_any_time_is_recovered_by_itself(core, tmp_path):
    fresh = make_machine(tmp_path / "fresh")
    before = snapshot(fresh)
    request = apply_line(plan_of(fresh, *STACKS["grub"]))
    for tenth in range(12):
        root = copy_machine(fresh, tmp_path / str(tenth))
        start = [sys.executable, "-I", "-S", core, "--stdio", "--root", root]
        with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}) as helper:
            helper.stdin.write(request)
            helper.stdin.flush()
            select.select([helper.stdout], [], [], tenth * 0.04)
            helper.kill()
        settle(root, undo_line())
        assert snapshot(root) == before

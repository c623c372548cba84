# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial from the click to Keep or back: nothing of the system's changes, and it goes without a trace."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from dataclasses import replace

import pytest

from helper.bench import (
    BOOT_ID,
    NEXT_BOOT_ID,
    PLAN_ID,
    STACKS,
    WORDS,
    apply_line,
    ask,
    call,
    line,
    plan_of,
    snapshot,
    undo_line,
)
from helper.trial_bench import (
    BLOCK,
    ENTRY,
    INITRD,
    KERNEL,
    ONE_SHOT,
    entry_trial,
    grub_trial,
    keep_line,
    make_entry_machine,
    make_trial_machine,
    normal_start,
    start_trial,
)
from vitrail.helper.core_file import running_core
from vitrail.model.host_place import GUARD_CORE, place_of
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, Fixed, FixedFile, HostPlan, WriteFile
from vitrail.model.kernel_argument import Flag
from vitrail.model.trial import StoreGuard

pytestmark = pytest.mark.real

IMAGE = f"boot/vitrail/{PLAN_ID}.img"
UNIT = "etc/systemd/system/vitrail-guard.service"
WAYS = {"grub": (make_trial_machine, grub_trial), "systemd-boot": (make_entry_machine, entry_trial)}
ENTRY_OF = {"grub": "boot/grub/custom.cfg", "systemd-boot": f"boot/loader/entries/{ENTRY}.conf"}
MARK_OF = {"grub": "boot/grub/grubenv", "systemd-boot": ONE_SHOT}


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def machine(tmp_path, way):
    return WAYS[way][0](tmp_path / "root")


@pytest.fixture
def grub(tmp_path):
    return make_trial_machine(tmp_path / "root")


def applied(machine, plan: HostPlan) -> HostPlan:
    (answer,) = ask(machine, apply_line(plan))
    assert answer["ok"], answer
    return plan


def kept(machine) -> dict[str, object]:
    (answer,) = ask(machine, keep_line())
    assert answer["ok"], answer
    return answer["result"]


def undone(machine, **how: object):
    (answer,) = ask(machine, undo_line(**how))
    assert answer["ok"], answer
    return answer["result"]


def kind(machine, plan: HostPlan) -> tuple[str, dict[str, object]]:
    """Why it was refused; nothing at all is written."""
    before = snapshot(machine, own=True)
    (answer,) = ask(machine, apply_line(plan))
    assert not answer["ok"], answer
    assert snapshot(machine, own=True) == before
    return answer["error"]["kind"], answer["error"]["args"]


def test_only_what_is_the_trial_s_is_new(machine, way):
    before = snapshot(machine)
    applied(machine, WAYS[way][1](machine))
    after = snapshot(machine)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed - {"etc/systemd", "etc/systemd/system", "boot/vitrail"} == {UNIT, IMAGE, ENTRY_OF[way], MARK_OF[way]}
    assert ENTRY.encode() in (machine / MARK_OF[way]).read_bytes().replace(b"\0", b"")
    assert (machine / GUARD_CORE).read_bytes() == running_core()
    assert (machine / GUARD_CORE).stat().st_mode & 0o777 == 0o700


def test_without_a_restart_it_goes_without_a_trace(machine, way):
    before = snapshot(machine)
    applied(machine, WAYS[way][1](machine))
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"
    assert snapshot(machine) == before
    assert not (machine / "var/lib/vitrail/guard").exists()


def test_kept_it_lasts_and_the_trial_is_gone(machine, way):
    plan = applied(machine, WAYS[way][1](machine))
    start_trial(machine)
    assert kept(machine)["kept"]
    for path in (UNIT, IMAGE, ENTRY_OF[way], GUARD_CORE):
        assert not (machine / path).exists()
    for change in plan.keep:
        if isinstance(change, WriteFile):
            assert "vitrail" in (machine / place_of(change.template).path).read_text().lower()
    (told,) = ask(machine, line("status"))
    assert [(run["state"], run["kept"], run["awaits_keep"]) for run in told["result"]["runs"]] == [
        ("applied", True, False),
        ("taken_back", True, False),
    ]


def test_kept_and_then_taken_back_it_is_as_before(machine, way):
    before = snapshot(machine)
    applied(machine, WAYS[way][1](machine))
    start_trial(machine)
    kept(machine)
    (outcome,) = undone(machine, plan_id=PLAN_ID)
    assert outcome["result"] == "taken_back"
    normal_start(machine)
    assert snapshot(machine) == before


def test_not_kept_it_is_taken_back_in_the_trial_itself(machine, way):
    before = snapshot(machine)
    applied(machine, WAYS[way][1](machine))
    start_trial(machine)
    (outcome,) = undone(machine, plan_id=PLAN_ID)
    assert outcome["result"] == "taken_back"
    normal_start(machine)
    assert snapshot(machine) == before


def test_keep_again_is_the_same_answer(machine, way):
    applied(machine, WAYS[way][1](machine))
    start_trial(machine)
    first = kept(machine)
    now = snapshot(machine)
    assert kept(machine) == first
    assert snapshot(machine) == now


def test_keep_is_for_the_boot_of_the_trial(grub):
    applied(grub, grub_trial(grub))
    (answer,) = ask(grub, keep_line(boot_id=BOOT_ID))
    assert answer["error"]["kind"] == "not-restarted"
    (grub / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
    (answer,) = ask(grub, keep_line())
    assert answer["error"]["kind"] == "not-started"
    start_trial(grub)
    (answer,) = ask(grub, keep_line(boot_id=BOOT_ID))
    assert answer["error"]["kind"] == "other-boot"


def test_a_mark_that_the_loader_could_not_erase_is_cleared_first(grub):
    applied(grub, grub_trial(grub))
    mark = (grub / "boot/grub/grubenv").read_bytes()
    start_trial(grub)
    (grub / "boot/grub/grubenv").write_bytes(mark)
    kept(grub)
    assert (grub / "boot/grub/grubenv").read_bytes() == BLOCK


def test_somebody_else_s_mark_stays(grub):
    applied(grub, grub_trial(grub))
    theirs = b"# GRUB Environment Block\nnext_entry=memtest\n".ljust(1024, b"#")
    (grub / "boot/grub/grubenv").write_bytes(theirs)
    (outcome,) = undone(grub)
    assert outcome["result"] == "taken_back"
    assert (grub / "boot/grub/grubenv").read_bytes() == theirs


def test_the_user_s_own_menu_entries_stay(grub):
    custom = grub / "boot/grub/custom.cfg"
    custom.write_text("menuentry 'Mine' { true; }\n")
    applied(grub, grub_trial(grub))
    assert custom.read_text().startswith("menuentry 'Mine'")
    custom.write_text(f"# later\n{custom.read_text()}menuentry 'Later' {{ true; }}\n")
    undone(grub)
    assert custom.read_text() == "# later\nmenuentry 'Mine' { true; }\nmenuentry 'Later' { true; }\n"


def test_one_trial_at_a_time(grub):
    applied(grub, grub_trial(grub))
    other = plan_of(grub, ArgumentsFile(ArgumentFile.REFIND_LINUX, (Flag.INTEL_IOMMU_ON,)), plan_id="fedcba9876543210")
    assert kind(grub, other) == ("awaits-keep", {"run": f"000001-{PLAN_ID}", "plan_id": PLAN_ID})


def test_a_failed_keep_leaves_the_trial_as_it_was(grub):
    applied(grub, grub_trial(grub))
    start_trial(grub)
    before = snapshot(grub)
    (grub / "usr/sbin/update-grub").write_text("#!/bin/sh\nexit 1\n")
    broken = snapshot(grub)
    (answer,) = ask(grub, keep_line())
    assert answer["error"]["kind"] == "apply-failed"
    assert snapshot(grub).keys() == broken.keys()
    assert {name for name in broken if snapshot(grub)[name] != broken[name]} <= {"boot/grub/grub.cfg"}
    (told,) = ask(grub, line("status"))
    assert [run["awaits_keep"] for run in told["result"]["runs"]] == [False, True]
    assert before.keys() == broken.keys()


def test_what_changed_since_the_click_is_not_kept(grub):
    applied(grub, grub_trial(grub))
    start_trial(grub)
    (grub / "etc/vitrail").mkdir()
    (grub / "etc/vitrail/reserved-cards").write_text("theirs\n")
    (answer,) = ask(grub, keep_line())
    assert answer["error"]["kind"] == "subject-changed"
    assert (grub / IMAGE).exists()


def test_the_system_s_own_files_of_the_start_are_untouched(machine, way):
    names = [f"boot/vmlinuz-{KERNEL}", INITRD, "boot/grub/grub.cfg"]
    before = {name: hashlib.sha256((machine / name).read_bytes()).digest() for name in names}
    applied(machine, WAYS[way][1](machine))
    assert {name: hashlib.sha256((machine / name).read_bytes()).digest() for name in names} == before


def test_the_image_is_the_same_twice(grub):
    applied(grub, grub_trial(grub))
    first = (grub / IMAGE).read_bytes()
    undone(grub)
    applied(grub, grub_trial(grub))
    assert (grub / IMAGE).read_bytes() == first
    assert gzip.decompress(first).startswith(b"070701")


def test_a_rolled_back_etc_and_boot_leave_nothing(machine, way, tmp_path):
    before = snapshot(machine)
    for name in ("etc", "boot"):
        shutil.copytree(machine / name, tmp_path / name, symlinks=True)
    applied(machine, WAYS[way][1](machine))
    for name in ("etc", "boot"):
        shutil.rmtree(machine / name)
        shutil.copytree(tmp_path / name, machine / name, symlinks=True)
    (outcome,) = undone(machine)
    assert outcome["result"] == "taken_back"
    assert snapshot(machine).keys() == before.keys()
    assert not (machine / GUARD_CORE).exists()


@pytest.mark.parametrize("path", [UNIT, IMAGE, GUARD_CORE])
def test_what_somebody_edited_of_the_trial_s_own_is_told_or_gone(grub, path):
    applied(grub, grub_trial(grub))
    (grub / path).write_bytes(b"theirs\n")
    (outcome,) = undone(grub)
    results = {step["subject"]: step["result"] for step in outcome["steps"]}
    assert results[f"/{path}"] == ("left" if path == UNIT else "taken_back")
    assert (grub / path).exists() == (path == UNIT)


@pytest.mark.parametrize("when", ["before the restart", "in the trial", "after Keep"])
def test_images_that_others_build_meanwhile_change_nothing(grub, when):
    before = snapshot(grub)
    applied(grub, grub_trial(grub))
    if when == "before the restart":
        call(grub, "/usr/sbin/update-initramfs", "-u", "-k", "all")
    start_trial(grub)
    if when == "in the trial":
        call(grub, "/usr/sbin/update-initramfs", "-u", "-k", "all")
    kept(grub)
    if when == "after Keep":
        call(grub, "/usr/sbin/update-initramfs", "-u", "-k", "all")
    (outcome,) = undone(grub, plan_id=PLAN_ID)
    assert outcome["result"] == "taken_back"
    normal_start(grub)
    assert snapshot(grub) == before


def test_a_kernel_that_is_installed_in_the_trial_is_kept_and_taken_back_too(grub):
    applied(grub, grub_trial(grub))
    start_trial(grub)
    (grub / "lib/modules/6.3.0").mkdir()
    build = grub / "usr/sbin/update-initramfs"
    build.write_text(build.read_text().replace("initrd.img-6.2.0", "initrd.img-6.2.0 /boot/initrd.img-6.3.0"))
    call(grub, "/usr/sbin/update-initramfs", "-c", "-k", "6.3.0")
    fresh = (grub / "boot/initrd.img-6.3.0").read_bytes()
    assert b"reserved-cards" not in fresh
    kept(grub)
    assert b"reserved-cards" in (grub / "boot/initrd.img-6.3.0").read_bytes()
    undone(grub, plan_id=PLAN_ID)
    assert (grub / "boot/initrd.img-6.3.0").read_bytes() == fresh


def test_what_was_kept_and_taken_back_can_be_tried_again(grub):
    plan = applied(grub, grub_trial(grub))
    start_trial(grub)
    kept(grub)
    assert not (grub / GUARD_CORE).exists()
    undone(grub, plan_id=PLAN_ID)
    normal_start(grub)
    applied(grub, plan)
    assert (grub / GUARD_CORE).exists()


def test_a_lasting_plan_under_guard_loses_only_the_guard_when_kept(grub):
    before = snapshot(grub)
    lasting = plan_of(grub, FixedFile(Fixed.GUARD_UNIT), FixedFile(Fixed.GUARD_AT_START), *STACKS["refind"])
    plan = applied(
        grub,
        replace(lasting, steps=(lasting.steps[0], lasting.steps[1], StoreGuard(), *lasting.steps[2:]), guarded=True),
    )
    start_trial(grub)
    now = kept(grub)
    assert (now["state"], now["kept"], now["awaits_keep"]) == ("applied", True, False)
    assert not (grub / UNIT).exists()
    assert not (grub / GUARD_CORE).exists()
    assert WORDS[1] in (grub / "boot/refind_linux.conf").read_text()
    assert kept(grub) == now
    (outcome,) = undone(grub, plan_id=plan.plan_id)
    assert outcome["result"] == "taken_back"
    normal_start(grub)
    (grub / "boot/grub/grubenv").write_bytes(BLOCK)
    assert {name for name in before if snapshot(grub)[name] != before[name]} == set()


def test_a_mark_without_its_program_is_told(grub):
    applied(grub, grub_trial(grub))
    (grub / "usr/bin/grub-editenv").unlink()
    (outcome,) = undone(grub)
    assert outcome["result"] == "incomplete"
    results = {step["kind"]: (step["result"], step["detail"]) for step in outcome["steps"]}
    assert results["set-one-shot"] == ("failed", "tool-missing")
    assert results["make-trial-image"][0] == "taken_back"
    assert not (grub / ENTRY_OF["grub"]).exists()

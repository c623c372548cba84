# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials that must not be made: each is refused with its reason, and nothing at all is written."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helper.bench import CARDS, PLAN_ID, REPOSITORY, apply_line, ask, line, program, snapshot, steps_of, variable
from helper.test_hostile import generated, without
from helper.trial_bench import (
    INITRD,
    KERNEL,
    OLD,
    ONE_SHOT,
    UUID,
    command_line,
    dracut_image,
    entry_trial,
    grub_trial,
    make_entry_machine,
    make_trial_machine,
    system_image,
)
from vitrail.helper.cpio import archive, folder, plain
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_step import HostPlan
from vitrail.model.kernel_argument import Flag, PlanToken
from vitrail.model.trial import ImageFolder, MakeTrialImage, OneShot, SetOneShot
from vitrail.model.wire import to_wire

pytestmark = pytest.mark.real

OTHER = "fedcba9876543210"


def refused(root: Path, request: bytes) -> tuple[str, str]:
    before = snapshot(root, own=True)
    (answer,) = ask(root, request)
    assert not answer["ok"], answer
    assert snapshot(root, own=True) == before
    args = answer["error"]["args"]
    return answer["error"]["kind"], str(
        next((args[name] for name in ("what", "reason", "rule", "tool") if name in args), "")
    )


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return make_trial_machine(tmp_path_factory.mktemp("refused") / "root")


VALUES: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "a word more": ({"line": (*OLD, "init=/bin/sh")}, ("trial", "line")),
    "a word less": ({"line": OLD[:-1]}, ("trial", "line")),
    "in another order": ({"line": OLD[::-1]}, ("trial", "line")),
    "another kernel": ({"kernel": "/boot/vmlinuz-6.2.0"}, ("trial", "kernel")),
    "a kernel elsewhere": ({"kernel": f"/tmp/vmlinuz-{KERNEL}"}, ("trial", "kernel")),
    "another initramfs": ({"initrds": ("/boot/initrd.img-6.2.0",)}, ("trial", "initrd")),
    "one more initramfs": ({"initrds": (f"/{INITRD}", "/boot/initrd.img-6.2.0")}, ("trial", "initrd")),
    "another image": ({"image": "/boot/other.img"}, ("trial", "image")),
    "another file system": ({"file_system": "aaaaaaaa-2222-3333-4444-555555555555"}, ("trial", "file-system")),
    "no module for the table": ({"modules": ("ext2",)}, ("trial", "modules")),
    "no panic": ({"arguments": (PlanToken(PLAN_ID), Flag.GUARD)}, ("rule", "trial")),
    "no guard": ({"arguments": (PlanToken(PLAN_ID), Flag.PANIC)}, ("rule", "trial")),
    "no token": ({"arguments": (Flag.GUARD, Flag.PANIC)}, ("rule", "trial")),
    "no image": ({"image": None}, ("rule", "trial")),
    "another plan's entry": ({"plan_id": OTHER}, ("rule", "trial")),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_not_this_system_s(machine, name):
    values, reason = VALUES[name]
    assert refused(machine, apply_line(grub_trial(machine, **values))) == reason


def without_step(plan: HostPlan, index: int) -> HostPlan:
    return replace(plan, steps=tuple(step for place, step in enumerate(plan.steps) if place != index))


def with_step(plan: HostPlan, index: int, step: Any) -> HostPlan:
    return replace(plan, steps=(*plan.steps[:index], step, *plan.steps[index + 1 :]))


SHAPES: dict[str, tuple[Callable[[HostPlan], HostPlan], str]] = {
    "no unit": (lambda plan: without_step(plan, 0), "trial"),
    "no core": (lambda plan: without_step(plan, 1), "guard"),
    "no image": (lambda plan: without_step(plan, 2), "trial"),
    "no entry": (lambda plan: without_step(plan, 3), "trial"),
    "no mark": (lambda plan: without_step(plan, 4), "trial"),
    "the mark before the entry": (lambda plan: replace(plan, steps=(*plan.steps[:3], *plan.steps[:2:-1])), "trial"),
    "not guarded": (lambda plan: replace(plan, guarded=False), "keep"),
    "a lasting step beside it": (lambda plan: replace(plan, steps=(plan.keep[0], *plan.steps)), "trial"),
    "a trial to keep": (lambda plan: replace(plan, keep=plan.steps), "trial"),
    "kept backwards": (lambda plan: replace(plan, keep=plan.keep[::-1]), "order"),
    "kept twice": (lambda plan: replace(plan, keep=(plan.keep[0], *plan.keep)), "subject-twice"),
    "another loader's mark": (lambda plan: with_step(plan, 4, SetOneShot(OneShot.SYSTEMD_BOOT, PLAN_ID)), "trial"),
    "another plan's mark": (lambda plan: with_step(plan, 4, SetOneShot(OneShot.GRUB, OTHER)), "trial"),
    "an image elsewhere": (lambda plan: with_step(plan, 2, replace(plan.steps[2], folder=ImageFolder.EFI)), "trial"),
    "another plan's image": (lambda plan: with_step(plan, 2, replace(plan.steps[2], plan_id=OTHER)), "trial"),
    "nothing to keep": (lambda plan: replace(plan, keep=()), "keep"),
    "no cards of its own": (lambda plan: replace(plan, identities=()), "cards"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_trial_that_is_not_whole(machine, name):
    change, rule = SHAPES[name]
    assert refused(machine, apply_line(change(grub_trial(machine)))) == ("rule", rule)


def write(path: str, content: str | bytes) -> Callable[[Path], None]:
    def bend(root: Path) -> None:
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)

    return bend


def probing(words: str) -> Callable[[Path], None]:
    rest = f"case $1 in *fs_uuid) echo {UUID} ;; *partmap) echo gpt ;; *=fs) echo ext2 ;; esac\n"
    return lambda root: program(root, "usr/sbin/grub-probe", f"{words}\n{rest}")


def missing(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def image_with(*members: Any) -> bytes:
    return gzip.compress(archive(members))


MACHINES: dict[str, tuple[Callable[[Path], None], tuple[str, str]]] = {
    "a mark is set": (
        write("boot/grub/grubenv", b"# GRUB Environment Block\nnext_entry=x\n".ljust(1024, b"#")),
        ("one-shot", "pending"),
    ),
    "a block of another size": (write("boot/grub/grubenv", b"# GRUB Environment Block\n"), ("one-shot", "grubenv")),
    "a block elsewhere": (
        write("boot/grub/grubenv", b"# GRUB Environment Block\nenv_block=512+1\n".ljust(1024, b"#")),
        ("one-shot", "grubenv"),
    ),
    "a menu that erases no mark": (
        write("boot/grub/grub.cfg", f"load_env\ninitrd /{INITRD}\nsource custom.cfg\n"),
        ("one-shot", "menu"),
    ),
    "a menu that reads no other": (
        write("boot/grub/grub.cfg", f"load_env\nsave_env next_entry\ninitrd /{INITRD}\n"),
        ("one-shot", "menu"),
    ),
    "a volume that GRUB cannot write": (
        probing('[ "$1 $2" = "--target=abstraction /boot/grub" ] && { echo lvm; exit 0; }'),
        ("one-shot", "abstraction"),
    ),
    "a file system that GRUB cannot write": (
        probing('[ "$1 $2" = "--target=fs /boot/grub" ] && { echo btrfs; exit 0; }'),
        ("one-shot", "file-system"),
    ),
    "a loader that says nothing": (probing("exit 1"), ("unread", "grub-probe fs_uuid")),
    "no grub-reboot": (missing("usr/sbin/grub-reboot"), ("tool-missing", "grub-reboot")),
    "no line": (missing("proc/cmdline"), ("unread", "/proc/cmdline")),
    "a kernel of another version": (write("proc/sys/kernel/osrelease", "6.2.0\n"), ("trial", "kernel-version")),
    "started from another kernel": (
        lambda root: command_line(root, "BOOT_IMAGE=/boot/vmlinuz-6.2.0", *OLD),
        ("trial", "kernel"),
    ),
    "not started by GRUB": (lambda root: command_line(root, *OLD), ("trial", "kernel")),
    "no list of modules": (
        missing(f"lib/modules/{KERNEL}/modules.dep"),
        ("unread", f"/lib/modules/{KERNEL}/modules.dep"),
    ),
    "a list without vfio": (write(f"lib/modules/{KERNEL}/modules.dep", ""), ("initramfs", "no-module vfio_pci")),
    "a module that is none": (
        write(f"lib/modules/{KERNEL}/kernel/vfio.ko", "text"),
        ("unread", f"/lib/modules/{KERNEL}/kernel/vfio.ko"),
    ),
    "no initramfs": (write(INITRD, ""), ("unread", f"/{INITRD}")),
    "a torn initramfs": (write(INITRD, system_image()[:-40]), ("unread", f"/{INITRD}")),
    "an initramfs in an unknown form": (write(INITRD, b"LZXY" * 100), ("unread", f"/{INITRD}")),
    "an initramfs of another family": (write(INITRD, dracut_image()), ("initramfs", "order")),
    "an initramfs of another kernel": (write(INITRD, system_image("6.2.0")), ("initramfs", "other-kernel")),
    "an initramfs without insmod": (
        write(INITRD, image_with(folder("scripts"), plain("scripts/init-top/ORDER", b""))),
        ("initramfs", "insmod"),
    ),
    "a file in place of a folder": (
        write(INITRD, image_with(plain("usr", b""), plain("scripts/init-top/ORDER", b""), plain("bin/insmod", b""))),
        ("initramfs", "form"),
    ),
    "an image that is there already": (
        lambda root: ((root / "boot/vitrail").mkdir(), (root / f"boot/vitrail/{PLAN_ID}.img").write_text("")),
        ("subject-changed", ""),
    ),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_that_it_cannot_be_made_on(tmp_path, name):
    root = make_trial_machine(tmp_path / "root")
    request = apply_line(grub_trial(root))
    bend, reason = MACHINES[name]
    bend(root)
    assert refused(root, request) == reason


def default_in_file(words: str) -> Callable[[Path], None]:
    return write("boot/loader/loader.conf", words)


ENTRIES: dict[str, tuple[Callable[[Path], None], tuple[str, str]]] = {
    "no default": (default_in_file("timeout 3\n"), ("one-shot", "no-default")),
    "the last one started": (default_in_file("default @saved\n"), ("one-shot", "default")),
    "a default that fits the trial": (default_in_file("default *\n"), ("one-shot", "default")),
    "a default that is not there": (default_in_file("default gone.conf\n"), ("one-shot", "default")),
    "the firmware's default is not there": (
        lambda root: variable(root, "LoaderEntryDefault", "gone.conf"),
        ("one-shot", "default"),
    ),
    "a mark is set": (lambda root: variable(root, "LoaderEntryOneShot", "x.conf"), ("one-shot", "pending")),
    "started from another entry": (lambda root: variable(root, "LoaderEntrySelected", "x.conf"), ("trial", "entry")),
    "not started by systemd-boot": (
        lambda root: variable(root, "LoaderEntrySelected", ""),
        ("trial", "entry"),
    ),
    "another kernel in the entry": (
        write("boot/loader/entries/debian.conf", f"linux /vmlinuz-6.2.0\ninitrd /initrd.img-{KERNEL}\n"),
        ("trial", "kernel"),
    ),
    "one more initramfs in the entry": (
        write(
            "boot/loader/entries/debian.conf",
            f"linux /vmlinuz-{KERNEL}\ninitrd /ucode.img\ninitrd /initrd.img-{KERNEL}\n",
        ),
        ("trial", "initrd"),
    ),
    "no bootctl": (missing("usr/bin/bootctl"), ("tool-missing", "bootctl")),
}


def table_trial(root: Path) -> HostPlan:
    """A trial beside the entries, of which Keep edits none."""
    return replace(entry_trial(root), keep=steps_of(root, CARDS))


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_that_it_cannot_be_made_beside(tmp_path, name):
    root = make_entry_machine(tmp_path / "root")
    request = apply_line(table_trial(root))
    bend, reason = ENTRIES[name]
    bend(root)
    assert refused(root, request) == reason


@pytest.mark.parametrize(
    "pattern", ["default debian\n", "default DEBIAN.conf\n", "default deb*\n", "  default  debian.conf \n"]
)
def test_a_default_is_known_in_every_spelling(tmp_path, pattern):
    root = make_entry_machine(tmp_path / "root")
    default_in_file(pattern)(root)
    (answer,) = ask(root, apply_line(table_trial(root)))
    assert answer["ok"], answer


def test_an_entry_that_counts_its_tries_is_the_one_that_started(tmp_path):
    root = make_entry_machine(tmp_path / "root")
    request = apply_line(table_trial(root))
    entry = root / "boot/loader/entries/debian.conf"
    entry.rename(entry.with_name("debian+2-1.conf"))
    default_in_file("default debian*\n")(root)
    (answer,) = ask(root, request)
    assert answer["ok"], answer


FAMILIES = {
    InitramfsTool.BOOSTER: (system_image(), "booster"),
    InitramfsTool.DRACUT: (system_image(), "hooks"),
    InitramfsTool.MKINITCPIO: (system_image(), "systemd-hook"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_initramfs_that_runs_no_script_of_ours(tmp_path, family):
    root = make_trial_machine(tmp_path / "root")
    content, reason = FAMILIES[family]
    (root / INITRD).write_bytes(content)
    plan = grub_trial(root)
    image = plan.steps[2]
    assert isinstance(image, MakeTrialImage)
    assert refused(root, apply_line(with_step(plan, 2, replace(image, initramfs=family)))) == ("initramfs", reason)


STRANGE = (
    "",
    "/",
    "a",
    "/../etc/shadow",
    "/boot/../etc",
    "/a b",
    "/a\n",
    "/a'b",
    "/$(reboot)",
    "/a;b",
    "/ä",
    "/{a}",
    "x" * 300,
)


@pytest.mark.parametrize("words", STRANGE)
@pytest.mark.parametrize("field", ["kernel", "image", "file_system"])
def test_a_path_or_name_in_no_checked_form(machine, words, field):
    wire = to_wire(grub_trial(machine))
    wire["steps"][3]["template"][field] = words
    assert refused(machine, line("apply", plan=wire))[0] == "fields"


WORDS = (
    "",
    "a b",
    "a'b",
    'a"b',
    "a\\b",
    "a$b",
    "a;b",
    "a{b",
    "a}b",
    "a|b",
    "a&b",
    "a\n",
    "a\0",
    "a#b",
    "ä",
    "x" * 513,
    "a>b",
    "a*b",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_a_loader_gives_a_meaning_to(machine, word):
    wire = to_wire(grub_trial(machine))
    wire["steps"][3]["template"]["line"][0] = word
    assert refused(machine, line("apply", plan=wire))[0] == "fields"


@pytest.mark.parametrize("path", ["../etc/shadow", "etc/../x", "", "/etc/x", "a b", "boot/$x"])
def test_an_image_to_be_read_in_no_checked_form(machine, path):
    wire = to_wire(grub_trial(machine))
    wire["steps"][2]["system_image"] = path
    assert refused(machine, line("apply", plan=wire))[0] == "fields"


def test_a_variable_that_is_empty_is_no_mark(tmp_path):
    root = make_entry_machine(tmp_path / "root")
    assert (root / ONE_SHOT).read_bytes() == b""
    (answer,) = ask(root, apply_line(table_trial(root)))
    assert answer["ok"], answer


def test_no_generated_trial_is_begun_but_those_that_are_smaller(machine):
    plan = grub_trial(machine)
    request = json.loads(apply_line(plan))
    # What Keep makes lasting may be less, a trial may reserve fewer cards, and its line may lack what is not its own.
    legal = [without(request, ("plan", "keep", index)) for index in range(len(plan.keep))]
    legal += [without(request, ("plan", "steps", 2, "cards", "cards", index)) for index in (0, 1)]
    allowed = {json.dumps(one) for one in (*legal, request | {"id": "Tx"}, request)}
    lines = [one for one in map(json.dumps, generated(request)) if one not in allowed]
    assert len(lines) > 3000
    before = snapshot(machine, own=True)
    start = [sys.executable, "-m", "vitrail.helper", "--stdio", "--check", "--root", machine]
    run = subprocess.run(
        start,
        input="".join(f"{one}\n" for one in lines),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY / "app")},
    )
    answers = [json.loads(answer) for answer in run.stdout.splitlines()]
    assert len(answers) == len(lines)
    begun = [line for line, answer in zip(lines, answers, strict=True) if answer["ok"]]
    assert begun == []
    kinds = {answer["error"]["kind"] for answer in answers}
    assert kinds >= {"fields", "rendering", "rule", "trial"}
    assert snapshot(machine, own=True) == before

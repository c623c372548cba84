# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is for what started this boot: for another loader, another owner or another entry it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helper.bench import ARGUMENTS, STACKS, apply_line, ask, make_machine, plan_of, snapshot, variable
from helper.trial_bench import command_line
from vitrail.helper.started_by import loader_now
from vitrail.helper.tree import Tree
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, RunTool, Tool

pytestmark = pytest.mark.real


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


def told(words: str) -> Callable[[Path], None]:
    return lambda root: variable(root, "LoaderInfo", words)


def there(path: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")

    return make


OTHERS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "GRUB's files, systemd-boot started it": ("grub", told("systemd-boot 255"), "systemd-boot"),
    "GRUB's files, nobody says": ("grub", told(""), "unknown"),
    "an entry, GRUB started it": ("systemd-boot", told("GRUB 2.12"), "grub"),
    "another entry": ("systemd-boot", lambda root: variable(root, "LoaderEntrySelected", "x.conf"), "x"),
    "grubby, Limine started it": ("grub-bls", told("Limine 8"), "limine"),
    "rEFInd's file, GRUB started it": ("refind", told("GRUB 2.12"), "grub"),
    "sdboot-manage, GRUB started it": ("sdboot-manage", told("GRUB 2.12"), "grub"),
    "kernel-install, rEFInd started it": ("kernel-install", told("rEFInd 0.14"), "refind"),
    "GRUB's files on an image of ostree": ("grub", there("run/ostree-booted"), "rpm-ostree"),
    "GRUB's files on NixOS": ("grub", there("etc/NIXOS"), "nixos"),
    "GRUB's files where Proxmox owns the line": ("grub", there("etc/kernel/proxmox-boot-uuids"), "proxmox-boot-tool"),
    "Proxmox's tool where it owns nothing": (
        "proxmox-boot-tool",
        lambda root: (root / "etc/kernel/proxmox-boot-uuids").unlink(),
        "none",
    ),
    "kernelstub where it owns nothing": (
        "kernelstub",
        lambda root: (root / "etc/kernelstub/configuration").unlink(),
        "none",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_for_another_stack_is_refused(machine, name):
    stack, bend, why = OTHERS[name]
    request = apply_line(plan_of(machine, *STACKS[stack]))
    bend(machine)
    before = snapshot(machine, own=True)
    (answer,) = ask(machine, request)
    assert answer["error"] == {"kind": "other-stack", "args": {"stack": why}}
    assert snapshot(machine, own=True) == before


def test_a_line_inside_a_unified_image_needs_one_that_started(machine):
    plan = plan_of(machine, ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, ARGUMENTS), RunTool(Tool.MKINITCPIO))
    (answer,) = ask(machine, apply_line(plan))
    assert answer["error"]["args"] == {"stack": "no-unified-image"}
    variable(machine, "StubInfo", "systemd-stub 255")
    (answer,) = ask(machine, apply_line(plan))
    assert answer["ok"], answer


LINES = {
    "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1": "grub",
    "initrd=\\initrd.img root=/dev/vda1": None,
    "root=/dev/vda1": None,
}


@pytest.mark.parametrize("words", LINES)
def test_without_the_firmware_s_word_the_line_tells(machine, words):
    # Two loaders have left their files here, so files alone do not tell.
    (machine / "boot/loader/loader.conf").write_text("")
    command_line(machine, words)
    assert loader_now(Tree(str(machine))) == LINES[words]


def test_a_folder_that_only_one_loader_has_tells(machine):
    command_line(machine, "initrd=\\initrd.img")
    (machine / "boot/refind_linux.conf").unlink()
    (machine / "boot/loader/loader.conf").write_text("")
    assert loader_now(Tree(str(machine))) == "systemd-boot"
    (machine / "boot/loader/loader.conf").unlink()
    (machine / "boot/refind_linux.conf").write_text("")
    assert loader_now(Tree(str(machine))) == "refind"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no step is made: what stands against it, and what would change that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import hosts, starts
from fakes.host_parts import part, why_not
from vitrail.model.boot import BootStack, InitramfsTool
from vitrail.model.reading import Unknown
from vitrail.model.text import text
from vitrail.plan.host_phase import HOST_PHASE


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"initramfs": InitramfsTool.BOOSTER}, "tool-booster"),
        ({"initramfs": None}, "tool-none"),
        ({"initramfs": hosts.UNREAD}, "tool-unknown"),
        ({"stack": None}, "no-owner"),
        ({"stack": hosts.UNREAD}, "no-owner"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_would_change_it(facts, why):
    assert why_not(part(starts.start("grub-debian"), **facts)) == why


@pytest.mark.parametrize(
    ("name", "path", "words", "why"),
    [
        ("kernel-install", "etc/kernel/cmdline", None, "form.no-file"),
        ("kernel-install", "etc/kernel/cmdline", "# nothing\n", "form.no-line"),
        ("grub-arch", "etc/default/grub", "# >>> Vitrail: do not edit\n", "form.marks"),
        ("grub-arch", "etc/default/grub", "A=\0\n", "form.no-text"),
        ("refind", "boot/refind_linux.conf", "no quotes\n", "form.no-line"),
        ("grub-arch", "etc/mkinitcpio.conf", "HOOKS=(base systemd block)\n", "hooks-systemd"),
        ("grub-arch", "etc/mkinitcpio.conf", "HOOKS=(udev block)\n", "hooks-systemd"),
        ("uki", "etc/kernel/cmdline", None, "unified-line"),
        ("grub-debian", "etc/vitrail/reserved-cards", "somebody's line\n", "table-edited"),
        ("grub-debian", "etc/default/grub.d/60-vitrail.cfg", "MINE=1\n", "own-edited"),
    ],
)
def test_a_file_that_does_not_take_the_change_stops_the_plan(name, path, words, why):
    assert why_not(part(starts.with_file(name, path, words))) == why


def test_a_file_that_was_not_read_is_never_planned_on():
    facts = starts.start("kernel-install")
    files = [file for file in facts["setup"].files if file.path != "etc/kernel/cmdline"]
    unread = replace(facts["setup"], files=(*files, replace(files[0], path="etc/kernel/cmdline", content=hosts.UNREAD)))
    (finding,) = part(facts | {"setup": unread}).findings
    assert (finding.title.id, finding.status) == ("plan.host.file-unread", "unknown")


def test_a_folder_that_was_not_listed_is_never_planned_on():
    facts = starts.start("grub-debian")
    hidden = replace(facts["setup"].files[0], path="etc/default/grub.d", content=hosts.UNREAD)
    found = part(facts | {"setup": replace(facts["setup"], files=(*facts["setup"].files, hidden))})
    assert why_not(found) == "file-unread"


def test_proxmox_through_grub_is_left_alone():
    assert why_not(part(starts.start("proxmox-boot-tool"), loader="grub")) == "proxmox-grub"


def test_an_image_based_system_cannot_carry_the_script():
    facts = starts.start("grub-bls") | {"stack": BootStack.RPM_OSTREE}
    assert why_not(part(facts)) == "image-sealed"


def test_nixos_gets_lines_to_paste_and_no_step():
    found = part(starts.start("grub-debian"), stack=BootStack.NIXOS)
    assert found.phases == ()
    (finding,) = found.findings
    assert finding.stops
    said = "\n".join(one.value for one in finding.evidence)
    assert "driver_override" in said
    assert "0000:01:00.0" in said


def test_a_line_that_a_trial_cannot_repeat_leaves_the_guard():
    found = part(starts.start("grub-debian"), cmdline='BOOT_IMAGE=/boot/vmlinuz-6.12.48-amd64 a="b c"')
    assert [phase.name for phase in found.phases] == [HOST_PHASE]
    assert found.guard is not None
    assert found.guard.reasons[0] == text("judge.trial.odd-word", word='a="b')


def test_a_function_without_an_identity_is_not_kept():
    bare = hosts.gpu(hosts.device("01:00.0", hosts.VGA, None, None, group=14), outputs=(hosts.output(),))
    assert why_not(part(starts.start("grub-debian"), bare)) == "card-unidentified"


def test_a_start_of_which_nothing_was_read_is_planned_nothing_on():
    unread = Unknown(text("tests.unread"))
    bare = type(starts.start("grub-debian")["setup"]).unread(unread)
    assert why_not(part(starts.start("grub-debian") | {"setup": bare})) == "file-unread"

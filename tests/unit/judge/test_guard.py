# SPDX-License-Identifier: GPL-3.0-or-later
"""Which restart comes back by itself: judged from facts, and from what could not be looked at never in favour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.hosts import UNREAD, amd_integrated, nvidia_card, output
from fakes.starts import DEBIAN, ENTRY, GRUB_CFG, GRUBENV, STARTS, on, start, started, with_file
from vitrail.judge.guard import judge_guard, trial_start
from vitrail.judge.trial_start import EntryStart, GrubStart
from vitrail.model.boot import Layer
from vitrail.model.machine import Host
from vitrail.model.plan import GuardStrength
from vitrail.model.trial import EntryFolder, GrubFolder, OneShot


def _host(facts: dict[str, object], **said: object) -> Host:
    cards = (amd_integrated(), nvidia_card(outputs=(output(),)))
    name = next(iter(STARTS))
    return started(name, *cards, **(facts | said))


def _said(facts: dict[str, object], **said: object) -> tuple[GuardStrength, list[str]]:
    guard = judge_guard(_host(facts, **said))
    assert (guard.one_shot is None) is (guard.strength is not GuardStrength.AUTOMATIC)
    return guard.strength, [reason.id.removeprefix("judge.") for reason in guard.reasons]


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("grub-debian", OneShot.GRUB),
        ("grub-arch", OneShot.GRUB),
        ("grub-suse", OneShot.GRUB2),
        ("grub-bls", OneShot.GRUB2),
        ("systemd-boot", OneShot.SYSTEMD_BOOT),
        ("kernel-install", OneShot.SYSTEMD_BOOT),
        ("kernelstub", OneShot.SYSTEMD_BOOT),
        ("sdboot-manage", OneShot.SYSTEMD_BOOT),
        ("sdbootutil", OneShot.SYSTEMD_BOOT),
    ],
)
def test_a_loader_that_forgets_a_trial_by_itself_is_automatic(name, means):
    guard = judge_guard(_host(start(name)))
    assert (guard.strength, guard.one_shot, guard.reasons) == (GuardStrength.AUTOMATIC, means, ())


@pytest.mark.parametrize("name", ["uki", "limine", "proxmox-boot-tool"])
def test_without_a_proven_one_shot_there_is_the_guard_alone(name):
    assert _said(start(name)) == (GuardStrength.GUARD_UNIT, ["trial.no-one-shot", "guard.no-old-entry"])


@pytest.mark.parametrize(
    ("file_system", "reason"),
    [
        (on("ext4", Layer.LVM), "trial.layer.lvm"),
        (on("ext4", Layer.RAID), "trial.layer.raid"),
        (on("ext4", Layer.CRYPT), "trial.layer.crypt"),
        (on("ext4", Layer.OTHER), "trial.layer.other"),
        (on("btrfs", inside="/@"), "trial.kind"),
        (on("zfs"), "trial.kind"),
        (replace(on(), layers=UNREAD), "trial.unread"),
        (replace(on(), uuid=UNREAD), "trial.unread"),
    ],
)
def test_grub_forgets_nothing_where_it_cannot_write(file_system, reason):
    assert _said(start("grub-debian", file_systems=(file_system,)))[1][0] == reason


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4", "vfat", "xfs"])
def test_grub_writes_into_plain_file_systems(kind):
    assert _said(start("grub-debian", file_systems=(on(kind),)))[0] is GuardStrength.AUTOMATIC


@pytest.mark.parametrize(
    ("path", "words", "reason"),
    [
        ("boot/grub/grub.cfg", GRUB_CFG.replace("custom.cfg", "other.cfg"), "trial.menu-without"),
        ("boot/grub/grub.cfg", GRUB_CFG.replace("save_env next_entry", ""), "trial.menu-without"),
        ("boot/grub/grub.cfg", f'{GRUB_CFG}set superusers="masked"\n', "trial.menu-password"),
        ("boot/grub/grub.cfg", None, "trial.no-file"),
        ("boot/grub/grubenv", GRUBENV[:-1], "trial.block-form"),
        ("boot/grub/grubenv", "#" * 1024, "trial.block-form"),
        ("boot/grub/grubenv", "# GRUB Environment Block\nenv_block=512+1\n".ljust(1024, "#"), "trial.block-form"),
        ("boot/grub2/grub.cfg", GRUB_CFG, "trial.two-grubs"),
    ],
)
def test_a_menu_that_does_not_play_along_has_no_trial(path, words, reason):
    assert _said(with_file("grub-debian", path, words))[1][0] == reason


def test_a_block_that_is_not_there_yet_is_made_by_the_tool():
    assert _said(with_file("grub-debian", "boot/grub/grubenv", None))[0] is GuardStrength.AUTOMATIC


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("timeout 3\n", "trial.no-default"),
        ("default @saved\n", "trial.default-saved"),
        ("default *\n", "trial.default-any"),
        ("default vitrail*\n", "trial.default-any"),
        (None, "trial.no-file"),
    ],
)
def test_a_default_that_could_become_the_trial_has_no_trial(words, reason):
    assert _said(with_file("systemd-boot", "boot/loader/loader.conf", words))[1][0] == reason


@pytest.mark.parametrize("name", ["grub-debian", "systemd-boot"])
@pytest.mark.parametrize(
    ("pending", "reason"),
    [("other", "trial.pending"), ("vitrail-0123456789abcdef", "trial.pending-ours"), (UNREAD, "trial.one-shot-unread")],
)
def test_a_start_that_is_set_already_is_not_overwritten(name, pending, reason):
    assert _said(start(name, one_shot=pending))[1][0] == reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"loader": UNREAD}, "trial.loader-unknown"),
        ({"stack": UNREAD}, "trial.loader-unknown"),
        ({"cmdline": UNREAD}, "trial.unread"),
        ({"kernel": UNREAD}, "trial.unread"),
        ({"kernel": "6.1.0-removed"}, "trial.kernel-gone"),
        ({"cmdline": 'BOOT_IMAGE=/boot/vmlinuz-6.12.48-amd64 dyndbg="file a.c +p"'}, "trial.odd-word"),
        ({"cmdline": "BOOT_IMAGE=/boot/vmlinuz-6.12.48-amd64 quiet -- splash"}, "trial.odd-word"),
        ({"cmdline": "ro quiet"}, "trial.kernel-untold"),
    ],
)
def test_what_cannot_be_repeated_exactly_is_not_tried(facts, reason):
    assert _said(start("grub-debian"), **facts)[1][0] == reason


def test_a_trial_needs_the_program_that_asks_for_it():
    facts = start("grub-debian")
    facts |= {"setup": replace(facts["setup"], programs=())}
    assert _said(facts)[1][0] == "trial.no-program"


@pytest.mark.parametrize(
    ("seconds", "strength", "reasons"),
    [
        (5, GuardStrength.BY_MENU, ["trial.no-one-shot"]),
        (None, GuardStrength.BY_MENU, ["trial.no-one-shot"]),
        (0, GuardStrength.GUARD_UNIT, ["trial.no-one-shot", "guard.menu-hidden"]),
        (UNREAD, GuardStrength.GUARD_UNIT, ["trial.no-one-shot", "guard.menu-unknown"]),
    ],
)
def test_a_former_start_that_stays_in_a_menu_on_the_screen_counts(seconds, strength, reasons):
    assert _said(start("refind", menu_seconds=seconds)) == (strength, reasons)


def test_one_entry_alone_is_no_former_one():
    path = "boot/loader/loader.conf"
    assert _said(with_file("systemd-boot", path, ""))[0] is GuardStrength.GUARD_UNIT
    facts = with_file("systemd-boot", "boot/loader/entries/lts.conf", ENTRY)
    files = tuple(file for file in facts["setup"].files if file.path != path)
    assert _said(facts | {"setup": replace(facts["setup"], files=files)})[0] is GuardStrength.BY_MENU


def test_grub_s_trial_repeats_the_running_start():
    line = f"{start('grub-debian')['cmdline']} vitrail.plan=0123456789abcdef systemd.wants=vitrail-guard.service"
    found = trial_start(_host(start("grub-debian"), cmdline=line))
    assert isinstance(found, GrubStart)
    assert found.start.kernel == "/boot/vmlinuz-6.12.48-amd64"
    assert found.start.initrds == ("/boot/initrd.img-6.12.48-amd64",)
    assert found.start.line == ("root=UUID=6f6c1f7e-0000-4000-8000-000000000001", "ro", "quiet")
    assert (found.folder, found.modules) == (GrubFolder.GRUB, ("part_gpt", "ext2"))
    assert (found.start.shown, found.start.system_image) == ("/boot/vitrail", "boot/initrd.img-6.12.48-amd64")


def test_paths_are_as_grub_sees_them_where_boot_is_apart():
    found = trial_start(_host(start("grub-bls")))
    assert isinstance(found, GrubStart)
    assert found.start.initrds == ("/initramfs-6.12.48-amd64.img",)
    assert found.start.system_image == "boot/initramfs-6.12.48-amd64.img"
    assert (found.start.shown, found.file_system) == ("/vitrail", "6f6c1f7e-0000-4000-8000-000000000002")


def test_an_entry_s_trial_repeats_its_kernel_and_all_of_its_images():
    found = trial_start(_host(start("kernelstub")))
    assert isinstance(found, EntryStart)
    assert (found.folder, found.entry) == (EntryFolder.BOOT_EFI, "Pop_OS-current")
    assert found.start.initrds == ("/ucode.img", "/initramfs-linux.img")
    assert (found.start.shown, found.start.system_image) == ("/vitrail", "boot/efi/initramfs-linux.img")


def test_an_image_that_the_menu_names_and_nobody_sees_has_no_trial():
    assert _said(start("grub-debian", images=()))[1][0] == "trial.no-file"


def test_a_menu_without_images_names_the_usual_one():
    without = "\n".join(line for line in DEBIAN["boot/grub/grub.cfg"].split("\n") if "initrd" not in line)
    found = trial_start(_host(with_file("grub-debian", "boot/grub/grub.cfg", without)))
    assert found.start.initrds == ("/boot/initrd.img-6.12.48-amd64",)

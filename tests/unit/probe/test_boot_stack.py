# SPDX-License-Identifier: GPL-3.0-or-later
"""What started this boot, on machines where more than one loader or owner is installed: told, or refused."""

from __future__ import annotations

from errno import EACCES

import pytest

from fakes.desktop import read, reason, value
from fakes.roots import BrokenRoot
from fakes.sysfs import GRUB_SIGNS, Tree
from vitrail.model.boot import Boot, BootStack
from vitrail.probe.efi_variables import loader_variable

GRUB_LINE = "BOOT_IMAGE=/boot/vmlinuz-6.12 root=UUID=x ro quiet"
STUB_LINE = "root=UUID=x rw quiet"
SYSTEMD_LINE = "initrd=\\initramfs-linux.img root=UUID=x rw"
SEVERAL_LOADERS, SEVERAL_STACKS = "probe.boot.several-loaders", "probe.boot.several-stacks"
MENU = f"{GRUB_SIGNS}menuentry 'Linux' {{\n\tlinux\t/boot/vmlinuz-6.12 root=UUID=x\n}}\n"


def started(folder, line: str, *files: str, **variables: str) -> Tree:
    """A machine with UEFI, started with this line, with these files and variables of the loader."""
    tree = Tree(folder).kernel("6.12", cmdline=line).uefi()
    for path in files:
        tree.file(path, {"boot/grub/grub.cfg": MENU}.get(path, ""))
    for name, words in variables.items():
        tree.file(loader_variable(name), b"\x06\0\0\0" + f"{words}\0".encode("utf-16-le"))
    return tree


def boot_of(tree: Tree) -> Boot:
    return read(tree).boot


def entry(tree: Tree, path: str, linux: str) -> Tree:
    return tree.file(f"{path}.conf", f"title Linux\nlinux {linux}\ninitrd /initrd\noptions root=UUID=x\n")


GRUB = ("boot/grub/grub.cfg", "etc/default/grub")
SYSTEMD_BOOT = ("boot/loader/loader.conf", "boot/loader/entries/arch.conf")

TOLD = {
    "grub beside the files of systemd-boot": (GRUB_LINE, (*GRUB, *SYSTEMD_BOOT), {}, "grub", BootStack.GRUB),
    "systemd-boot beside a stale menu of GRUB": (
        SYSTEMD_LINE,
        (*GRUB, *SYSTEMD_BOOT),
        {"LoaderInfo": "systemd-boot 257", "LoaderEntrySelected": "arch.conf"},
        "systemd-boot",
        BootStack.SYSTEMD_BOOT,
    ),
    "an entry was started though unified images are there": (
        SYSTEMD_LINE,
        (*SYSTEMD_BOOT, "boot/EFI/Linux/arch.efi"),
        {"LoaderInfo": "systemd-boot 257", "LoaderEntrySelected": "arch.conf"},
        "systemd-boot",
        BootStack.SYSTEMD_BOOT,
    ),
    "a unified image was started though entries are there": (
        STUB_LINE,
        (*SYSTEMD_BOOT, "boot/EFI/Linux/arch.efi"),
        {"LoaderInfo": "systemd-boot 257", "LoaderEntrySelected": "arch.efi"},
        "systemd-boot",
        BootStack.UKI,
    ),
    "the stub outranks a manager of entries that is installed": (
        STUB_LINE,
        (*SYSTEMD_BOOT, "etc/sdboot-manage.conf"),
        {"LoaderInfo": "systemd-boot 257", "StubInfo": "systemd-stub 257"},
        "systemd-boot",
        BootStack.UKI,
    ),
    "GRUB started a unified image": (
        STUB_LINE,
        GRUB,
        {"LoaderInfo": "GRUB 2.12", "StubInfo": "systemd-stub 257"},
        "grub",
        BootStack.UKI,
    ),
    "the firmware started a unified image": (
        STUB_LINE,
        GRUB,
        {"StubInfo": "systemd-stub 257"},
        "firmware",
        BootStack.UKI,
    ),
    "GRUB behind shim tells the firmware its name": (
        GRUB_LINE,
        GRUB,
        {"LoaderInfo": "GRUB 2.12"},
        "grub",
        BootStack.GRUB,
    ),
    "GRUB behind shim that tells nothing": (GRUB_LINE, GRUB, {}, "grub", BootStack.GRUB),
    "kernelstub is installed where GRUB starts": (
        GRUB_LINE,
        (*GRUB, "etc/kernelstub/configuration"),
        {},
        "grub",
        BootStack.GRUB,
    ),
    "kernelstub feeds systemd-boot": (
        SYSTEMD_LINE,
        ("boot/efi/loader/loader.conf", "etc/kernelstub/configuration"),
        {"LoaderInfo": "systemd-boot 255"},
        "systemd-boot",
        BootStack.KERNELSTUB,
    ),
    "an image-based system without a tool for its arguments": (
        GRUB_LINE,
        ("run/ostree-booted", *GRUB),
        {},
        "grub",
        None,
    ),
    "syslinux": ("BOOT_IMAGE=../vmlinuz-linux initrd=../initramfs-linux.img root=x", (), {}, "syslinux", None),
    "rEFInd": (
        STUB_LINE,
        ("boot/refind_linux.conf", *GRUB),
        {"LoaderInfo": "rEFInd 0.14.2"},
        "refind",
        BootStack.REFIND,
    ),
    "Limine": (
        STUB_LINE,
        ("etc/default/limine", *SYSTEMD_BOOT),
        {"LoaderInfo": "Limine 9.6"},
        "limine",
        BootStack.LIMINE,
    ),
}


@pytest.mark.parametrize("case", TOLD.values(), ids=TOLD)
def test_what_started_this_boot_is_told(tmp_path, case):
    line, files, variables, loader, stack = case
    boot = boot_of(started(tmp_path, line, *files, **variables))
    assert (value(boot.loader), value(boot.stack)) == (loader, stack)


REFUSED = {
    "systemd-boot started GRUB": (
        GRUB_LINE,
        (*GRUB, *SYSTEMD_BOOT),
        {"LoaderInfo": "systemd-boot 257", "LoaderEntrySelected": "grub.conf"},
        SEVERAL_LOADERS,
    ),
    "rEFInd started GRUB": (GRUB_LINE, GRUB, {"LoaderInfo": "rEFInd 0.14.2"}, SEVERAL_LOADERS),
    "GRUB started something else": (STUB_LINE, GRUB, {"LoaderInfo": "GRUB 2.12"}, SEVERAL_LOADERS),
    "GRUB or syslinux": ("BOOT_IMAGE=/vmlinuz initrd=/initrd.img root=x", GRUB, {}, SEVERAL_LOADERS),
    "the firmware started a kernel beside a stale menu": (STUB_LINE, GRUB, {}, "probe.boot.left-no-trace"),
    "the firmware started a kernel beside stale entries": (
        SYSTEMD_LINE,
        SYSTEMD_BOOT,
        {},
        "probe.boot.left-no-trace",
    ),
    "two loaders that left no trace": (STUB_LINE, (*GRUB, *SYSTEMD_BOOT), {}, SEVERAL_LOADERS),
    "images and entries, and the loader does not say which": (
        STUB_LINE,
        (*SYSTEMD_BOOT, "boot/EFI/Linux/arch.efi"),
        {"LoaderInfo": "systemd-boot 240"},
        SEVERAL_STACKS,
    ),
    "two that own the arguments": (
        SYSTEMD_LINE,
        ("etc/kernelstub/configuration", "etc/kernel/proxmox-boot-uuids"),
        {"LoaderInfo": "systemd-boot 257"},
        SEVERAL_STACKS,
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_told_apart_is_refused(tmp_path, case):
    line, files, variables, why = case
    assert reason(boot_of(started(tmp_path, line, *files, **variables)).stack) == why


def test_on_firmware_of_the_old_kind_the_command_line_tells(tmp_path):
    tree = Tree(tmp_path).kernel(cmdline=GRUB_LINE).folder_at("sys/firmware").file("boot/grub/grub.cfg", MENU)
    assert value(boot_of(tree).stack) is BootStack.GRUB


def test_where_the_firmware_cannot_be_asked_the_initramfs_tells(tmp_path):
    tree = Tree(tmp_path).kernel(cmdline=SYSTEMD_LINE)
    assert value(
        boot_of(entry(tree, "boot/loader/entries/arch", "/vmlinuz").file("boot/loader/loader.conf")).loader
    ) == ("systemd-boot")


def test_systemd_boot_and_refind_put_the_same_word_on_the_line(tmp_path):
    tree = Tree(tmp_path).kernel(cmdline=SYSTEMD_LINE).file("boot/loader/loader.conf").file("boot/refind_linux.conf")
    assert reason(boot_of(tree).loader) == SEVERAL_LOADERS


def systemd_boot(folder, selected: str | None = None, *files: str) -> Tree:
    said = {"LoaderEntrySelected": selected} if selected else {}
    return started(folder, STUB_LINE, *files, LoaderInfo="systemd-boot 257", **said)


KERNEL_INSTALL = "boot/loader/entries/0123456789abcdef0123456789abcdef-6.12"


def test_of_two_makers_the_one_counts_whose_entry_was_started(tmp_path):
    for selected, stack in (
        ("arch.conf", BootStack.SYSTEMD_BOOT),
        (f"{KERNEL_INSTALL[20:]}.conf", BootStack.KERNEL_INSTALL),
    ):
        tree = entry(systemd_boot(tmp_path / stack.value, selected), KERNEL_INSTALL, "/vmlinuz")
        assert value(boot_of(entry(tree, "boot/loader/entries/arch", "/vmlinuz")).stack) is stack


def test_of_two_makers_none_counts_where_the_loader_does_not_tell(tmp_path):
    tree = entry(entry(systemd_boot(tmp_path), KERNEL_INSTALL, "/vmlinuz"), "boot/loader/entries/arch", "/vmlinuz")
    assert reason(boot_of(tree).stack) == SEVERAL_STACKS


def test_kernel_install_is_known_by_the_kernels_folder_whatever_its_token(tmp_path):
    tree = entry(systemd_boot(tmp_path, "debian-6.12.conf"), "efi/loader/entries/debian-6.12", "/debian/6.12/linux")
    assert value(boot_of(tree).stack) is BootStack.KERNEL_INSTALL


def test_an_entry_of_kernel_install_is_not_sdboot_manages(tmp_path):
    tree = systemd_boot(tmp_path, f"{KERNEL_INSTALL[20:]}.conf", "etc/sdboot-manage.conf")
    assert reason(boot_of(entry(tree, KERNEL_INSTALL, "/vmlinuz")).stack) == SEVERAL_STACKS


def bls(folder, settings: str, menu: str | None) -> Tree:
    tree = started(folder, "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.12 root=x ro").file("etc/default/grub", settings)
    entry(tree, "boot/loader/entries/a", "/vmlinuz-6.12")
    return tree if menu is None else tree.file("boot/grub2/grub.cfg", menu)


@pytest.mark.parametrize(
    ("settings", "menu", "stack"),
    [
        ("GRUB_ENABLE_BLSCFG=true", "insmod blscfg\nblscfg\n", BootStack.GRUB_BLS),
        ("GRUB_ENABLE_BLSCFG=true", None, BootStack.GRUB_BLS),
        ("GRUB_ENABLE_BLSCFG=false", MENU, BootStack.GRUB),
        ("GRUB_ENABLE_BLSCFG=$(x)", "blscfg\n", BootStack.GRUB_BLS),
        ("GRUB_TIMEOUT=5", MENU, BootStack.GRUB),
        ("GRUB_TIMEOUT=5", "# no blscfg here\n", BootStack.GRUB),
    ],
)
def test_the_menu_says_whether_entries_are_started(tmp_path, settings, menu, stack):
    assert value(boot_of(bls(tmp_path, settings, menu)).stack) is stack


@pytest.mark.parametrize(
    ("settings", "menu"),
    [
        ("GRUB_ENABLE_BLSCFG=true", MENU),
        ("GRUB_ENABLE_BLSCFG=false", "blscfg\n"),
        ("if a; then\n  GRUB_ENABLE_BLSCFG=true\nfi", None),
    ],
)
def test_a_menu_that_is_not_what_the_settings_say_is_refused(tmp_path, settings, menu):
    assert reason(boot_of(bls(tmp_path, settings, menu)).stack) == SEVERAL_STACKS


def test_a_menu_of_roots_leaves_the_settings(tmp_path):
    tree = bls(tmp_path, "GRUB_ENABLE_BLSCFG=true", "blscfg\n")
    root = BrokenRoot(tree.folder, lambda path: path.startswith("boot/grub2"), EACCES)
    assert value(read(root).boot.stack) is BootStack.GRUB_BLS


def sdbootutil(folder, image: str) -> Tree:
    tree = started(folder, f"BOOT_IMAGE={image} root=x", *GRUB, "usr/bin/sdbootutil")
    return entry(tree, "boot/efi/loader/entries/opensuse-6.12-1", "/opensuse/6.12/linux-1")


def test_sdbootutil_owns_what_grub_took_from_its_entry(tmp_path):
    assert value(boot_of(sdbootutil(tmp_path, "(hd0,gpt1)/opensuse/6.12/linux-1")).stack) is BootStack.SDBOOTUTIL


def test_sdbootutil_is_installed_but_the_menu_started_this_boot(tmp_path):
    assert value(boot_of(sdbootutil(tmp_path, "/boot/vmlinuz-6.12")).stack) is BootStack.GRUB


def test_entries_of_roots_leave_it_open_whose_they_are(tmp_path):
    tree = sdbootutil(tmp_path, "/boot/vmlinuz-6.12")
    root = BrokenRoot(tree.folder, lambda path: path == "boot/efi/loader/entries", EACCES)
    assert reason(read(root).boot.stack) == "probe.forbidden"

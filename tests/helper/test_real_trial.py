# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial with Debian's own programs: initramfs-tools builds the system's image, GRUB's set and show the mark."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from helper.bench import (
    BOOT_ID,
    NEXT_BOOT_ID,
    PLAN_ID,
    STACKS,
    WORDS,
    apply_line,
    undo_line,
)
from helper.real_system import IMAGE, KERNEL, LINE, add_cards, add_kernel, make_system, real_plan
from helper.trial_bench import ENTRY, INITRD, keep_line, trial_words
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_place import GUARD_CORE

NEEDED = ("update-grub", "grub-reboot", "grub-script-check", "update-initramfs", "unmkinitramfs", "as", "zstd", "cpio")
pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(600),
    pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason="Debian's programs are not here"),
]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    made = make_system(tmp_path_factory.mktemp("real"))
    add_kernel(made)
    add_cards(made)
    made.run("chroot", ".", "update-grub")
    made.boot(BOOT_ID, *LINE)
    return made


def digests(system) -> dict[str, str]:
    """The system's own files of the start."""
    paths = (f"boot/vmlinuz-{KERNEL}", INITRD, "boot/grub/grub.cfg")
    return {path: hashlib.sha256(system.read(path)).hexdigest() for path in paths}


def test_a_trial_is_made_started_kept_and_taken_back(system):
    before = digests(system)
    system.ask(apply_line(real_plan(InitramfsTool.INITRAMFS_TOOLS, STACKS["grub"])))
    assert digests(system) == before
    # GRUB's own parser, and its own environment block.
    system.run("chroot", ".", "grub-script-check", "/boot/grub/custom.cfg")
    listed = system.run("chroot", ".", "grub-editenv", "/boot/grub/grubenv", "list")
    assert listed.decode() == f"next_entry={ENTRY}\n"
    check_image(system)

    system.boot(NEXT_BOOT_ID, *LINE, *trial_words())
    system.run("chroot", ".", "grub-editenv", "/boot/grub/grubenv", "unset", "next_entry")
    assert system.ask(keep_line())["kept"]
    assert "Vitrail" not in system.read("boot/grub/grub.cfg").decode()
    assert WORDS[1] in system.read("boot/grub/grub.cfg").decode()
    system.run(
        "sh", "-ec", "! ls boot/vitrail boot/grub/custom.cfg etc/systemd/system/vitrail-guard.service 2> dev/null"
    )
    assert system.run("sh", "-ec", f"! ls {GUARD_CORE} 2> dev/null") == b""
    built = system.run("chroot", ".", "lsinitramfs", f"/{INITRD}").decode().splitlines()
    assert {"etc/vitrail/reserved-cards", "scripts/init-top/00-vitrail"} <= set(built)

    (outcome,) = system.ask(undo_line(PLAN_ID))
    assert outcome["result"] == "taken_back"
    assert digests(system)["boot/grub/grub.cfg"] == before["boot/grub/grub.cfg"]
    assert "vitrail" not in system.run("chroot", ".", "lsinitramfs", f"/{INITRD}").decode()


def check_image(system) -> None:
    """The kernel's view of our image by cpio itself: the folders, the order, the modules as they are unpacked."""
    unpack = (
        'rm -rf tmp/un; mkdir tmp/un; zcat "$1" | (cd tmp/un && cpio -id --quiet); cd tmp/un; find . -type f | sort'
    )
    files = system.run("sh", "-ec", unpack, "sh", IMAGE).decode().split()
    names = ("10-vfio", "11-vfio_virqfd", "12-vfio_pci_core", "13-vfio_pci", "14-vfio_iommu_type1")
    assert files == [
        "./etc/vitrail/reserved-cards",
        "./scripts/init-top/00-vitrail",
        "./scripts/init-top/ORDER",
        *(f"./usr/lib/vitrail/{name}.ko" for name in names),
    ]
    theirs = system.run(
        "sh", "-ec", 'unmkinitramfs "$1" tmp/theirs; cat tmp/theirs/scripts/init-top/ORDER', "sh", INITRD
    )
    order = system.read("tmp/un/scripts/init-top/ORDER")
    assert order.endswith(theirs)
    assert order.startswith(b'/scripts/init-top/00-vitrail "$@"\n')
    assert b"/scripts/init-top/udev" in theirs
    for name in names:
        assert system.read(f"tmp/un/usr/lib/vitrail/{name}.ko").startswith(b"\x7fELF")
    listed = system.run("chroot", ".", "lsinitramfs", f"/{INITRD}").decode().split()
    assert any(name.endswith("bin/insmod") for name in listed)

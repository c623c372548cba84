# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program made is on the disk before the journal says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vitrail.helper import effects
from vitrail.helper.tree import Tree
from vitrail.model.host_step import Tool


@pytest.mark.parametrize(
    ("tool", "made"),
    [
        (Tool.UPDATE_GRUB, "boot/grub/grub.cfg"),
        (Tool.UPDATE_INITRAMFS, "boot/initrd.img-6.1.0"),
        (Tool.DRACUT, "boot/initramfs-6.1.0.img"),
        (Tool.KERNEL_INSTALL, "boot/efi/loader/entries/a.conf"),
    ],
)
def test_its_results_and_their_folders_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool, made):
    (tmp_path / made).parent.mkdir(parents=True)
    (tmp_path / made).write_bytes(b"x")
    (tmp_path / "lib/modules/6.1.0").mkdir(parents=True)
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    effects.settle(Tree(str(tmp_path)), tool)
    assert flushed == [(tmp_path / made).stat().st_ino, (tmp_path / made).parent.stat().st_ino]


def test_a_program_without_results_waits_for_nothing(tmp_path: Path):
    effects.settle(Tree(str(tmp_path)), Tool.UDEV_RULES)
    effects.settle(Tree(str(tmp_path)), Tool.UPDATE_GRUB)

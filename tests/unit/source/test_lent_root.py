# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the start that only root may read: lent, and then the same machine as root sees it."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import replace
from errno import EACCES, EFBIG, EIO

import pytest

from fakes.desktop import read, reason, value
from fakes.roots import BrokenRoot
from machines.build import place_of
from vitrail.source.lent_root import LentRoot, Loan
from vitrail.source.root import FolderRoot

LENT = {
    "boot/grub2/grubenv": Loan("text", "next_entry=x\n"),
    "boot/loader/entries/a.conf": Loan("text", "title A\n"),
    "boot/odd": Loan("base64", base64.b64encode(b"\xff\0").decode()),
    "boot/link": Loan("link", "grub2"),
    "boot/initramfs-6.12.img": Loan("exists", ""),
}


class ClosedRoot(BrokenRoot):
    """Nothing behind a closed folder can be looked at, not even whether it is there."""

    def resolve(self, path: str) -> str:
        self._fail(path)
        return super().resolve(path)


def forbidden(folder, *, lent: Mapping[str, Loan] = LENT, where: str = "boot", number: int = EACCES) -> LentRoot:
    return LentRoot(ClosedRoot(folder, lambda path: path.startswith(where), number), lambda: lent)


def test_what_this_user_may_read_is_read_as_ever(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/x").write_text("mine")
    root = LentRoot(FolderRoot(tmp_path), lambda: {"etc/x": Loan("text", "lent")})
    assert root.read("etc/x") == "mine"


def test_a_forbidden_file_is_lent(tmp_path):
    root = forbidden(tmp_path)
    assert root.read_bytes("boot/grub2/grubenv") == b"next_entry=x\n"
    assert root.read_bytes("boot/odd") == b"\xff\0"
    assert (root.link("boot/link"), root.resolve("boot/odd")) == ("grub2", "boot/odd")
    assert root.names("boot") == ("grub2", "initramfs-6.12.img", "link", "loader", "odd")


def test_what_root_does_not_see_either_is_not_there(tmp_path):
    root = forbidden(tmp_path)
    for call in (root.read_bytes, root.names, root.link, root.resolve):
        with pytest.raises(FileNotFoundError):
            call("boot/none")


def test_what_is_not_lent_stays_forbidden(tmp_path):
    root = forbidden(tmp_path, lent={})
    for call in (root.read_bytes, root.names, root.link, root.resolve):
        with pytest.raises(PermissionError):
            call("boot/grub2/grubenv")


def test_nothing_but_the_start_is_asked_for(tmp_path):
    def ask() -> Mapping[str, Loan]:
        raise AssertionError("asked")

    root = LentRoot(BrokenRoot(tmp_path, lambda _path: True, EACCES), ask)
    with pytest.raises(PermissionError):
        root.names("proc/1/fd")


def test_a_failing_disk_is_no_refusal(tmp_path):
    with pytest.raises(OSError, match=os.strerror(EIO)):
        forbidden(tmp_path, number=EIO).read_bytes("boot/grub2/grubenv")


def test_no_more_is_lent_than_is_read(tmp_path):
    with pytest.raises(OSError, match=os.strerror(EFBIG)):
        forbidden(tmp_path).read_bytes("boot/grub2/grubenv", 3)


def lent_of(folder) -> dict[str, Loan]:
    """Everything below /boot and the table of encrypted disks, as the helper tells it."""
    found = {}
    for path in [*(folder / "boot").rglob("*"), folder / "etc/crypttab"]:
        if path.is_file():
            found[str(path.relative_to(folder))] = Loan("text", path.read_text())
    return found


@pytest.mark.parametrize("name", ["fedora-sealed", "amd-desktop", "suse-snapshots"])
def test_with_everything_lent_the_start_is_as_root_sees_it(name):
    folder = place_of(name) / "root"
    mine = ClosedRoot(folder, lambda path: path.startswith(("boot", "etc/crypttab")), EACCES)
    alone = read(mine).boot.setup
    assert reason(alone.images) == "probe.forbidden"
    lent = read(LentRoot(mine, lambda: lent_of(folder))).boot
    whole = read(FolderRoot(folder)).boot
    assert (lent.stack, lent.loader) == (whole.stack, whole.loader)
    assert replace(lent.setup, files=()) == replace(whole.setup, files=())
    known = {file.path: value(file.content) for file in whole.setup.files}
    assert {file.path: value(file.content) for file in lent.setup.files} == known

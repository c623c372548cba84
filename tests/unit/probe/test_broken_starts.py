# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that are broken or made to mislead: whatever single path fails or lies, the look goes on and ends."""

from __future__ import annotations

from errno import EACCES, EIO, ENOENT

import pytest

from fakes.desktop import read, value
from fakes.roots import BrokenRoot, NotingRoot
from fakes.sysfs import Tree
from machines.build import place_of
from vitrail.model.machine import Host
from vitrail.model.reading import Known, Unknown

MACHINES = ("fedora-sealed", "cachyos-limine", "arch-uki", "suse-snapshots")
OF_A_START = ("boot", "efi", "etc", "proc/self", "sys/firmware", "sys/class/block", "sys/dev", "run/udev", "usr", "dev")


def asked(name: str) -> list[str]:
    root = NotingRoot(place_of(name) / "root")
    read(root)
    paths = root.read_paths | root.listed | root.links
    return sorted(path for path in paths if path.startswith(OF_A_START) or "/block/" in path)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("number", [EIO, EACCES, ENOENT])
def test_whatever_single_path_fails(name, number):
    for broken in asked(name):
        root = BrokenRoot(place_of(name) / "root", lambda path, broken=broken: path == broken, number)
        assert isinstance(read(root), Host), broken


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00=\n - \n\0\0", b"GRUB_TIMEOUT=9" * 999, b" - " * 99, b"\n" * 50]
)
def test_whatever_single_file_holds_garbage(name, content):
    for broken in asked(name):
        root = BrokenRoot(place_of(name) / "root", lambda path, broken=broken: path == broken, EIO, content)
        assert isinstance(read(root), Host), broken


def test_a_disk_that_fails_is_never_a_disk_that_is_plain():
    folder = place_of("fedora-sealed") / "root"
    setup = read(BrokenRoot(folder, lambda path: path.startswith("sys/class/block"), EIO)).boot.setup
    assert isinstance(setup.sealed_unlock, Unknown)
    assert isinstance(setup.asks_passphrase, Unknown)


def volumes(folder, *pairs: tuple[str, str]) -> Tree:
    """A root on dm-0; each pair is a volume and what it claims to lie on."""
    tree = Tree(folder).kernel().mounted("/", "253:0", "/dev/mapper/x")
    for name, below in pairs:
        place = f"sys/devices/virtual/block/{name}"
        tree.file(f"{place}/dm/uuid", "LVM-x").link(f"sys/class/block/{name}", place)
        tree.folder_at(f"sys/devices/virtual/block/{below}").link(f"{place}/slaves/{below}", place)
    return tree.link("sys/dev/block/253:0", "sys/devices/virtual/block/dm-0")


@pytest.mark.parametrize("pairs", [(("dm-0", "dm-0"),), (("dm-0", "dm-1"), ("dm-1", "dm-0"))])
def test_volumes_that_lie_on_each_other_end(tmp_path, pairs):
    (root,) = value(read(volumes(tmp_path, *pairs)).boot.setup.file_systems)
    assert isinstance(root.layers, Known)
    assert len(root.layers.value) <= 3


def test_a_name_that_climbs_out_leads_nowhere(tmp_path):
    tree = Tree(tmp_path).kernel().mounted("/", "0:31", "/dev/../../etc/shadow", kind="btrfs")
    (root,) = value(read(tree).boot.setup.file_systems)
    assert isinstance(root.uuid, Unknown)


def test_a_thousand_mounts_are_a_few(tmp_path):
    tree = Tree(tmp_path).kernel()
    lines = "".join(f"{n} 1 8:{n} / /mnt/{n} rw - ext4 /dev/sd{n} rw\n" for n in range(1000))
    assert value(read(tree.file("proc/self/mountinfo", lines)).boot.setup.file_systems) == ()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole look: its digest, that nothing makes it fail, that it reads only what is listed."""

from __future__ import annotations

import re
from dataclasses import replace
from errno import EACCES, EIO, ENODEV
from fnmatch import translate

import pytest

from fakes.desktop import CARD, desktop, read
from fakes.roots import BrokenRoot, NotingRoot
from fakes.sysfs import VGA, Tree
from vitrail.model import paths
from vitrail.model.machine import Host, MachineKind
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.probe import read_host
from vitrail.source.names import Names
from vitrail.source.root import FolderRoot


def test_the_same_machine_read_twice_has_one_digest(tmp_path):
    tree = desktop(tmp_path)
    first, second = read(tree), read(tree)
    assert first.digest == second.digest
    assert len(first.digest) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.process(999, "other", "/dev/dri/card0"),
        lambda tree: tree.file(f"{tree.place_of(CARD)}/power_state", "D3hot"),
        lambda tree: tree.file(f"{tree.place_of(CARD)}/current_link_speed", "2.5 GT/s PCIe"),
        lambda tree: tree.file("proc/sys/kernel/random/boot_id", "another"),
        lambda tree: tree.file("proc/modules", "usb_storage 1 0 - Live 0x0"),
    ],
)
def test_what_changes_by_itself_is_not_in_the_digest(tmp_path, change):
    before = read(desktop(tmp_path / "a"))
    after = read(change(desktop(tmp_path / "b")))
    assert before.digest == after.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.file("proc/cmdline", "other"),
        lambda tree: tree.pci("0000:09:00.0", VGA, 1, 1),
        lambda tree: tree.file("sys/class/drm/card0-DP-1/status", "disconnected"),
        lambda tree: tree.file(f"{tree.place_of(CARD)}/reset_method", "bus"),
        lambda tree: tree.file("proc/modules", "vfio_pci 1 0 - Live 0x0"),
        lambda tree: tree.file("etc/machine-id", "f" * 32),
    ],
)
def test_what_a_plan_rests_on_is_in_the_digest(tmp_path, change):
    before = read(desktop(tmp_path / "a"))
    after = read(change(desktop(tmp_path / "b")))
    assert before.digest != after.digest


def asked_paths(tree: Tree) -> list[str]:
    root = NotingRoot(tree.folder)
    read(root)
    return sorted(root.read_paths | root.listed | root.links)


@pytest.mark.parametrize("number", [EIO, EACCES, ENODEV])
def test_whatever_single_path_fails_the_look_goes_on(tmp_path, number):
    tree = desktop(tmp_path)
    for broken in asked_paths(tree):
        host = read(BrokenRoot(tree.folder, lambda path, broken=broken: path == broken, number))
        assert isinstance(host, Host), broken


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00garbage \xe2\x80\xae:=\n\n-1", b"9" * 5000, b"\n" * 50])
def test_whatever_single_file_holds_garbage_the_look_goes_on(tmp_path, content):
    tree = desktop(tmp_path)
    root = NotingRoot(tree.folder)
    read(root)
    for broken in sorted(root.read_paths):
        host = read(BrokenRoot(tree.folder, lambda path, broken=broken: path == broken, EIO, content))
        assert len(host.digest) == 64, broken


def test_everything_failing_at_once_is_all_unknown(tmp_path):
    host = read(BrokenRoot(desktop(tmp_path).folder, lambda _path: True, EIO))
    unknown = {
        name for name in ("devices", "gpus", "groups", "kernel", "cmdline") if isinstance(getattr(host, name), Unknown)
    }
    assert unknown == {"devices", "gpus", "groups", "kernel", "cmdline"}


def listed() -> list[re.Pattern[str]]:
    below = [f"*/{item.pattern}" for item in (*paths.BELOW_A_FUNCTION, *paths.BELOW_A_CLASS_LINK)]
    patterns = [item.pattern for item in (*paths.EVERYWHERE, *paths.PROCESSES)]
    return [re.compile(translate(pattern)) for pattern in patterns + below]


def test_only_listed_files_are_read(tmp_path):
    root = NotingRoot(desktop(tmp_path).folder)
    read(root)
    not_for_a_recording = re.compile(r"proc/\d+/(maps|stat)|proc/driver/nvidia/.*|.*/config")
    known = listed()
    stray = [
        path
        for path in root.read_paths
        if not any(pattern.match(path) for pattern in known) and not not_for_a_recording.fullmatch(path)
    ]
    assert stray == []


def test_this_machine_can_be_read():
    root = FolderRoot("/")
    vms = Unknown(text("test"))
    host = read_host(root, vms, kind=MachineKind.REAL, names=Names(root))
    again = read_host(root, vms, kind=MachineKind.REAL, names=Names(root))
    assert isinstance(host.kernel, Known)
    assert replace(host, read_at=0).digest == again.digest

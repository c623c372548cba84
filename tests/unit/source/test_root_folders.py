# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders and archives as roots: links stay inside, sizes are bounded."""

from __future__ import annotations

import os
from errno import EFBIG, EISDIR, ELOOP, ENOENT, EXDEV
from pathlib import Path

import pytest

from vitrail.source.root import MAX_FILE_BYTES, FolderRoot, MemoryRoot, Root


def folder_of(where: Path, files: dict[str, bytes], links: dict[str, str]) -> Root:
    for path, content in files.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_bytes(content)
    for path, target in links.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).symlink_to(target)
    return FolderRoot(where)


@pytest.fixture(params=["folder", "memory"])
def make(request, tmp_path):
    def made(files: dict[str, bytes], links: dict[str, str]) -> Root:
        return MemoryRoot(files, links) if request.param == "memory" else folder_of(tmp_path / "r", files, links)

    return made


def failing(root: Root, path: str) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is what is tested
        root.read(path)
    return caught.value.errno


def test_links_are_followed_inside(make):
    root = make({"sys/devices/a/uevent": b"X=1\n"}, {"sys/bus/a": "../devices/a", "abs": "/sys/bus"})
    assert root.read("sys/bus/a/uevent") == "X=1"
    assert root.read("abs/a/uevent") == "X=1"
    assert root.resolve("abs/a") == "sys/devices/a"
    assert root.link("sys/bus/a") == "../devices/a"
    assert root.names("abs/a") == ("uevent",)


def test_a_link_that_climbs_out_is_refused(make):
    root = make({"a/b": b""}, {"a/out": "../../../../etc/passwd", "a/dir": "../.."})
    assert failing(root, "a/out") == EXDEV
    assert failing(root, "a/dir/etc/passwd") == EXDEV


def test_an_absolute_link_starts_at_the_recordings_own_top(make):
    assert failing(make({"x": b""}, {"pw": "/etc/passwd"}), "pw") == ENOENT


def test_circles_of_links_end(make):
    root = make({"x": b""}, {"a": "b", "b": "a", "c": "c/d"})
    assert failing(root, "a") == ELOOP
    assert failing(root, "c") == ELOOP


def test_links_to_links_do_not_double_the_work(make):
    links = {f"l{number}": f"l{number + 1}/../l{number + 1}" for number in range(30)}
    root = make({"end/x": b""}, {**links, "l30": "end"})
    assert root.resolve("l0") == "end"


def test_a_file_that_is_too_large_is_refused(make):
    assert failing(make({"big": b"x" * (MAX_FILE_BYTES + 1)}, {}), "big") == EFBIG


def test_a_folder_is_no_file(make):
    assert failing(make({"a/b": b""}, {}), "a") == EISDIR


def test_a_link_read_at_the_end_of_the_path_is_followed(make):
    assert make({"a": b"1"}, {"b": "a"}).read("b") == "1"


def test_what_is_no_plain_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert failing(FolderRoot(tmp_path), "pipe") == EISDIR


def test_the_machine_itself_is_read_through_the_kernel():
    root = FolderRoot("/")
    assert root.live
    assert root.read("proc/self/comm")
    assert root.resolve("proc/self") == f"proc/{os.getpid()}"

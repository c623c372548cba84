# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of QEMUs for the load of their cards: only that, of nobody else, in pages."""

from __future__ import annotations

import pytest

from helper.bench import ask, line
from vitrail.helper import watch as watching
from vitrail.helper.tree import Tree
from vitrail.helper.watch import watch

CARD = "/dev/dri/renderD128"
COUNTED = "pos:\t0\ndrm-driver:\ti915\ndrm-engine-render:\t{} ns\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "proc").mkdir()
    return tmp_path


def process(tree, pid, exe="/usr/bin/qemu-system-x86_64", files=(CARD,), text=COUNTED):
    """A process with these open files."""
    folder = tree / "proc" / str(pid)
    for name in ("fd", "fdinfo"):
        (folder / name).mkdir(parents=True)
    (folder / "exe").symlink_to(exe)
    for number, target in enumerate(files):
        (folder / "fd" / str(number)).symlink_to(target)
        (folder / "fdinfo" / str(number)).write_text(text.format(pid * 100 + number))


def paths(tree, after=None):
    return [entry["path"] for entry in watch(Tree(str(tree)), after)["entries"]]


def test_the_kernel_s_text_comes_as_it_is(tree):
    process(tree, 7)
    (answer,) = ask(tree, line("watch", after=None))
    assert answer["result"] == {"entries": [{"path": "proc/7/fdinfo/0", "text": COUNTED.format(700)}], "next": None}


@pytest.mark.parametrize(
    "exe",
    [
        "/usr/bin/qemu-system-aarch64",
        "/usr/libexec/qemu-kvm",
        "/nix/store/x/bin/qemu-system-x86_64",
        "/usr/bin/qemu-system-x86_64 (deleted)",
    ],
)
def test_it_is_known_by_the_program_that_it_runs(tree, exe):
    process(tree, 7, exe)
    assert paths(tree) == ["proc/7/fdinfo/0"]


@pytest.mark.parametrize("exe", ["/usr/bin/firefox", "/usr/bin/qemu-img", "/qemu-system-x86_64/sh", "/x/qemu-system-"])
def test_nobody_else_is_looked_at(tree, exe):
    process(tree, 7, exe)
    assert paths(tree) == []


@pytest.mark.parametrize("file", [CARD, "/dri/card0", "/dev/accel/accel0", f"{CARD} (deleted)"])
def test_a_card_is_known_in_any_namespace(tree, file):
    process(tree, 7, files=(file,))
    assert paths(tree) == ["proc/7/fdinfo/0"]


@pytest.mark.parametrize("file", ["/dev/vfio/12", "socket:[1]", "/home/me/dri", "/secret/disk.qcow2"])
def test_no_other_file_is_read(tree, file):
    process(tree, 7, files=(file,))
    assert paths(tree) == []


def test_a_file_that_the_kernel_does_not_count_is_left_out(tree):
    process(tree, 7, text="pos:\t0\nflags:\t02\n")
    assert paths(tree) == []


def test_a_process_that_ends_meanwhile_is_left_out(tree):
    process(tree, 7)
    process(tree, 8)
    (tree / "proc/7/fdinfo/0").unlink()
    (tree / "proc/9").mkdir()
    assert paths(tree) == ["proc/8/fdinfo/0"]


def test_a_link_in_the_place_of_the_counts_is_not_followed_out(tree, tmp_path_factory):
    secret = tmp_path_factory.mktemp("outside") / "secret"
    secret.write_text("drm-driver: me")
    process(tree, 7)
    (tree / "proc/7/fdinfo/0").unlink()
    (tree / "proc/7/fdinfo/0").symlink_to(secret)
    assert paths(tree) == []


def test_a_text_that_does_not_end_is_cut(tree):
    process(tree, 7, text=COUNTED + "x" * 1_000_000)
    (entry,) = watch(Tree(str(tree)), None)["entries"]
    assert len(entry["text"]) == 16 * 1024


def test_a_name_that_a_program_gave_itself_is_text(tree):
    process(tree, 7)
    (tree / "proc/7/fdinfo/0").write_bytes(b"drm-driver:\tx\ndrm-client-name:\t\xff\xfe\n")
    (entry,) = watch(Tree(str(tree)), None)["entries"]
    assert entry["text"].endswith("\ufffd\ufffd\n")


@pytest.mark.parametrize("limit", ["_PAGE_BYTES", "_LOOKED"])
def test_pages_hold_everything_once_and_in_order(tree, monkeypatch, limit):
    for pid in (7, 30, 100):
        process(tree, pid, files=(CARD, "/dev/null") * 6)
    monkeypatch.setattr(watching, limit, 5)
    found: list[str] = []
    pages, after = 0, None
    while not pages or after is not None:
        answer = watch(Tree(str(tree)), after)
        found += [entry["path"] for entry in answer["entries"]]
        pages, after = pages + 1, answer["next"]
    assert pages > 3
    assert found == [f"proc/{pid}/fdinfo/{number}" for pid in (7, 30, 100) for number in range(0, 12, 2)]

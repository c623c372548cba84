# SPDX-License-Identifier: GPL-3.0-or-later
"""A write that never returns does not take the helper with it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from vitrail.helper.late_write import Written, write_late
from vitrail.helper.tree import Tree


def test_a_write_is_done_through_links_inside_the_root(tmp_path):
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/unbind").write_text("")
    (tmp_path / "link").symlink_to("/devices")
    assert write_late(Tree(str(tmp_path)), "link/unbind", "0000:01:00.0", 5) is Written.DONE
    assert (tmp_path / "devices/unbind").read_text() == "0000:01:00.0"


def test_a_write_that_the_kernel_refuses_is_told(tmp_path):
    (tmp_path / "unbind").mkdir()
    assert write_late(Tree(str(tmp_path)), "unbind", "x", 5) is Written.REFUSED


def test_a_write_that_hangs_is_left_at_its_deadline(tmp_path):
    os.mkfifo(tmp_path / "unbind")
    began = time.monotonic()
    assert write_late(Tree(str(tmp_path)), "unbind", "x", 0.2) is Written.STUCK
    assert time.monotonic() - began < 2


def test_what_a_killed_helper_has_not_begun_never_begins(tmp_path):
    os.mkfifo(tmp_path / "unbind")
    helper = os.fork()
    if helper == 0:
        write_late(Tree(str(tmp_path)), "unbind", "x", 60)
        os._exit(0)
    children = Path(f"/proc/{helper}/task/{helper}/children")
    deadline = time.monotonic() + 20
    while not children.read_text().split() and time.monotonic() < deadline:
        os.sched_yield()
    child = Path("/proc", children.read_text().split()[0])
    os.kill(helper, signal.SIGKILL)
    os.waitpid(helper, 0)
    while is_alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not is_alive(child)


def is_alive(process):
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False

# SPDX-License-Identifier: GPL-3.0-or-later
"""A write that never returns does not take the helper with it."""

from __future__ import annotations

import os
import time

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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Kept moments: there again after a restart, bounded, removable, and nothing else is taken for one."""

from __future__ import annotations

import stat

import pytest

from vitrail.model.errors import Unreachable
from vitrail.model.stutter import CardInstant, Instant, Stutter, VmInstant
from vitrail.service.state import StateFolder
from vitrail.service.stutters import MOST, Stutters

VM = VmInstant("vm:u:-", "a\u202evm\udc80", "RTX", 12.5, of_card=True, vcpu_wait=None, disk_wait=3.0)


def stutter(number: int) -> Stutter:
    instants = (Instant(float(number), (VM,), (CardInstant("card", "RTX", None, ("heat",)),)),)
    return Stutter(str(number), float(number), instants)


@pytest.fixture
def stutters(tmp_path):
    return Stutters(StateFolder(tmp_path / "state"))


def test_nothing_is_kept_at_first_and_nothing_is_made(stutters, tmp_path):
    assert stutters.all() == ()
    assert not (tmp_path / "state").exists()


def test_a_moment_comes_back_as_it_was_newest_first(stutters, tmp_path):
    for number in (9, 100):
        stutters.keep(stutter(number))
    assert Stutters(StateFolder(tmp_path / "state")).all() == (stutter(100), stutter(9))
    file = tmp_path / "state" / "stutters" / "9.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_oldest_goes_past_the_bound(stutters):
    for number in range(MOST + 3):
        stutters.keep(stutter(number))
    assert [one.id for one in stutters.all()] == [str(number) for number in range(MOST + 2, 2, -1)]


def test_a_moment_can_be_removed_twice(stutters):
    stutters.keep(stutter(1))
    stutters.remove("1")
    stutters.remove("1")
    assert stutters.all() == ()


def test_only_a_moment_can_be_removed(stutters, tmp_path):
    stutters.keep(stutter(1))
    other = tmp_path / "state" / "precious.json"
    other.write_text("{}")
    stutters.remove("../precious")
    assert other.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"id": 7}', b"[" * 100_000, b" " * 2_000_000])
def test_a_broken_file_is_left_out(stutters, tmp_path, content):
    stutters.keep(stutter(1))
    (tmp_path / "state" / "stutters" / "5.json").write_bytes(content)
    assert stutters.all() == (stutter(1),)


def test_a_renamed_file_is_no_moment(stutters, tmp_path):
    stutters.keep(stutter(1))
    (tmp_path / "state" / "stutters" / "1.json").rename(tmp_path / "state" / "stutters" / "2.json")
    assert stutters.all() == ()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Unreachable):
        Stutters(StateFolder(tmp_path / "state")).keep(stutter(1))

# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the last starts took, out of what the journal says of them."""

from __future__ import annotations

import json

import pytest

from fakes.desktop import desktop
from machines.build import place_of
from vitrail.model.boots import LastBoot, slowest_seconds
from vitrail.model.errors import Unreadable
from vitrail.model.reading import Known, Unknown
from vitrail.service.last_boots import last_boots, parse_boots
from vitrail.service.places import open_place
from vitrail.source.recording import open_recording
from vitrail.source.root import FolderRoot
from vitrail.source.saving import plan_recording, save_recording

FIRST, SECOND = "a" * 32, "b" * 32
PARTS = "7.1s (firmware) + 2.3s (loader) + 3.6s (kernel) + 30s (userspace)"


def done(boot: str, seconds: str, logged: int) -> str:
    entry = {"_BOOT_ID": boot, "MESSAGE": f"Startup finished in {PARTS} = {seconds}.", "PRIORITY": "6"}
    return json.dumps({**entry, "__REALTIME_TIMESTAMP": str(logged * 1_000_000)})


def listed(*boots: tuple[str, int]) -> str:
    return json.dumps(
        [{"index": 0, "boot_id": boot, "first_entry": 1, "last_entry": last * 10**6} for boot, last in boots]
    )


def test_starts_are_told_newest_first_with_their_ends():
    lines = "\n".join((done(FIRST, "43.0s", 1043), done(SECOND, "1min 2.5s", 5062), ""))
    assert parse_boots(lines, listed((FIRST, 4000), (SECOND, 9000))) == (
        LastBoot(5000.0, None, 62),
        LastBoot(1000.0, 4000.0, 43),
    )


@pytest.mark.parametrize("words", ["", "-1 abc Mon 2026-01-01 10:00 CET-Mon\n", "{}", '[{"boot_id": 7}]', "[1]"])
def test_an_older_list_of_boots_leaves_the_ends_open(words):
    (boot,) = parse_boots(done(FIRST, "43s", 1043), words)
    assert (boot.ended_at, boot.seconds_to_login) == (None, 43)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"MESSAGE": [83, 116], "_BOOT_ID": "a", "__REALTIME_TIMESTAMP": "1"}',
        '{"MESSAGE": "Startup finished in 3s.", "_BOOT_ID": "a", "__REALTIME_TIMESTAMP": "1"}',
        '{"MESSAGE": "Startup finished in 1s (kernel) = 3s.", "_BOOT_ID": null, "__REALTIME_TIMESTAMP": "1"}',
        '{"MESSAGE": "Startup finished in 1s (kernel) = 3s.", "_BOOT_ID": "a", "__REALTIME_TIMESTAMP": "soon"}',
    ],
)
def test_a_line_that_says_something_else_is_no_start(line):
    assert parse_boots(line, "") == ()


def test_the_slowest_of_the_last_five_counts():
    boots = [LastBoot(None, None, seconds) for seconds in (30, None, 42, 33, 31, 30, 900)]
    assert slowest_seconds(boots) == 42
    assert slowest_seconds([LastBoot(None, None, None)]) is None


def test_this_computer_is_asked_whatever_it_answers():
    assert isinstance(last_boots(), Known | Unknown)


def test_a_recording_tells_how_long_starts_took_and_not_when(tmp_path):
    boots = (LastBoot(1e9, None, 41), LastBoot(9e8, 9.5e8, None), LastBoot(8e8, 8.5e8, 38))
    save_recording(plan_recording(FolderRoot(desktop(tmp_path / "m").folder), boots=boots), tmp_path / "m.tar.xz")
    recording = open_recording(tmp_path / "m.tar.xz")
    assert recording.boots == (LastBoot(None, None, 41), LastBoot(None, None, 38))


@pytest.mark.parametrize("words", ["[]", "{", '{"seconds_to_login": ["soon"]}', '{"seconds_to_login": 7}', "null"])
def test_a_recording_that_says_anything_else_is_refused(tmp_path, words):
    (tmp_path / "machine.toml").write_text("format = 1\n")
    (tmp_path / "boots.json").write_text(words)
    with pytest.raises(Unreadable):
        open_recording(tmp_path)


def test_the_demo_machine_has_a_time_of_its_own(tmp_path):
    place = open_place("demo", None, state_folder=tmp_path)
    assert place.start_seconds() == Known(41, "boots.json")
    assert isinstance(open_place(str(place_of("nixos")), None, state_folder=tmp_path).start_seconds(), Unknown)

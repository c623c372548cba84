# SPDX-License-Identifier: GPL-3.0-or-later
"""The load's past: fine and condensed, on disk and back, bounded, and what a power cut leaves of it."""

from __future__ import annotations

import os
import stat

import pytest

from fakes.hosts import at
from vitrail.load.history import CONDENSED_S, FINE_S, History, card_key, vm_key
from vitrail.load.segments import Row, Segments
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, LoadPoint, Sample, VmSample
from vitrail.model.text import text

CARD = at("03:00.0")
KEY = card_key(CARD)
NOON = 1_763_640_000.0
NOT = Unknown(text("tests.unread"))


def sample(when: float, load: float | None, memory: int | None = 100) -> Sample:
    percent = NOT if load is None else Known(load, "test")
    mib = NOT if memory is None else Known(memory, "test")
    card = CardSample(CARD, percent, mib, mib)
    vm = VmSample("u", "vm", CARD, None, percent, None, mib)
    return Sample(when, Known((card,), "test"), Known((vm, VmSample("w", "without a card")), "test"))


def filled(folder, start: float, ticks: int, load=lambda tick: float(tick % 100)) -> History:
    history = History(folder, start)
    for tick in range(ticks):
        history.add(sample(start + tick, load(tick)))
    return history


def test_a_quarter_of_an_hour_is_kept_tick_by_tick():
    history = filled(None, NOON, FINE_S + 600)
    points = history.fine(KEY)
    assert len(points) == FINE_S
    assert points[-1] == LoadPoint(NOON + FINE_S + 599, 99.0, 99.0, 100)
    assert history.keys() == (KEY, vm_key("u", CARD))


def test_a_minute_becomes_its_mean_its_highest_and_its_last_memory():
    history = filled(None, NOON, 61, load=lambda tick: 60.0 if tick < 30 else 20.0)
    assert history.condensed(KEY) == (LoadPoint(NOON, 40.0, 60.0, 100),)


def test_what_was_not_known_stays_a_gap():
    history = History(None, NOON)
    history.add(sample(NOON, None, None))
    history.add(sample(NOON + 1, None, 50))
    assert history.fine(KEY) == (LoadPoint(NOON, None, None, None), LoadPoint(NOON + 1, None, None, 50))


def test_it_is_there_again_after_a_restart(tmp_path):
    folder = tmp_path / "load"
    history = filled(folder, NOON, 200, load=lambda tick: float(tick % 4))
    history.close()
    again = History(folder, NOON + 200)
    assert again.fine(KEY) == history.fine(KEY)
    assert again.condensed(KEY) == history.condensed(KEY)
    assert len(again.condensed(KEY)) == 3
    again.close()


def test_what_is_too_old_is_not_read_again(tmp_path):
    folder = tmp_path / "load"
    filled(folder, NOON, 200).close()
    later = History(folder, NOON + FINE_S + 100)
    assert len(later.fine(KEY)) == 99
    assert len(later.condensed(KEY)) == 3
    later.close()
    assert History(folder, NOON + CONDENSED_S + 86400).condensed(KEY) == ()


@pytest.mark.parametrize(
    "end",
    [
        b'{"t":1763640050,"v":{"card:0000:03:00.0":[4',
        b"\x00\x00\x00\x00",
        b'{"t":"x","v":{}}\n',
        b'{"t":1763640050,"v":{"card:0000:03:00.0":[-1,true]}}\n',
        b'{"t":1763640050,"v":[1,2]}\n',
        b"[" * 100_000 + b"\n",
        b'{"t":NaN,"v":{}}\n',
        b"[]\n",
    ],
)
def test_a_torn_or_foreign_line_is_passed_over_and_written_behind(tmp_path, end):
    folder = tmp_path / "load"
    filled(folder, NOON, 50).close()
    (file,) = folder.glob("fine-*.jsonl")
    with file.open("ab") as stream:
        stream.write(end)
    history = History(folder, NOON + 51)
    assert len(history.fine(KEY)) == 50
    history.add(sample(NOON + 52, 7.0))
    history.close()
    assert History(folder, NOON + 53).fine(KEY)[-1].load_percent == 7.0


def test_only_one_process_writes(tmp_path):
    folder = tmp_path / "load"
    first = History(folder, NOON)
    second = History(folder, NOON)
    assert isinstance(first.kept, Known)
    assert isinstance(second.kept, Unknown)
    second.add(sample(NOON, 1.0))
    second.close()
    assert not list(folder.glob("*.jsonl"))
    first.close()
    assert isinstance(History(folder, NOON).kept, Known)


def test_a_folder_that_cannot_be_made_costs_only_the_past(tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    history = filled(tmp_path / "file", NOON, 30)
    assert isinstance(history.kept, Unknown)
    assert len(history.fine(KEY)) == 30


def test_a_disk_that_fails_later_is_given_up_and_said(tmp_path):
    folder = tmp_path / "load"
    history = filled(folder, NOON, 5)
    for start in (NOON, NOON + 300):
        (folder / f"fine-{int(start) // 300 * 300}.jsonl").mkdir()
    for tick in range(30):
        history.add(sample(NOON + 10 + tick, 1.0))
    assert isinstance(history.kept, Unknown)
    assert len(history.fine(KEY)) == 35


def test_nobody_else_may_read_it(tmp_path):
    folder = tmp_path / "load"
    filled(folder, NOON, 70).close()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_files_have_a_bound_in_time_and_size(tmp_path):
    rows = Segments(tmp_path, "fine", span_s=300, keep_s=900, most_bytes=20_000)
    for tick in range(3000):
        rows.append([Row(NOON + tick, {KEY: (50.0, 100.0)})])
    files = sorted(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) < 20_000 + 300 * 80
    assert len(files) <= 900 // 300 + 2
    assert [row.at for row in rows.rows(NOON + 3000)][-1] == NOON + 2999


def test_writing_is_rare(tmp_path, monkeypatch):
    history = History(tmp_path / "load", NOON)
    opened = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda *words: opened.append(words) or really(*words))
    for tick in range(100):
        history.add(sample(NOON + 3600 + tick, 1.0))
    assert len(opened) <= 100 / 10 + 4
    monkeypatch.undo()
    history.close()

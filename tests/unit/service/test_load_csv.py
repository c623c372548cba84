# SPDX-License-Identifier: GPL-3.0-or-later
"""Load for other programs: unknown is empty, names are words and never formulas, the file is whole or untouched."""

from __future__ import annotations

import csv
import io

import pytest

from vitrail.model.errors import Unreachable
from vitrail.service.load_csv import CsvCurve, csv_of, write_csv

AT = 1_763_640_000.0


def curve(name: str = "vm", *points: tuple[float, float | None, float | None, float | None]) -> CsvCurve:
    return CsvCurve("vm", name, "5d1f", "card", points or ((AT, 12.34, 12.34, 400.0),))


def rows(*curves: CsvCurve) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(curves))))


def test_a_point_is_a_row_with_time_and_what_it_is_of():
    head, row = rows(curve())
    assert dict(zip(head, row, strict=True)) == {
        "time_utc": "2025-11-20T12:00:00.000+00:00",
        "kind": "vm",
        "name": "vm",
        "id": "5d1f",
        "load_percent": "12.3",
        "load_highest_percent": "12.3",
        "of": "card",
        "memory_mib": "400.0",
    }


def test_what_was_not_known_is_empty_and_not_zero():
    _, row = rows(curve("vm", (AT, None, None, None)))
    assert row[4:] == ["", "", "card", ""]


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "\n=x", "  =cmd|' /C calc'!A0"])
def test_a_name_like_a_formula_is_words(name):
    _, row = rows(curve(name))
    assert row[2] == f"'{name}"


@pytest.mark.parametrize("name", ['a "quoted", one', "a\u202eb", "plain"])
def test_any_other_name_comes_through(name):
    assert rows(curve(name))[1][2] == name


def test_a_lone_surrogate_does_not_stop_the_file(tmp_path):
    assert write_csv(tmp_path / "out.csv", [curve("\udc80")]).read_bytes().count(b"\r\n") == 2


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unreachable):
        write_csv(tmp_path / "folder", [curve()])
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
    with pytest.raises(Unreachable):
        write_csv(tmp_path / "missing" / "out.csv", [curve()])

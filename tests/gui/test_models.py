# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables' models, under Qt's own tester, and that a new look touches only what differs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex

from gui.places import facts_of
from gui.scenes import full
from vitrail.qt.pages.groups import GroupsModel, group_rows
from vitrail.qt.rows import KEY_ROLE, Cell, Row, RowsModel, SearchedRows

pytestmark = pytest.mark.usefixtures("qapp")


def rows(**words: str) -> tuple[Row, ...]:
    return tuple(Row(key, (Cell(key), Cell(value))) for key, value in words.items())


def keys(model: QAbstractItemModel) -> list[str]:
    return [model.index(row, 0).data(KEY_ROLE) for row in range(model.rowCount())]


def test_rows_pass_qts_tester_through_every_change(qtmodeltester) -> None:
    model = RowsModel(("a", "b"))
    qtmodeltester.check(model)
    for shown in (rows(a="1", b="2", c="3"), rows(b="2", d="4", c="5"), rows(c="5", b="2"), ()):
        model.show(shown)
        assert keys(model) == [row.key for row in shown]


def test_a_change_touches_only_its_row() -> None:
    model, changed, resets = RowsModel(("a", "b")), [], []
    model.show(rows(a="1", b="2", c="3"))
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    model.modelReset.connect(lambda: resets.append(1))
    model.show(rows(a="1", b="new", c="3"))
    assert changed == [(1, 1)]
    assert not resets


def test_one_more_row_moves_no_other() -> None:
    model, inserted, changed = RowsModel(("a", "b")), [], []
    model.show(rows(a="1", c="3"))
    model.rowsInserted.connect(lambda _, first, last: inserted.append((first, last)))
    model.dataChanged.connect(lambda *_: changed.append(1))
    model.show(rows(a="1", b="2", c="3"))
    assert inserted == [(1, 1)]
    assert not changed


def test_searching_needs_every_word_in_any_column() -> None:
    model = RowsModel(("a", "b"))
    found = SearchedRows(model)
    model.show(rows(alpha="one two", beta="two three"))
    found.search("TWO beta")
    assert keys(found) == ["beta"]
    found.search("")
    assert keys(found) == ["alpha", "beta"]


def test_groups_pass_qts_tester_and_hold_every_device(qtmodeltester, english) -> None:
    facts = facts_of(full())
    model = GroupsModel(("a", "b", "c", "d"))
    model.show(group_rows(facts, english.say))
    qtmodeltester.check(model)
    devices = sum(model.rowCount(model.index(row, 0, QModelIndex())) for row in range(model.rowCount()))
    assert devices == len(facts.host.devices.value)

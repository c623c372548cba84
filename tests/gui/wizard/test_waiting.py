# SPDX-License-Identifier: GPL-3.0-or-later
"""A place that does not answer: the window is alive, says what it waits for, and can be left."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from fakes.hosts import host, vm
from gui.places import ModelPlace
from vitrail.model.errors import Unreachable
from vitrail.model.text import text
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.state.trouble import Kind
from vitrail.qt.wizard.window import Wizard


@pytest.fixture
def place(tmp_path, monkeypatch, runner):
    del runner  # Ended after this place: its threads wait for the gate.
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    made = ModelPlace(host(vms=(vm("one"),)))
    yield made
    made.gate.set()


@pytest.fixture
def wizard(qtbot, place, runner, english):
    def opened():
        made = Wizard(place, runner, english)
        qtbot.addWidget(made)
        made.show()
        return made

    return opened


def test_a_slow_place_is_said_and_can_be_left(wizard, place, qtbot):
    place.gate.clear()
    opened = wizard()
    qtbot.waitUntil(opened.busy.isVisible)
    with qtbot.waitSignal(opened.finished_with) as told:
        qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert told.args == [None]


def test_an_answer_that_comes_after_the_window_is_gone_is_dropped(wizard, place, qtbot):
    place.gate.clear()
    opened = wizard()
    opened.close()
    place.gate.set()
    qtbot.waitUntil(lambda: place.reads == 1)
    assert not opened.isVisible()


def test_a_place_that_does_not_answer_is_a_page_and_can_be_asked_again(wizard, place, qtbot):
    place.fails = Unreachable(text("tests.down"), text("tests.start-it"))
    opened = wizard()
    qtbot.waitUntil(lambda: opened.story.trouble is not None)
    assert opened.story.trouble.kind is Kind.UNREACHABLE
    assert Act.CHOOSE_AGAIN not in opened.buttons
    place.fails = None
    opened.buttons[Act.RETRY].click()
    qtbot.waitUntil(lambda: not opened.waiting)
    assert opened.story.page is Page.VM
    assert opened.story.trouble is None

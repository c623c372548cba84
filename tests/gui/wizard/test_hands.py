# SPDX-License-Identifier: GPL-3.0-or-later
"""How it feels: the keyboard, the draft that stays, sizes, what a screen reader is told."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from fakes.wizard_hands import uuid_of
from vitrail.model.mode import Mode
from vitrail.qt.wizard.header import StepMark
from vitrail.qt.wizard.modes_view import ModesView
from vitrail.qt.wizard.rows import ClosedRow
from vitrail.qt.wizard.shots import steps
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.steps import Page


def test_a_draft_survives_the_window_and_is_offered_again(open_wizard, workplace):
    uuid = uuid_of(workplace, "windows-11")
    first = open_wizard()
    first.to_modes(uuid, "games", "own-monitor")
    first.press(Act.CLOSE)
    second = open_wizard()
    second.at(Page.RESUME)
    second.press(Act.NEXT)
    second.at(Page.MODE)
    draft = second.wizard.story.draft
    assert (draft.vm_uuid, draft.purpose, draft.seeing.value) == (uuid, "games", "own-monitor")


def test_a_draft_of_another_vm_is_not_offered(open_wizard, workplace):
    first = open_wizard()
    first.to_modes(uuid_of(workplace, "windows-11"))
    first.press(Act.CLOSE)
    second = open_wizard(uuid_of(workplace, "headless"))
    assert second.wizard.story.page is Page.PURPOSE


def test_what_was_written_is_no_draft_any_more(open_wizard, workplace):
    first = open_wizard()
    first.to_review(uuid_of(workplace, "windows-11"), Mode.VIRTIO)
    first.press(Act.NEXT)
    first.at(Page.CHECK)
    first.press(Act.KEEP)
    second = open_wizard()
    assert second.wizard.story.page is Page.VM


def test_the_keyboard_alone_walks_to_the_modes(open_wizard, qtbot):
    hands = open_wizard()
    wizard = hands.wizard
    view = wizard.view
    qtbot.keyClick(view.focus_first(), Qt.Key.Key_Space)
    qtbot.keyClick(view.choices.current(), Qt.Key.Key_Down)
    assert view.choices.rows[1].isChecked()
    qtbot.keyClick(view.choices.rows[1], Qt.Key.Key_Return)
    hands.at(Page.PURPOSE)
    for page in (Page.SEEING, Page.MODE):
        row = wizard.view.focus_first()
        qtbot.keyClick(row, Qt.Key.Key_Space)
        qtbot.keyClick(row, Qt.Key.Key_Return)
        hands.at(page)


def test_arrow_keys_move_between_modes_across_the_groups(open_wizard, workplace, qtbot):
    hands = open_wizard()
    hands.to_modes(uuid_of(workplace, "windows-11"))
    chosen = []
    for _ in range(6):
        row = hands.wizard.view.choices.current()
        chosen.append(hands.wizard.story.draft.mode)
        qtbot.keyClick(row, Qt.Key.Key_Down)
    assert Mode.PASSTHROUGH in chosen


def test_escape_cancels(open_wizard, qtbot):
    hands = open_wizard()
    with qtbot.waitSignal(hands.wizard.finished_with) as told:
        qtbot.keyClick(hands.wizard, Qt.Key.Key_Escape)
    assert told.args == [None]


def test_all_fourteen_modes_stand_there(open_wizard, workplace):
    hands = open_wizard()
    hands.to_modes(uuid_of(workplace, "windows-11"))
    view = hands.wizard.view
    assert isinstance(view, ModesView)
    assert len(view.rows) + len(view.findChildren(ClosedRow)) == len(Mode)


def test_every_circle_tells_a_screen_reader_its_place(open_wizard):
    hands = open_wizard()
    names = [mark.accessibleName() for mark in hands.wizard.findChildren(StepMark)]
    assert names[0] == "Step 1 of 8: VM, you are here"
    assert len(names) == 8


def test_help_is_there_on_every_page(open_wizard, workplace, qtbot):
    hands = open_wizard()
    qtbot.keyClick(hands.wizard, Qt.Key.Key_F1)
    assert "virtual machine" in hands.wizard.help_words()
    hands.to_modes(uuid_of(workplace, "windows-11"))
    assert "mode" in hands.wizard.help_words()


def test_no_label_reads_markup(open_wizard, workplace):
    hands = open_wizard()
    hands.to_modes(uuid_of(workplace, "windows-11"))
    rich = [
        label.text()
        for label in hands.wizard.findChildren(QLabel)
        if label.text() and label.textFormat() is not Qt.TextFormat.PlainText
    ]
    assert rich == []


@pytest.mark.parametrize("size", [(900, 640), (1080, 800)])
def test_nothing_is_wider_than_the_window(open_wizard, workplace, qtbot, size):
    hands = open_wizard()
    hands.wizard.resize(*size)
    hands.to_modes(uuid_of(workplace, "windows-11"))
    view = hands.wizard.view
    qtbot.waitUntil(lambda: view.widget().width() <= view.viewport().width())
    assert hands.wizard.width() == size[0]


def test_every_step_can_be_drawn_and_leaves_nothing(workplace, runner, english, qtbot):
    names = []
    for name, window in steps(workplace, runner, english):
        qtbot.addWidget(window)
        names.append(name)
    for wanted in (
        "vm",
        "modes",
        "losses",
        "review-card",
        "before-restart",
        "review",
        "check",
        "refused",
        "taken-back",
    ):
        assert wanted in names
    assert workplace.history() == ()

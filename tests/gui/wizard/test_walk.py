# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way on a recorded machine: answered, reviewed, written to its copy, proven, taken back."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox

from fakes.domains import HOSTILE_UUID, SECRET
from fakes.wizard_hands import uuid_of
from vitrail.model.mode import Mode
from vitrail.model.outcome import PromiseResult, RunResult, RunState
from vitrail.qt.widgets.diff import DiffView
from vitrail.qt.widgets.labels import PlainLabel
from vitrail.qt.wizard.state.check import overall_of
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.state.trouble import Kind


def test_virtio_is_written_proven_and_taken_back(open_wizard, workplace, qtbot):
    uuid = uuid_of(workplace, "windows-11")
    before = workplace.find_vm(workplace.read(), uuid).text
    hands = open_wizard()
    hands.to_review(uuid, Mode.VIRTIO)
    shown = hands.wizard.view.findChild(DiffView).words()
    hands.press(Act.NEXT)
    hands.at(Page.CHECK)
    written = workplace.find_vm(workplace.read(), uuid)
    assert [video.model for video in written.videos] == ["virtio"]
    assert "type='virtio'" in shown
    assert overall_of(hands.wizard.story.outcomes) is PromiseResult.KEPT
    hands.press(Act.TAKE_BACK)
    hands.at(Page.TAKE_BACK)
    assert workplace.find_vm(workplace.read(), uuid).text == written.text
    hands.press(Act.TAKE_BACK_NOW)
    hands.settle()
    assert hands.wizard.story.taking_back.done[0].result is RunResult.TAKEN_BACK
    assert workplace.find_vm(workplace.read(), uuid).text == before
    plan_id = hands.wizard.story.planned.plan.plan_id
    with qtbot.waitSignal(hands.wizard.finished_with) as told:
        hands.press(Act.CLOSE)
    assert told.args == [plan_id]


def test_keep_closes_and_tells_the_plan(open_wizard, workplace, qtbot):
    hands = open_wizard()
    hands.to_review(uuid_of(workplace, "windows-11"), Mode.BASIC)
    hands.press(Act.NEXT)
    hands.at(Page.CHECK)
    with qtbot.waitSignal(hands.wizard.finished_with) as told:
        hands.press(Act.KEEP)
    (entry,) = workplace.history()
    assert told.args == [entry.plan_id]
    assert entry.state is RunState.APPLIED


def test_the_proof_reads_anew(open_wizard, workplace):
    uuid = uuid_of(workplace, "windows-11")
    hands = open_wizard()
    hands.to_review(uuid, Mode.VIRTIO)
    hands.press(Act.NEXT)
    hands.at(Page.CHECK)
    # Somebody takes it back beside us; looking again must see that.
    workplace.undo(hands.wizard.story.planned.plan.plan_id)
    hands.press(Act.LOOK_AGAIN)
    hands.settle()
    assert "qxl" in [outcome.seen for outcome in hands.wizard.story.outcomes]


def test_a_passthrough_that_needs_the_host_changed_ends_before_the_restart(open_wizard, workplace):
    hands = open_wizard()
    hands.to_review(uuid_of(workplace, "windows-11"), Mode.PASSTHROUGH)
    hands.press(Act.NEXT)
    hands.at(Page.BEFORE_RESTART)
    # A recording is never restarted, whatever is ticked.
    for box in hands.wizard.view.findChildren(QCheckBox):
        box.click()
    assert not hands.wizard.buttons[Act.RESTART].isEnabled()
    (entry,) = workplace.history()
    assert entry.state is RunState.AWAITING_KEEP
    hands.press(Act.TAKE_BACK)
    hands.at(Page.TAKE_BACK)
    hands.press(Act.TAKE_BACK_NOW)
    hands.settle()
    assert [one.state for one in workplace.history()] == [RunState.TAKEN_BACK]


def test_a_vm_edited_meanwhile_is_refused_and_planned_again(open_wizard, workplace):
    uuid = uuid_of(workplace, "windows-11")
    hands = open_wizard()
    hands.to_review(uuid, Mode.VIRTIO)
    edited = open_wizard()
    edited.press(Act.CLOSE)
    edited = open_wizard(uuid)
    if edited.wizard.story.page is Page.RESUME:
        edited.choose("anew")
        edited.press(Act.NEXT)
    edited.at(Page.PURPOSE)
    edited.choose("desktop")
    edited.press(Act.NEXT)
    edited.choose("window")
    edited.press(Act.NEXT)
    edited.at(Page.MODE)
    edited.take(Mode.BASIC)
    edited.press(Act.NEXT)
    edited.at(Page.LOSSES)
    edited.press(Act.NEXT)
    edited.press(Act.NEXT)
    edited.at(Page.CHECK)
    hands.press(Act.NEXT)
    hands.settle()
    assert hands.wizard.story.trouble.kind is Kind.REFUSED
    assert len(workplace.history()) == 1
    hands.press(Act.RETRY)
    hands.at(Page.LOSSES)


def test_a_vm_that_vanished_is_a_page_with_a_way_on(open_wizard):
    hands = open_wizard("99999999-9999-4999-8999-999999999999")
    hands.choose("games")
    hands.press(Act.NEXT)
    hands.choose("window")
    hands.press(Act.NEXT)
    hands.settle()
    assert hands.wizard.story.trouble.kind is Kind.REFUSED
    assert hands.wizard.buttons[Act.COPY].isEnabled()
    assert hands.wizard.buttons[Act.CLOSE].isEnabled()


def test_a_hostile_name_and_a_password_never_get_out(open_wizard):
    hands = open_wizard()
    seen = []

    def look():
        seen.append(hands.wizard.windowTitle())
        seen.extend(label.text() for label in hands.wizard.findChildren(PlainLabel))
        seen.extend(diff.words() for diff in hands.wizard.findChildren(DiffView))

    look()
    hands.to_review(HOSTILE_UUID, Mode.VIRTIO)
    look()
    hands.press(Act.NEXT)
    hands.at(Page.CHECK)
    look()
    hands.press(Act.TAKE_BACK)
    hands.at(Page.TAKE_BACK)
    look()
    words = "\n".join(seen)
    assert SECRET not in words
    assert "\u202e" not in words
    assert "\u009b" not in words
    assert "<b>win⟨U+202E⟩" in words


def test_nothing_to_write_ends_at_the_review(open_wizard, workplace):
    hands = open_wizard()
    hands.to_review(uuid_of(workplace, "debian-dev"), Mode.VIRTIO)
    assert hands.wizard.story.planned.plan.steps == ()
    assert Act.NEXT not in hands.wizard.buttons

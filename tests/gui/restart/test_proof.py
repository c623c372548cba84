# SPDX-License-Identifier: GPL-3.0-or-later
"""After the restart: the proof, the countdown, and what was taken back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from fakes.hosts import host, known
from gui.places import ModelPlace
from vitrail.model.errors import Refused
from vitrail.model.finding import Evidence
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.reading import Unknown
from vitrail.model.resume import ResumeStage, ResumeState, TrialStory
from vitrail.model.text import text
from vitrail.qt.restart.ended_view import EndedView
from vitrail.qt.restart.proof import countdown, proof_page
from vitrail.qt.restart.proof_view import ProofView, StoryView
from vitrail.qt.restart.strip import ResumeStrip
from vitrail.qt.restart.window import ProofWindow
from vitrail.qt.theme import Tone
from vitrail.qt.widgets.labels import PlainLabel
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.trouble_view import TroubleView

NOW = 1_800_000_000.0
PLAN_ID = "0123456789abcdef"
TRIAL = ResumeState(ResumeStage.TRIAL, PLAN_ID, "games", "passthrough", known(NOW + 250))
NOTHING = ResumeState(ResumeStage.NOTHING, "", "", "", Unknown(text("tests.not-read")))
STORY = TrialStory(
    known(NOW),
    text("qt.story.nothing"),
    known(("vfio-pci 0000:01:00.0: \x1b[31mfailed",)),
    known((("0000:01:00.0", "nouveau"),)),
    Unknown(text("tests.not-read")),
    (text("qt.proof.nothing"),),
)


def outcome(result):
    evidence = (Evidence("/sys/bus/pci/devices/0000:01:00.0 driver", "vfio-pci"),)
    return Outcome(text("plan.step.resume-at-login"), result, "vfio-pci", "vfio-pci", evidence)


def labels(widget):
    return "\n".join(label.text() for label in widget.findChildren(PlainLabel))


@pytest.fixture
def opened(qtbot, runner, english):
    def open_at(resume=NOTHING, outcomes=()):
        place = ModelPlace(host(), resume=resume, outcomes=outcomes)
        window = ProofWindow(place, runner, english)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitUntil(lambda: window.view is not None)
        return place, window

    return open_at


def test_the_time_is_counted_in_minutes_and_at_the_end_in_seconds():
    assert countdown(known(NOW + 600), NOW).words.count == 10
    soon = countdown(known(NOW + 90), NOW)
    assert (soon.words.count, soon.tone) == (90, Tone.BAD)


def test_a_time_that_is_over_is_not_negative():
    assert countdown(known(NOW - 5), NOW).seconds == 0


def test_a_time_that_nobody_could_read_is_said_to_be_unknown():
    assert countdown(Unknown(text("tests.not-read")), NOW).seconds is None


def test_a_broken_promise_makes_taking_back_the_next_step():
    assert not proof_page(TRIAL, (outcome(PromiseResult.BROKEN),)).can_keep
    assert proof_page(TRIAL, (outcome(PromiseResult.KEPT),)).can_keep


def test_no_proof_at_all_is_no_success():
    assert proof_page(TRIAL, ()).check.overall is PromiseResult.UNKNOWN


def test_keep_names_the_plan_and_tells_what_came_of_it(opened, qtbot):
    place, window = opened(resume=TRIAL, outcomes=(outcome(PromiseResult.KEPT),))
    assert isinstance(window.view, ProofView)
    with qtbot.waitSignal(window.answered):
        window.buttons[Act.KEEP].click()
    assert place.asked == [f"keep {PLAN_ID} False"]
    assert isinstance(window.view, EndedView)


def test_more_time_is_one_click_and_looks_again(opened, qtbot):
    place, window = opened(resume=TRIAL, outcomes=(outcome(PromiseResult.KEPT),))
    window.buttons[Act.MORE_TIME].click()
    qtbot.waitUntil(lambda: place.asked == [f"more {PLAN_ID}"] and window.buttons[Act.KEEP].isEnabled())


def test_taking_back_takes_back_this_plan(opened, qtbot):
    place, window = opened(resume=TRIAL, outcomes=(outcome(PromiseResult.KEPT),))
    with qtbot.waitSignal(window.answered):
        window.buttons[Act.TAKE_BACK_NOW].click()
    assert place.undone == [(PLAN_ID, False)]


def test_a_refused_keep_says_why_and_can_be_asked_again(opened, qtbot):
    place, window = opened(resume=TRIAL, outcomes=(outcome(PromiseResult.KEPT),))
    place.fails = Refused(text("qt.story.nothing"), text("qt.proof.nothing"))
    window.buttons[Act.KEEP].click()
    qtbot.waitUntil(lambda: isinstance(window.view, TroubleView))
    assert window.buttons[Act.RETRY].isEnabled()


def test_what_was_taken_back_tells_its_story_with_hostile_words_made_visible(opened):
    state = replace(TRIAL, stage=ResumeStage.TAKEN_BACK, story=STORY)
    _, window = opened(resume=state)
    assert isinstance(window.view, StoryView)
    assert "games" in labels(window)
    assert "\x1b" not in "".join(box.toPlainText() for box in window.view.boxes)


def test_a_story_that_was_read_is_settled(opened, qtbot):
    place, window = opened(resume=replace(TRIAL, stage=ResumeStage.TAKEN_BACK, story=STORY))
    window.buttons[Act.CHOOSE_AGAIN].setDefault(False)
    window.buttons[Act.CLOSE].click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert place.asked == [f"settle {PLAN_ID}"]


def test_nothing_that_waits_is_a_sentence_and_not_an_empty_page(opened, english):
    _, window = opened()
    assert english.say(text("qt.proof.nothing")) in labels(window)


def test_the_strip_is_hidden_while_nothing_waits(qtbot, english):
    page = QWidget()
    qtbot.addWidget(page)
    strip = ResumeStrip(english.say, page)
    strip.show_resume(NOTHING)
    assert strip.isHidden()


@pytest.mark.parametrize("stage", [ResumeStage.RESTART_DUE, ResumeStage.TRIAL, ResumeStage.TAKEN_BACK])
def test_the_strip_says_what_waits_and_leads_there(qtbot, english, stage):
    page = QWidget()
    qtbot.addWidget(page)
    strip = ResumeStrip(english.say, page)
    strip.show_resume(replace(TRIAL, stage=stage, until=known(time.time() + 250)))
    assert not strip.isHidden()
    with qtbot.waitSignal(strip.opened):
        strip.findChild(QPushButton).click()
    strip.show_resume(NOTHING)
    assert strip.isHidden()

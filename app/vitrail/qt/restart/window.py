# SPDX-License-Identifier: GPL-3.0-or-later
"""The window that opens by itself after a restart: proof and countdown, or the story of what did not last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.outcome import Outcome, RunOutcome
from vitrail.model.resume import ResumeStage, ResumeState
from vitrail.model.text import Text, text
from vitrail.qt.restart.ended_view import EndedView
from vitrail.qt.restart.proof import countdown, proof_page, story_page
from vitrail.qt.restart.proof_view import ProofView, StoryView
from vitrail.qt.runner import Runner
from vitrail.qt.wizard.frame import Frame
from vitrail.qt.wizard.page import PageView
from vitrail.qt.wizard.state.footer import Act, Footer, closed_footer, proof_footer, story_footer, trouble_footer
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.state.trouble import trouble_page
from vitrail.qt.wizard.trouble_view import TroubleView
from vitrail.qt.wizard.waiting import Waiting
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker

_SECOND_MS = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proved:
    """One look after the restart."""

    state: ResumeState
    outcomes: tuple[Outcome, ...]


def look(workplace: Workplace) -> Proved:
    """What awaits the user, and every promise against a new read."""
    state = workplace.resume_state()
    outcomes = workplace.verify(state.plan_id) if state.stage is ResumeStage.TRIAL else ()
    return Proved(state, outcomes)


class ProofWindow(Frame):
    """Keep, take back, or more time.

    Signals:
        answered: something was kept or taken back.
        wizard_asked: give the VM with this name graphics in another way.
    """

    answered = Signal()
    wizard_asked = Signal(str)

    def __init__(self, workplace: Workplace, runner: Runner, speaker: Speaker, parent: QWidget | None = None) -> None:
        super().__init__(speaker.say, (workplace.kind, workplace.label), self._press, parent)
        self._workplace, self._runner = workplace, runner
        self._proved: Proved | None = None
        self._waiting = Waiting(runner, self, self.busy, self._failed)
        self._clock = QTimer(self)
        self._clock.setInterval(_SECOND_MS)
        self._clock.timeout.connect(self._tick)
        self.show_title(text("qt.proof.title"))
        self._look()

    def _look(self) -> None:
        self.hold_buttons()
        self._waiting.read(partial(look, self._workplace), self.show_proved, text("wizard.wait.verify"), None)

    def show_proved(self, proved: Proved) -> None:
        """Show what this look saw."""
        self._proved = proved
        state = proved.state
        self._clock.stop()
        if state.stage is ResumeStage.TRIAL:
            page = proof_page(state, proved.outcomes)
            view = ProofView(self.say, page, countdown(state.until, time.time()))
            self._show(view, text("qt.proof.help"), proof_footer(can_keep=page.can_keep))
            self._clock.start()
        elif state.stage is ResumeStage.TAKEN_BACK and state.story is not None:
            self._show(StoryView(self.say, story_page(state, state.story)), text("qt.story.help"), story_footer())
        else:
            words = "qt.proof.restart-due" if state.stage is ResumeStage.RESTART_DUE else "qt.proof.nothing"
            self._show(PageView(self.say, text("qt.proof.title"), text(words)), text("qt.proof.help"), closed_footer())

    def _show(self, view: PageView, help_text: Text, foot: Footer) -> None:
        self.show_view(view, help_text, (), foot)

    def _tick(self) -> None:
        view = self.view
        if self._proved is not None and isinstance(view, ProofView):
            view.show_time(countdown(self._proved.state.until, time.time()))

    def _press(self, act: Act) -> None:
        plan_id = "" if self._proved is None else self._proved.state.plan_id
        place = self._workplace
        match act:
            case Act.KEEP:
                self._change(lambda: place.keep(plan_id), partial(self._ended, "kept"), text("qt.proof.keeping"))
            case Act.TAKE_BACK_NOW:
                self._change(lambda: place.undo(plan_id), partial(self._ended, "taken-back"), text("wizard.wait.undo"))
            case Act.MORE_TIME:
                self._change(lambda: place.more_time(plan_id), lambda _: self._look(), text("qt.proof.asking-time"))
            case Act.CHOOSE_AGAIN:
                self.wizard_asked.emit("" if self._proved is None else self._proved.state.vm_name)
                self.accept()
            case Act.RESTART:
                self._change(place.restart_now, lambda _: None, text("wizard.before.restarting"))
            case Act.RETRY | Act.LOOK_AGAIN:
                self._look()
            case _:
                self._leave()

    def _leave(self) -> None:
        """Who has read what did not last is not told again at the next login."""
        state = None if self._proved is None else self._proved.state
        if state is None or state.stage is not ResumeStage.TAKEN_BACK or not isinstance(self.view, StoryView):
            self.reject()
            return
        # It may still be in effect; then it stays among what waits, and the window goes all the same.
        done = self.reject
        self.hold_buttons()
        self._runner.change(partial(self._workplace.settle, state.plan_id), lambda _: done(), lambda _: done(), self)

    def _change(self, work: Callable[[], T], done: Callable[[T], None], what: Text) -> None:
        self.hold_buttons()
        self._waiting.change(work, done, what, text("wizard.wait.apply-later"))

    def _ended(self, how: str, outcomes: tuple[RunOutcome, ...]) -> None:
        self._clock.stop()
        self.answered.emit()
        vm_name = "" if self._proved is None else self._proved.state.vm_name
        self._show(EndedView(self.say, how, vm_name, outcomes), text("qt.proof.help"), closed_footer())

    def _failed(self, error: VitrailError) -> None:
        trouble = trouble_page(error, Page.CHECK)
        foot = trouble_footer(retry=text("wizard.check.again"), back_to=None, written=False)
        self._show(TroubleView(self.say, trouble), text("wizard.help.trouble"), foot)

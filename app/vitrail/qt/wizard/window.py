# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of the wizard: what is worked out before a page, what a button does, what is kept of the answers.

The story is frozen and replaced; a page is made anew from it. Whatever takes time is done by the runner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import TypeVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMoveEvent
from PySide6.QtWidgets import QWidget

from vitrail.judge.suggestion import Seeing, card_for
from vitrail.model.errors import VitrailError
from vitrail.model.mode import Mode
from vitrail.model.outcome import Outcome, RunOutcome, StepOutcome
from vitrail.model.pci import PciAddress
from vitrail.model.text import Text, text
from vitrail.qt.runner import Runner, Ticket
from vitrail.qt.wizard import work
from vitrail.qt.wizard.draft_file import DraftFile
from vitrail.qt.wizard.frame import Frame
from vitrail.qt.wizard.modes_view import ModesView
from vitrail.qt.wizard.state.copied import plan_text, trouble_text
from vitrail.qt.wizard.state.draft import Draft, with_mode, with_purpose, with_seeing, with_setting
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.review import review_page
from vitrail.qt.wizard.state.steps import Page, after, before
from vitrail.qt.wizard.state.story import (
    Planned,
    Story,
    TakingBack,
    Weighed,
    Writing,
    about,
    first_page,
    footer_of,
    header_of,
    help_of,
    resumed,
    title_of,
)
from vitrail.qt.wizard.state.trouble import trouble_page
from vitrail.qt.wizard.views import Hearers, losses_state, modes_state, options_state, page_of
from vitrail.service.undoing import UndoPreview
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker

T = TypeVar("T")

_PATIENCE_MS = 180
"""So long nothing is said about waiting: most answers come sooner, and a strip that flashes up disturbs."""


class Wizard(Frame):
    """Gives one VM graphics.

    Signals:
        finished_with: closed; the id of the plan that was written (kept or taken back), None where nothing was.
    """

    finished_with = Signal(object)

    def __init__(
        self,
        workplace: Workplace,
        runner: Runner,
        speaker: Speaker,
        vm_uuid: str | None = None,
        parent: QWidget | None = None,
        *,
        drafts: DraftFile | None = None,
    ) -> None:
        super().__init__(speaker.say, (workplace.kind, workplace.label), self._press, parent)
        self._workplace, self._runner = workplace, runner
        self._drafts = drafts or DraftFile(workplace.connection)
        self.story = Story(vm_uuid is not None, Page.VM if vm_uuid is None else Page.PURPOSE, Draft(vm_uuid=vm_uuid))
        self._hearers = Hearers(
            vm=self._vm_chosen,
            purpose=lambda purpose: self._answered(with_purpose(self.story.draft, purpose)),
            seeing=self._seeing_chosen,
            resume=lambda resume: self._tell(replace(self.story, resume=resume)),
            mode=self._mode_chosen,
            card=lambda mode, gpu: self._answered(with_mode(self.story.draft, mode, gpu)),
            setting=lambda key, value: self._answered(with_setting(self.story.draft, key, value)),
        )
        self._ticket: Ticket | None = None
        self._again: Callable[[], None] = self._look
        self._stopped = Event()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self.finished.connect(self._say_goodbye)
        self.show_title(title_of(self.story))
        self._look()

    # --- answers ---

    def _vm_chosen(self, vm_uuid: str) -> None:
        self._answered(about(self.story, vm_uuid).draft)

    def _seeing_chosen(self, seeing: Seeing) -> None:
        self._answered(with_seeing(self.story.draft, seeing))

    def _mode_chosen(self, mode: Mode) -> None:
        if self.story.draft.mode is mode or self.story.weighed is None:
            return
        verdict = next(one for one in self.story.weighed.verdicts if one.mode is mode)
        self._answered(with_mode(self.story.draft, mode, card_for(verdict)))

    def _answered(self, draft: Draft) -> None:
        """Take an answer: what was being worked out for the old one is dropped."""
        if self._ticket is not None:
            self._ticket.drop()
            self._rest()
        self._tell(replace(self.story, draft=draft, planned=None))

    def _tell(self, story: Story) -> None:
        """Take over a story whose page is the one that stands there: rows change, the page stays."""
        self.story = story
        modes = modes_state(story, self._workplace.knowledge) if story.page is Page.MODE else None
        if modes is not None and isinstance(self.view, ModesView):
            self.view.show_state(modes)
            self.show_footer(footer_of(story, can_go_on=modes.can_go_on))
            return
        options = options_state(story)
        if options is not None:
            self.show_footer(footer_of(story, can_go_on=options.can_go_on))

    # --- showing ---

    def _go(self, story: Story) -> None:
        """Show the page of this story."""
        self.story = story
        self._rest()
        shown = page_of(self.say, story, self._workplace.knowledge, self._screen_name(), self._hearers)
        self.show_title(title_of(story))
        self.show_view(shown.view, help_of(story), header_of(story), footer_of(story, can_go_on=shown.can_go_on))

    def _go_to(self, page: Page) -> None:
        self._keep_draft(replace(self.story.draft, page=page))
        self._go(replace(self.story, page=page, trouble=None))

    def _screen_name(self) -> str | None:
        return self.screen().name() or None

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        # Whether the button may be pressed here depends on the screen that the window stands on.
        if self.story.page is Page.LOSSES and self.story.trouble is None and self._ticket is None:
            losses = losses_state(self.story, self._screen_name())
            pressable = self.buttons.get(Act.NEXT)
            if losses is not None and pressable is not None and pressable.isEnabled() is not losses.can_go_on:
                self._go(self.story)

    # --- work ---

    def _ask(
        self,
        work_to_do: Callable[[], T],
        done: Callable[[T], None],
        waiting: Text,
        *,
        cancel: bool = True,
    ) -> None:
        """Have something worked out by the reader; meanwhile nothing but leaving can be pressed."""
        self._again = lambda: self._ask(work_to_do, done, waiting, cancel=cancel)
        self._hold(waiting, self._give_up if cancel else None)
        self._ticket = self._runner.read(work_to_do, lambda answer: self._home(done, answer), self._failed, self)

    def _home(self, done: Callable[[T], None], answer: T) -> None:
        self._rest()
        done(answer)

    def _hold(self, waiting: Text, cancel: Callable[[], None] | None, later: Text | None = None) -> None:
        self.hold_buttons()
        self._patience.disconnect(self)
        self._patience.timeout.connect(lambda: self.busy.begin(waiting, cancel, later))
        self._patience.start()

    def _rest(self) -> None:
        self._ticket = None
        self._patience.stop()
        self.busy.end()

    def _give_up(self) -> None:
        """Stop waiting: the page that stands there is usable again."""
        if self._ticket is not None:
            self._ticket.drop()
        if self.story.host is None:
            self.reject()
        else:
            self._go(self.story)

    def _failed(self, error: VitrailError) -> None:
        self._go(replace(self.story, trouble=trouble_page(error, self.story.page)))

    def _look(self) -> None:
        self._ask(lambda: work.look(self._workplace, self._drafts), self._looked, text("wizard.wait.host"))

    def _looked(self, seen: work.FirstLook) -> None:
        self._go(first_page(replace(self.story, host=seen.host, kept=seen.kept, trouble=None)))

    def _weigh(self) -> None:
        draft = self.story.draft
        self._ask(lambda: work.weigh(self._workplace, draft), self._weighed, text("wizard.wait.modes"))

    def _weighed(self, weighed: Weighed) -> None:
        draft, suggestion = self.story.draft, weighed.suggestion
        if draft.mode is None and suggestion is not None:
            draft = with_mode(draft, suggestion.mode, suggestion.gpu)
        self.story = replace(self.story, weighed=weighed, host=weighed.host, draft=draft, planned=None)
        self._go_to(Page.MODE)

    def _plan(self, weighed: Weighed) -> None:
        draft = self.story.draft
        self._ask(lambda: work.make(self._workplace, weighed, draft), self._planned, text("wizard.wait.plan"))

    def _planned(self, planned: Planned) -> None:
        self.story = replace(self.story, planned=planned)
        self._go_to(Page.LOSSES)

    def _write(self, planned: Planned) -> None:
        self._stopped.clear()
        self._go(replace(self.story, page=Page.APPLY, writing=Writing(), trouble=None))
        tell = work.Tellers(
            self._runner.at_home(lambda _: self._news(begun=True), self), self._runner.at_home(self._step_ended, self)
        )
        self._ticket = self._runner.change(
            lambda: work.write(self._workplace, planned.plan, self._stopped, tell), self._wrote, self._failed, self
        )

    def _news(self, *, begun: bool) -> None:
        self._go_on_writing(replace(self.story.writing, begun=begun))

    def _step_ended(self, step: StepOutcome) -> None:
        self._go_on_writing(replace(self.story.writing, seen=(*self.story.writing.seen, step)))

    def _go_on_writing(self, writing: Writing) -> None:
        ticket = self._ticket
        self._go(replace(self.story, writing=writing))
        self._ticket = ticket
        if writing.begun:
            self._patience.disconnect(self)

    def _wrote(self, outcome: RunOutcome | None) -> None:
        if outcome is None:
            self._go_to(Page.REVIEW)
            return
        self._forget_draft()
        self._go(replace(self.story, writing=replace(self.story.writing, outcome=outcome)))
        self._verify(outcome)

    def _verify(self, outcome: RunOutcome) -> None:
        self._ask(
            lambda: self._workplace.verify(outcome.plan_id), self._verified, text("wizard.wait.verify"), cancel=False
        )

    def _verified(self, outcomes: tuple[Outcome, ...]) -> None:
        self._go(replace(self.story, page=Page.CHECK, outcomes=outcomes, trouble=None))

    def _preview(self, outcome: RunOutcome) -> None:
        self._ask(
            lambda: self._workplace.preview_undo(outcome.plan_id), self._previewed, text("wizard.wait.preview")
        )

    def _previewed(self, previews: tuple[UndoPreview, ...]) -> None:
        self._go(replace(self.story, page=Page.TAKE_BACK, taking_back=TakingBack(previews), trouble=None))

    def _undo(self, outcome: RunOutcome) -> None:
        self._hold(text("wizard.wait.undo"), None, text("wizard.wait.apply-later"))
        self._ticket = self._runner.change(
            lambda: self._workplace.undo(outcome.plan_id), self._undone, self._failed, self
        )

    def _undone(self, done: tuple[RunOutcome, ...]) -> None:
        back = self.story.taking_back
        if back is not None:
            self._go(replace(self.story, taking_back=replace(back, done=done)))

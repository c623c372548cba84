# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of the wizard: what is worked out before a page, what a button does, what is kept of the answers.

The story is frozen and replaced; a page is made anew from it. Whatever takes time is done by the runner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QMoveEvent
from PySide6.QtWidgets import QWidget

from vitrail.judge.suggestion import Seeing, card_for
from vitrail.model.errors import VitrailError
from vitrail.model.mode import Mode
from vitrail.model.outcome import Outcome, RunOutcome, RunResult, StepOutcome
from vitrail.model.text import Text, text
from vitrail.qt.restart.before import BeforePage
from vitrail.qt.runner import Runner
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
    troubled,
)
from vitrail.qt.wizard.views import Hearers, losses_state, modes_state, options_state, page_of
from vitrail.qt.wizard.waiting import Waiting
from vitrail.service.undoing import UndoPreview
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker

T = TypeVar("T")


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
            ready=lambda ready: self.show_footer(footer_of(self.story, can_go_on=ready)),
        )
        self._waiting = Waiting(runner, self, self.busy, self._failed)
        self._again: Callable[[], None] = self._look
        self._stopped = Event()
        self.finished.connect(self._say_goodbye)
        self.show_title(title_of(self.story))
        self._look()

    @property
    def waiting(self) -> bool:
        """Whether something is still being worked out."""
        return self._waiting.under_way

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
        """Take an answer; what was being worked out for the old one is dropped."""
        self._waiting.drop()
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
        shown = page_of(self.say, story, self._workplace.knowledge, self._screen_name(), self._hearers)
        self.show_title(title_of(story))
        self.show_view(shown.view, help_of(story), header_of(story), footer_of(story, can_go_on=shown.can_go_on))

    def _go_to(self, page: Page) -> None:
        """Show this page of the way; the answers up to here are kept."""
        self._keep_draft(page)
        self._go(replace(self.story, page=page, trouble=None))

    def _screen_name(self) -> str | None:
        return self.screen().name() or None

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        # Whether the button may be pressed depends on the screen that the window stands on.
        if self.story.page is not Page.LOSSES or self.story.trouble is not None or self._waiting.under_way:
            return
        losses = losses_state(self.story, self._screen_name())
        following = self.buttons.get(Act.NEXT)
        if losses is not None and following is not None and following.isEnabled() is not losses.can_go_on:
            self._go(self.story)

    # --- what is worked out ---

    def _ask(
        self, work_to_do: Callable[[], T], done: Callable[[T], None], what: Text, *, can_stop: bool = True
    ) -> None:
        """Have something worked out; meanwhile nothing but leaving can be pressed."""
        self._again = lambda: self._ask(work_to_do, done, what, can_stop=can_stop)
        self.hold_buttons()
        self._waiting.read(work_to_do, done, what, self._give_up if can_stop else None)

    def _give_up(self) -> None:
        """Stop waiting: the page that stands there can be used again."""
        self._waiting.drop()
        if self.story.host is None:
            self.reject()
        else:
            self._go(self.story)

    def _failed(self, error: VitrailError) -> None:
        self._go(troubled(self.story, error))

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

    def _plan(self) -> None:
        draft = self.story.draft
        self._ask(lambda: work.make(self._workplace, draft), self._planned, text("wizard.wait.plan"))

    def _planned(self, made: tuple[Weighed, Planned]) -> None:
        weighed, planned = made
        self.story = replace(self.story, weighed=weighed, host=weighed.host, planned=planned)
        self._go_to(Page.HELPER if planned.looks else Page.LOSSES)

    def _install(self, planned: Planned) -> None:
        self.hold_buttons()
        self._again = self._plan
        self._waiting.change(
            partial(work.install, self._workplace, self.story.draft, planned),
            partial(self._installed, planned),
            text("wizard.wait.install"),
            text("wizard.wait.apply-later"),
        )

    def _installed(self, former: Planned, made: tuple[Weighed, Planned]) -> None:
        """Written is only what was shown: where it is the same plan still, at once; else it is shown."""
        if not former.looks and made[1].plan.plan_id == former.plan.plan_id and made[1].first is None:
            self.story = replace(self.story, weighed=made[0], host=made[0].host, planned=made[1])
            self._write(made[1])
        else:
            self._planned(made)
            if not former.looks:
                self.show_note(text("wizard.helper.other-plan"))

    def _write(self, planned: Planned) -> None:
        self._stopped.clear()
        # What is refused now may pass after a new look; written is only what was shown again.
        self._again = self._plan
        self._go(replace(self.story, page=Page.APPLY, writing=Writing(), trouble=None))
        tell = work.Tellers(self._runner.at_home(self._begun, self), self._runner.at_home(self._step_ended, self))
        self._waiting.change(
            lambda: work.write(self._workplace, planned, self._stopped, tell),
            self._wrote,
            text("wizard.wait.apply"),
            text("wizard.wait.apply-later"),
        )

    def _begun(self, nothing: None) -> None:
        del nothing
        self._go(replace(self.story, writing=replace(self.story.writing, begun=True)))

    def _step_ended(self, step: StepOutcome) -> None:
        writing = self.story.writing
        self._go(replace(self.story, writing=replace(writing, seen=(*writing.seen, step))))

    def _wrote(self, outcome: RunOutcome | None) -> None:
        if outcome is None:
            self._go_to(Page.REVIEW)
            return
        self._runner.change(self._drafts.forget, lambda _: None, self._draft_lost, self)
        self._go(replace(self.story, writing=replace(self.story.writing, outcome=outcome)))
        if outcome.result is RunResult.AWAITING_KEEP:
            self._prepare_restart()
        else:
            self._verify(outcome)

    def _prepare_restart(self) -> None:
        story = self.story
        prepare = partial(work.before_restart, self._workplace, story.planned, story.host)
        self._ask(prepare, self._restart_prepared, text("wizard.wait.before-restart"), can_stop=False)

    def _restart_prepared(self, before: BeforePage | None) -> None:
        self._go(replace(self.story, page=Page.BEFORE_RESTART, before=before, trouble=None))

    def _restart(self) -> None:
        self.hold_buttons()
        self._waiting.change(
            self._workplace.restart_now,
            lambda _: self.accept(),
            text("wizard.before.restarting"),
            text("wizard.wait.apply-later"),
        )

    def _verify(self, outcome: RunOutcome) -> None:
        look_anew = partial(self._workplace.verify, outcome.plan_id)
        self._ask(look_anew, self._verified, text("wizard.wait.verify"), can_stop=False)

    def _verified(self, outcomes: tuple[Outcome, ...]) -> None:
        self._go(replace(self.story, page=Page.CHECK, outcomes=outcomes, trouble=None))

    def _preview(self, outcome: RunOutcome) -> None:
        self._ask(lambda: self._workplace.preview_undo(outcome.plan_id), self._previewed, text("wizard.wait.preview"))

    def _previewed(self, previews: tuple[UndoPreview, ...]) -> None:
        self._go(replace(self.story, page=Page.TAKE_BACK, taking_back=TakingBack(previews), trouble=None))

    def _undo(self, outcome: RunOutcome) -> None:
        self.hold_buttons()
        self._waiting.change(
            lambda: self._workplace.undo(outcome.plan_id),
            self._undone,
            text("wizard.wait.undo"),
            text("wizard.wait.apply-later"),
        )

    def _undone(self, done: tuple[RunOutcome, ...]) -> None:
        back = self.story.taking_back
        if back is not None:
            self._go(replace(self.story, taking_back=replace(back, done=done)))

    # --- buttons ---

    def _press(self, act: Act) -> None:
        does: dict[Act, Callable[[], None]] = {
            Act.NEXT: self._next,
            Act.BACK: self._back,
            Act.CLOSE: self.reject,
            Act.STOP: self._stopped.set,
            Act.KEEP: self.accept,
            Act.RETRY: self._again,
            Act.CHOOSE_AGAIN: self._choose_again,
            Act.COPY: self._copy,
            Act.RESTART: self._restart,
        }
        outcome = self.story.writing.outcome
        if outcome is not None:
            does[Act.LOOK_AGAIN] = partial(self._verify, outcome)
            does[Act.TAKE_BACK] = partial(self._preview, outcome)
            does[Act.TAKE_BACK_NOW] = partial(self._undo, outcome)
        does[act]()

    def _next(self) -> None:
        story = self.story
        if story.page is Page.RESUME:
            self._resume(resumed(story))
        elif story.page is Page.SEEING:
            self._weigh()
        elif story.page is Page.MODE:
            self._plan()
        else:
            following = after(story.pages, story.page)
            if story.page is Page.HELPER and story.planned is not None:
                self._install(story.planned)
                return
            if following is Page.APPLY and story.planned is not None:
                self._write(story.planned)
            elif following is not None:
                self._go_to(following)

    def _resume(self, story: Story) -> None:
        self.story = story
        if story.page is Page.MODE:
            self._weigh()
        else:
            self._go_to(story.page)

    def _back(self) -> None:
        previous = before(self.story.pages, self.story.page)
        if previous is not None:
            self._go_to(previous)

    def _choose_again(self) -> None:
        """Another mode, judged anew; another answer, where there was no list of modes yet."""
        self.story = replace(self.story, planned=None)
        if self.story.weighed is not None:
            self._weigh()
        else:
            self._go_to(self.story.pages[0])

    def _copy(self) -> None:
        story = self.story
        if story.trouble is not None:
            words = trouble_text(self.say, story.trouble)
        elif story.planned is not None:
            words = plan_text(self.say, review_page(story.planned.plan, story.planned.gates))
        else:
            return
        QGuiApplication.clipboard().setText(words)
        self.show_note(text("wizard.copied"))

    # --- leaving ---

    def reject(self) -> None:
        if self.story.under_way:
            return
        if not self.story.written and self.story.page is not Page.RESUME:
            self._keep_draft(self.story.page)
        super().reject()

    def _say_goodbye(self) -> None:
        outcome = self.story.writing.outcome
        self.finished_with.emit(outcome.plan_id if outcome is not None and self.story.written else None)

    def _keep_draft(self, page: Page) -> None:
        draft = replace(self.story.draft, page=page)
        if draft.begun:
            self._runner.change(lambda: self._drafts.keep(draft), lambda _: None, self._draft_lost, self)

    def _draft_lost(self, error: VitrailError) -> None:
        del error
        self.show_note(text("wizard.draft-lost"))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every step of the wizard as a window of its own, for pictures: answered and worked out by the real service.

A recording is changed in a state folder that is gone afterwards; on a real machine nothing is written, so its pictures
end with the review.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from vitrail.judge.suggestion import Seeing, card_for
from vitrail.model.errors import VitrailError
from vitrail.model.machine import MachineKind
from vitrail.model.mode import Mode
from vitrail.model.outcome import RunOutcome
from vitrail.model.reading import Known, known_or
from vitrail.model.verdict import Feasibility
from vitrail.model.vm import Vm, VmState
from vitrail.qt.runner import Runner
from vitrail.qt.wizard import work
from vitrail.qt.wizard.frame import Frame
from vitrail.qt.wizard.state.draft import Draft, with_mode
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.state.story import (
    Planned,
    Story,
    TakingBack,
    Writing,
    footer_of,
    header_of,
    help_of,
    title_of,
    troubled,
)
from vitrail.qt.wizard.views import Hearers, page_of
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker

_CHANGED_HERE = (MachineKind.DEMO, MachineKind.RECORDING)
_MACHINE = "machine:"


def steps(workplace: Workplace, runner: Runner, speaker: Speaker) -> Iterator[tuple[str, QWidget]]:
    """The pages with their names, each a new window; what cannot be reached on this machine is left out."""
    del runner  # Nobody waits for a window here, so everything is worked out in place.
    with tempfile.TemporaryDirectory(prefix="vitrail-shots-") as folder:
        if workplace.kind not in _CHANGED_HERE:
            yield from _Course(workplace, speaker).pictures()
            return
        apart = open_place(workplace.connection.removeprefix(_MACHINE), None, state_folder=Path(folder))
        try:
            yield from _Course(apart, speaker).pictures()
        finally:
            apart.close()


class _Course:
    """Two ways through the wizard: one to a card with a monitor of its own, one to a screen in a window."""

    def __init__(self, workplace: Workplace, speaker: Speaker) -> None:
        self._workplace, self._speaker = workplace, speaker
        self._hearers = Hearers(*(_unheard,) * 8)

    def pictures(self) -> Iterator[tuple[str, QWidget]]:
        """All pages that this machine lets one reach."""
        host = self._workplace.read()
        story = Story(vm_given=False, page=Page.VM, draft=Draft(), host=host)
        vm = _vm_to_show(known_or(host.vms, ()))
        if vm is None:
            yield "vm", self._window(story)
            return
        draft = Draft(Page.VM, vm.uuid, "games", Seeing.OWN_MONITOR)
        story = replace(story, draft=draft)
        for page in (Page.VM, Page.PURPOSE, Page.SEEING):
            yield page.value, self._window(replace(story, page=page), help_open=page is Page.PURPOSE)
        kept = replace(draft, mode=Mode.PASSTHROUGH)
        yield "resume", self._window(replace(story, page=Page.RESUME, kept=kept))
        yield from self._card(story)
        yield from self._screen(replace(story, draft=replace(draft, purpose="desktop", seeing=Seeing.WINDOW)))

    def _card(self, story: Story) -> Iterator[tuple[str, QWidget]]:
        """A whole card: what is lost, what would be written, why this version stops."""
        story = self._with(story, Mode.PASSTHROUGH)
        yield "modes", self._window(replace(story, page=Page.MODE))
        yield "modes-end", self._window(replace(story, page=Page.MODE), at_end=True)
        story = self._planned(story)
        if story.trouble is not None or story.planned is None:
            yield "refused", self._window(story)
            return
        yield "losses", self._window(replace(story, page=Page.LOSSES))
        yield "review-card", self._window(replace(story, page=Page.REVIEW))
        if story.planned.held:
            yield "restart", self._window(replace(story, page=Page.RESTART))
        elif self._workplace.kind in _CHANGED_HERE and story.planned.plan.needs_reboot:
            yield from self._before_restart(story, story.planned)

    def _before_restart(self, story: Story, planned: Planned) -> Iterator[tuple[str, QWidget]]:
        """Written for one trial start, and taken back again."""
        outcome = self._workplace.apply(planned.plan)
        before = work.before_restart(self._workplace, planned, story.host)
        story = replace(story, page=Page.BEFORE_RESTART, before=before, writing=Writing(begun=True, outcome=outcome))
        yield "before-restart", self._window(story)
        yield "before-restart-end", self._window(story, at_end=True)
        self._workplace.undo(planned.plan.plan_id)

    def _screen(self, story: Story) -> Iterator[tuple[str, QWidget]]:
        """A screen that this computer draws, to the proof and back again."""
        for mode in (Mode.QXL, Mode.VIRTIO, Mode.BASIC):
            tried = self._planned(self._with(story, mode))
            if tried.planned is not None and tried.planned.plan.steps:
                break
        else:
            return
        yield "modes-window", self._window(replace(tried, page=Page.MODE))
        yield "losses-none", self._window(replace(tried, page=Page.LOSSES))
        yield "review", self._window(replace(tried, page=Page.REVIEW))
        if self._workplace.kind in _CHANGED_HERE:
            yield "apply", self._window(replace(tried, page=Page.APPLY, writing=Writing(begun=True)))
            yield from self._written(replace(tried, page=Page.APPLY))

    def _written(self, story: Story) -> Iterator[tuple[str, QWidget]]:
        planned = story.planned
        if planned is None:
            return
        try:
            outcome = self._workplace.apply(planned.plan)
            yield "check", self._window(self._checked(story, outcome))
            # Once more: the VM is not what was planned on any more, so this is refused.
            self._workplace.apply(planned.plan)
        except VitrailError as error:
            yield "refused", self._window(troubled(story, error))
        previews = self._workplace.preview_undo(planned.plan.plan_id)
        writing = Writing(begun=True, outcome=outcome)
        story = replace(story, page=Page.TAKE_BACK, writing=writing, taking_back=TakingBack(previews))
        yield "take-back", self._window(story)
        done = self._workplace.undo(planned.plan.plan_id)
        yield "taken-back", self._window(replace(story, taking_back=TakingBack(previews, done)))

    def _checked(self, story: Story, outcome: RunOutcome) -> Story:
        outcomes = self._workplace.verify(outcome.plan_id)
        return replace(story, page=Page.CHECK, writing=Writing(begun=True, outcome=outcome), outcomes=outcomes)

    def _with(self, story: Story, mode: Mode) -> Story:
        """The story with all modes judged and this one chosen, on the card that suits it best."""
        weighed = work.weigh(self._workplace, story.draft)
        verdict = next(one for one in weighed.verdicts if one.mode is mode)
        draft = story.draft
        if verdict.feasible is not Feasibility.IMPOSSIBLE:
            draft = with_mode(draft, mode, card_for(verdict))
        return replace(story, page=Page.MODE, weighed=weighed, host=weighed.host, draft=draft)

    def _planned(self, story: Story) -> Story:
        if story.draft.mode is None:
            return story
        try:
            weighed, planned = work.make(self._workplace, story.draft)
        except VitrailError as error:
            return troubled(story, error)
        return replace(story, weighed=weighed, planned=planned)

    def _window(self, story: Story, *, help_open: bool = False, at_end: bool = False) -> Frame:
        place = (self._workplace.kind, self._workplace.label)
        say = self._speaker.say
        frame = Frame(say, place, _unpressed, None)
        shown = page_of(say, story, self._workplace.knowledge, None, self._hearers)
        frame.show_title(title_of(story))
        frame.show_view(shown.view, help_of(story), header_of(story), footer_of(story, can_go_on=shown.can_go_on))
        if help_open:
            frame.toggle_help()
        frame.show()
        if at_end:
            bar = shown.view.verticalScrollBar()
            QTimer.singleShot(0, shown.view, lambda: bar.setValue(bar.maximum()))
        return frame


def _vm_to_show(vms: tuple[Vm, ...]) -> Vm | None:
    """The first that can be changed, better one that is off: then no page has to speak of its next start."""
    lasting = [vm for vm in vms if vm.persistent]
    off = [vm for vm in lasting if isinstance(vm.state, Known) and vm.state.value is VmState.OFF]
    return next(iter((*off, *lasting)), None)


def _unheard(*answer: object) -> None:
    """A picture takes no answers."""
    del answer


def _unpressed(act: Act) -> None:
    """Nor does it have buttons that do anything."""
    del act

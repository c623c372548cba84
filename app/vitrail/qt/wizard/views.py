# SPDX-License-Identifier: GPL-3.0-or-later
"""From a story to the page that shows it: the one place that knows which view belongs to which state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vitrail.judge.suggestion import Seeing
from vitrail.model.knowledge import Knowledge
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.text import text
from vitrail.qt.restart.before_view import BeforeView
from vitrail.qt.widgets.labels import Say
from vitrail.qt.wizard.back_view import TakeBackView
from vitrail.qt.wizard.check_view import CheckView
from vitrail.qt.wizard.helper_view import HelperView
from vitrail.qt.wizard.losses_view import LossesView
from vitrail.qt.wizard.mode_row import Answers
from vitrail.qt.wizard.modes_view import ModesView
from vitrail.qt.wizard.options_view import OptionsView
from vitrail.qt.wizard.page import PageView
from vitrail.qt.wizard.restart_view import RestartView
from vitrail.qt.wizard.review_view import ReviewView
from vitrail.qt.wizard.run_view import RunView
from vitrail.qt.wizard.state.check import check_page
from vitrail.qt.wizard.state.helper import helper_page
from vitrail.qt.wizard.state.losses import LossesPage, losses_page
from vitrail.qt.wizard.state.modes import ModesPage, modes_page
from vitrail.qt.wizard.state.options import OptionsPage, purpose_page, resume_page, seeing_page, vm_page
from vitrail.qt.wizard.state.restart import restart_page
from vitrail.qt.wizard.state.review import review_page
from vitrail.qt.wizard.state.run import apply_page
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.state.story import Planned, Story
from vitrail.qt.wizard.state.takeback import take_back_page
from vitrail.qt.wizard.trouble_view import TroubleView


@dataclass(frozen=True, slots=True)
class Hearers:
    """Who hears the user's answers."""

    vm: Callable[[str], None]
    purpose: Callable[[str], None]
    seeing: Callable[[Seeing], None]
    resume: Callable[[bool], None]
    mode: Callable[[Mode], None]
    card: Callable[[Mode, PciAddress | None], None]
    setting: Callable[[str, str], None]
    ready: Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, and whether it lets the user go on."""

    view: PageView
    can_go_on: bool


def modes_state(story: Story, knowledge: Knowledge) -> ModesPage | None:
    """The state of the page of modes, None before they were judged."""
    weighed = story.weighed
    if weighed is None:
        return None
    now = frozenset(graphics.mode for graphics in weighed.vm.graphics if graphics.mode is not None)
    return modes_page(
        weighed.host,
        weighed.verdicts,
        knowledge,
        story.draft,
        weighed.suggestion,
        instead=weighed.instead,
        now=now,
    )


def options_state(story: Story) -> OptionsPage | None:
    """The state of a page with a few answers, None where the page is of another sort."""
    if story.host is None:
        return None
    match story.page:
        case Page.VM:
            return vm_page(story.host, story.draft)
        case Page.PURPOSE:
            return purpose_page(story.draft)
        case Page.SEEING:
            return seeing_page(story.host, story.draft)
        case Page.RESUME if story.kept is not None:
            return resume_page(story.host, story.kept, resume=story.resume)
        case _:
            return None


def losses_state(story: Story, screen: str | None) -> LossesPage | None:
    """The state of the page of losses, None before there is a plan."""
    if story.weighed is None or story.planned is None:
        return None
    return losses_page(story.weighed.host, story.planned.plan, screen)


def page_of(say: Say, story: Story, knowledge: Knowledge, screen: str | None, hearers: Hearers) -> Shown:
    """The page for this story."""
    if story.trouble is not None:
        return Shown(TroubleView(say, story.trouble), can_go_on=True)
    options = options_state(story)
    if options is not None:
        return Shown(OptionsView(say, options, _option_hearer(story, hearers)), options.can_go_on)
    modes = modes_state(story, knowledge) if story.page is Page.MODE else None
    if modes is not None:
        answers = Answers(hearers.card, hearers.setting)
        return Shown(ModesView(say, modes, hearers.mode, answers), modes.can_go_on)
    losses = losses_state(story, screen) if story.page is Page.LOSSES else None
    if losses is not None:
        return Shown(LossesView(say, losses), losses.can_go_on)
    # Before the restart the user ticks first what has to be ready.
    return Shown(_later_page(say, story, hearers.ready), can_go_on=_may_go_on(story))


def _may_go_on(story: Story) -> bool:
    if story.page is Page.HELPER and story.planned is not None and story.planned.first is not None:
        return helper_page(story.planned.first).can_go_on
    return story.page is not Page.BEFORE_RESTART


def _later_page(say: Say, story: Story, ready: Callable[[bool], None]) -> PageView:
    """The pages from the review on, which only show."""
    planned, back = story.planned, story.taking_back
    if story.page is Page.TAKE_BACK and back is not None:
        return TakeBackView(say, take_back_page(back.previews, back.done))
    if story.page is Page.BEFORE_RESTART and story.before is not None:
        return BeforeView(say, story.before, ready)
    return PageView(say, text("wizard.title")) if planned is None else _planned_page(say, story, planned)


def _planned_page(say: Say, story: Story, planned: Planned) -> PageView:
    match story.page:
        case Page.REVIEW:
            return ReviewView(say, review_page(planned.plan, planned.gates))
        case Page.RESTART:
            return RestartView(say, restart_page(planned.plan, planned.gates))
        case Page.HELPER if planned.first is not None:
            return HelperView(say, helper_page(planned.first))
        case Page.APPLY | Page.BEFORE_RESTART:
            writing = story.writing
            return RunView(say, apply_page(planned.plan, writing.seen, writing.outcome, begun=writing.begun))
        case Page.CHECK:
            return CheckView(say, check_page(story.outcomes, planned.plan.vm_name))
    return PageView(say, text("wizard.title"))


def _option_hearer(story: Story, hearers: Hearers) -> Callable[[str], None]:
    match story.page:
        case Page.VM:
            return hearers.vm
        case Page.PURPOSE:
            return hearers.purpose
        case Page.SEEING:
            return lambda key: hearers.seeing(Seeing(key))
        case _:
            return lambda key: hearers.resume(key == "resume")

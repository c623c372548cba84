# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that one run of the wizard knows so far; the page, its circles and its foot follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.judge.suggestion import Suggestion
from vitrail.model.errors import VitrailError
from vitrail.model.finding import Finding
from vitrail.model.machine import Host, MachineKind
from vitrail.model.outcome import Outcome, PromiseResult, RunOutcome, RunResult, StepOutcome
from vitrail.model.plan import Plan
from vitrail.model.reading import Known
from vitrail.model.text import Text, text
from vitrail.model.verdict import ModeVerdict
from vitrail.model.vm import Vm
from vitrail.qt.restart.before import BeforePage
from vitrail.qt.wizard.state import footer, steps
from vitrail.qt.wizard.state.check import overall_of
from vitrail.qt.wizard.state.draft import Draft, with_vm
from vitrail.qt.wizard.state.footer import Footer
from vitrail.qt.wizard.state.review import stops_before_writing
from vitrail.qt.wizard.state.run import changed_anything
from vitrail.qt.wizard.state.steps import HeaderStep, Page
from vitrail.qt.wizard.state.trouble import Kind, TroublePage, trouble_page
from vitrail.service.helper_install import InstallPreview
from vitrail.service.undoing import UndoPreview


@dataclass(frozen=True, slots=True)
class Weighed:
    """All modes for one VM, judged on one look."""

    host: Host
    vm: Vm
    verdicts: tuple[ModeVerdict, ...]
    suggestion: Suggestion | None
    instead: Suggestion | None = None
    """What would be suggested if it did not matter how the picture is seen."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what forbids this version to write it."""

    plan: Plan
    gates: tuple[Finding, ...]
    first: InstallPreview | None = None
    """The root's part that has to be installed before it, None where it is there or not needed."""
    looks: bool = False
    """Whether that is needed already to see what only root reads: then it comes before the losses."""

    @property
    def held(self) -> bool:
        """Whether it is shown and not written."""
        return stops_before_writing(self.plan, self.gates)


@dataclass(frozen=True, slots=True)
class Writing:
    """One apply: `begun` once the changer has taken it up, `outcome` once it ended."""

    begun: bool = False
    seen: tuple[StepOutcome, ...] = ()
    outcome: RunOutcome | None = None


@dataclass(frozen=True, slots=True)
class TakingBack:
    """What taking back would write, and what came of it."""

    previews: tuple[UndoPreview, ...]
    done: tuple[RunOutcome, ...] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """`vm_given`: the caller named the VM, so it is not asked. `trouble` stands in front of the page."""

    vm_given: bool
    page: Page
    draft: Draft
    host: Host | None = None
    kept: Draft | None = None
    resume: bool = True
    weighed: Weighed | None = None
    planned: Planned | None = None
    writing: Writing = Writing()
    before: BeforePage | None = None
    outcomes: tuple[Outcome, ...] = ()
    taking_back: TakingBack | None = None
    trouble: TroublePage | None = None

    @property
    def pages(self) -> tuple[Page, ...]:
        """The way from the first question to the last page."""
        held = self.planned is not None and self.planned.held
        restarts = self.planned is not None and self.planned.plan.needs_reboot
        before = None
        if self.planned is not None and self.planned.first is not None:
            before = Page.LOSSES if self.planned.looks else Page.APPLY
        held = held and before is not Page.LOSSES
        return steps.order(vm_given=self.vm_given, stops_before_writing=held, restarts=restarts, helper_before=before)

    @property
    def written(self) -> bool:
        """Whether something of this run may be on the machine."""
        outcome = self.writing.outcome
        return outcome is not None and changed_anything(outcome)

    @property
    def under_way(self) -> bool:
        """Whether a write has begun and not ended: then the window stays."""
        return self.page is Page.APPLY and self.writing.begun and self.writing.outcome is None and not self.trouble


def first_page(story: Story) -> Story:
    """The story at its first screen: the offer to go on where there is something to go on with, else a question."""
    draft = story.draft
    kept = story.kept
    if kept is not None and kept.begun and _still_there(story, kept) and draft.vm_uuid in (None, kept.vm_uuid):
        return replace(story, page=Page.RESUME)
    return replace(story, page=story.pages[0], kept=None)


def resumed(story: Story) -> Story:
    """The story after the answer to the offer; what comes after the modes is never jumped to, but judged anew."""
    if not story.resume or story.kept is None:
        return replace(story, page=story.pages[0], kept=None)
    answered = (story.kept.purpose is not None, story.kept.seeing is not None)
    page = Page.MODE if all(answered) else Page.SEEING if answered[0] else Page.PURPOSE
    return replace(story, page=page, draft=story.kept, kept=None)


def _still_there(story: Story, kept: Draft) -> bool:
    vms = story.host.vms.value if story.host is not None and isinstance(story.host.vms, Known) else ()
    return any(vm.uuid == kept.vm_uuid for vm in vms)


def about(story: Story, vm_uuid: str) -> Story:
    """The story about this VM."""
    return replace(story, draft=with_vm(story.draft, vm_uuid))


def title_of(story: Story) -> Text:
    """Which VM this is about, once that is known."""
    if story.page in (Page.VM, Page.RESUME) or story.host is None or not isinstance(story.host.vms, Known):
        return text("wizard.title")
    name = next((vm.name for vm in story.host.vms.value if vm.uuid == story.draft.vm_uuid), None)
    return text("wizard.title") if name is None else text("wizard.title-vm", vm=name)


def header_of(story: Story) -> tuple[HeaderStep, ...]:
    """The circles."""
    return steps.header(story.pages, story.page)


def help_of(story: Story) -> Text:
    """The help for what is shown."""
    return text("wizard.help.trouble" if story.trouble is not None else f"wizard.help.{story.page.value}")


def footer_of(story: Story, *, can_go_on: bool) -> Footer:
    """The foot; `can_go_on` is what the page itself says."""
    trouble = story.trouble
    if trouble is not None:
        return footer.trouble_footer(retry=trouble.retry, back_to=trouble.back_to, written=story.written)
    if story.page in (Page.APPLY, Page.BEFORE_RESTART, Page.CHECK, Page.TAKE_BACK):
        return _writing_footer(story, can_go_on=can_go_on)
    if story.page is Page.RESTART:
        return footer.stopped_footer()
    if story.page is Page.REVIEW and story.planned is not None and not story.planned.plan.steps:
        return footer.empty_plan_footer()
    return footer.question_footer(story.pages, story.page, can_go_on=can_go_on)


def _writing_footer(story: Story, *, can_go_on: bool) -> Footer:
    if story.page is Page.APPLY:
        return footer.apply_footer(can_stop=not story.writing.begun)
    if story.page is Page.BEFORE_RESTART:
        restarts = story.host is not None and story.host.kind is MachineKind.REAL
        return footer.before_footer(ready=can_go_on, restarts=restarts)
    if story.page is Page.CHECK:
        return footer.check_footer(proven=overall_of(story.outcomes) is PromiseResult.KEPT)
    back = story.taking_back
    done = back is not None and back.done is not None
    return footer.take_back_footer(done=done, anything=back is not None and bool(back.previews))


def troubled(story: Story, error: VitrailError) -> Story:
    """The story with this error before its page. A write whose end nobody knows may be on the machine."""
    trouble = trouble_page(error, story.page)
    if story.host is None:
        # Nothing was read yet, so there is no question to go back to.
        trouble = replace(trouble, back_to=None)
    writing = story.writing
    if story.page is Page.APPLY and trouble.kind is Kind.UNSETTLED and story.planned is not None:
        unknown = RunOutcome(story.planned.plan.plan_id, "", RunResult.UNKNOWN, writing.seen)
        writing = replace(writing, outcome=unknown)
    return replace(story, trouble=trouble, writing=writing)

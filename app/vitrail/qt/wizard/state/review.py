# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change in full before anything is written: what it does, what it writes, how it is taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.plan import Phase, Plan, When, Writer
from vitrail.model.step import Step
from vitrail.model.text import Text, text
from vitrail.plan.describe import acts_at_restart, diff_of, kind_of, subject_of, summary_of, undo_of


@dataclass(frozen=True, slots=True)
class StepCard:
    """One change. `blocked` is set where this version does not write it; `section` opens a new part of the plan."""

    number: int
    summary: Text
    writer: Text
    when: Text
    subject: str
    kind: str
    diff: str
    undo: Text
    blocked: Text | None
    section: Text | None = None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """All changes, and what was noticed while planning them."""

    question: Text
    lead: Text
    cards: tuple[StepCard, ...]
    notices: tuple[Finding, ...]
    plan_id: str


def review_page(plan: Plan, gates: tuple[Finding, ...] = ()) -> ReviewPage:
    """The plan as it would be carried out, nothing left out; `gates` forbid this version to write it."""
    steps = [(phase, step) for phase in plan.phases for step in phase.steps]
    held = stops_before_writing(plan, gates)
    cards = tuple(_card(number, phase, step, held=held) for number, (phase, step) in enumerate(steps, 1))
    if len({phase.when for phase, _ in steps}) > 1:
        cards = tuple(replace(card, section=_section(steps, index)) for index, card in enumerate(cards))
    return ReviewPage(
        question=text("wizard.review.question" if cards else "wizard.review.nothing-question"),
        lead=_lead(len(cards), held=held),
        cards=cards,
        notices=_notices(plan.findings),
        plan_id=plan.plan_id,
    )


def stops_before_writing(plan: Plan, gates: tuple[Finding, ...]) -> bool:
    """Whether this version shows the plan and then stops. All of a plan is held back, never a part of it."""
    return not plan.writable or any(gate.stops for gate in gates)


def _lead(count: int, *, held: bool) -> Text:
    if count == 0:
        return text("wizard.review.nothing")
    if held:
        return text("wizard.review.not-writable")
    return text("wizard.review.count", count=count)


def _card(number: int, phase: Phase, step: Step, *, held: bool) -> StepCard:
    when = _when(phase, step)
    return StepCard(
        number=number,
        summary=summary_of(step),
        writer=text(f"wizard.review.writer.{phase.writer.value}"),
        when=text(f"wizard.review.when.{when}"),
        subject=subject_of(step),
        kind=kind_of(step),
        diff=diff_of(step),
        undo=undo_of(step),
        blocked=text("wizard.review.not-written") if held else None,
    )


def _section(steps: list[tuple[Phase, Step]], index: int) -> Text | None:
    """The heading above the first step of each time, with how many follow."""
    when = steps[index][0].when
    if index and steps[index - 1][0].when is when:
        return None
    return text(f"wizard.review.section.{when.value}", sum(phase.when is when for phase, _ in steps))


def _when(phase: Phase, step: Step) -> str:
    if phase.when is When.KEEP:
        return "keep"
    if phase.when is When.KEPT:
        return "kept"
    if phase.writer is Writer.VM:
        return "vm-start"
    return "restart" if acts_at_restart(step) else "now"


def _notices(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What did not pass, what stops first; a thing that is both a warning and a stop is said once."""
    order = (Severity.BLOCKS, Severity.WARNS, Severity.INFO)
    kept: dict[Text, Finding] = {}
    for finding in sorted(findings, key=lambda one: order.index(one.severity)):
        if finding.status is not Status.PASS:
            kept.setdefault(finding.title, finding)
    return tuple(kept.values())

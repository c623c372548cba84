# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that must hold before a plan is carried out. Nothing is written here, so every refusal leaves no trace.

Called twice: before the lock is taken, so that a refused request makes no lock, and under it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.helper.effects import images_of
from vitrail.helper.journal import readable_runs
from vitrail.helper.machine import check_fits, check_space
from vitrail.helper.packages import check_packages
from vitrail.helper.run import demand
from vitrail.helper.state import State
from vitrail.helper.tree import File, Tree
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.host_place import stages_of, subject_of_change, subject_path
from vitrail.model.host_step import ArgumentsByTool, HostPlan, RunTool, WriteFile, cards_of, tokens_of
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.outcome import RunState
from vitrail.model.render import digest_of, render


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a file step found and will write."""

    current: File | None
    content: bytes


def check(state: State, plan: HostPlan) -> None:
    """Nothing, where the plan may be carried out now. Raises Refusal."""
    _check_rules(plan)
    if state.is_locked():
        raise Refusal(Kind.LOCKED)
    check_now(state, plan)


def check_now(state: State, plan: HostPlan) -> None:
    """The part that the machine decides."""
    check_fits(state.tree, plan)
    check_packages(state.tree)
    interrupted = next((run for run in readable_runs(state.tree) if run.state is RunState.INTERRUPTED), None)
    if interrupted is not None:
        raise Refusal(Kind.INTERRUPTED, run=interrupted.name, plan_id=interrupted.plan.plan_id)
    for change in plan.steps:
        if isinstance(change, WriteFile):
            prepare(state.tree, change)
        elif isinstance(change, RunTool | ArgumentsByTool):
            demand(state.tree, change.tool)
            check_space(state.tree, images_of(state.tree, change.tool))


def _check_rules(plan: HostPlan) -> None:
    """What the plan alone decides."""
    stages = stages_of(plan.steps)
    if list(stages) != sorted(stages):
        raise Refusal(Kind.RULE, rule="order")
    subjects = [subject_of_change(change) for change in plan.steps]
    if len(set(subjects)) != len(subjects):
        raise Refusal(Kind.RULE, rule="subject-twice")
    cards = cards_of(plan)
    mine = {card.identity for card in cards if card.plan_id == plan.plan_id}
    tokens = tokens_of(plan)
    if tokens and plan.plan_id not in tokens:
        raise Refusal(Kind.RULE, rule="token")
    if not {card.identity for card in cards} <= set(plan.identities) or (cards and not mine):
        raise Refusal(Kind.RULE, rule="cards")


def prepare(tree: Tree, change: WriteFile) -> Prepared:
    """What is there and what it becomes. Raises Refusal unless both are what was previewed."""
    subject = subject_of_change(change)
    current = tree.read(subject_path(change) or "")
    if (current.state.digest if current is not None else None) != change.before:
        raise Refusal(Kind.SUBJECT_CHANGED, subject=subject)
    try:
        content = render(change.template, current.content if current is not None else None)
    except Unrenderable as error:
        raise Refusal(Kind.UNRENDERABLE, subject=subject, reason=str(error)) from error
    if digest_of(content) != change.after:
        raise Refusal(Kind.RENDERING, subject=subject)
    return Prepared(current, content)

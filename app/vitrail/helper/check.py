# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that must hold before a plan is carried out. Nothing is written here, so every refusal leaves no trace.

Called twice: before the lock is taken, so that a refused request makes no lock, and under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.helper.bind_live import check_binding
from vitrail.helper.effects import check_images, images_of
from vitrail.helper.journal import readable_runs
from vitrail.helper.machine import check_fits, check_room, check_space
from vitrail.helper.packages import check_packages
from vitrail.helper.permissions import check_given_to, check_permission
from vitrail.helper.rules import check_rules, trial_of
from vitrail.helper.run import demand
from vitrail.helper.started_by import check_started_by
from vitrail.helper.state import State
from vitrail.helper.tree import File, Tree
from vitrail.helper.trial_fit import check_trial
from vitrail.helper.trial_image import build_image
from vitrail.model.binding import BindLive
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.host_place import subject_of_change, subject_path
from vitrail.model.host_step import ArgumentsByTool, HostChange, HostPlan, RunTool, WriteFile
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.outcome import RunState
from vitrail.model.permission import JoinGroup, LabelRom
from vitrail.model.render import digest_of, render
from vitrail.model.trial import MakeTrialImage


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a file step found and will write."""

    current: File | None
    content: bytes


def check(state: State, plan: HostPlan) -> None:
    """Nothing, where the plan may be carried out now. Raises Refusal."""
    check_rules(plan)
    if state.is_locked():
        raise Refusal(Kind.LOCKED)
    check_now(state, plan)
    check_started_by(state.tree, plan)
    check_images(state.tree, plan)
    if plan.keep:
        check_images(state.tree, replace(plan, steps=plan.keep, keep=(), guarded=False))
    trial = trial_of(plan)
    if trial is not None:
        check_trial(state.tree, trial)
        if trial.image is not None:
            check_image(state.tree, trial.image)


def check_now(state: State, plan: HostPlan, *, tried: str | None = None) -> None:
    """The part that the machine decides. `tried`: the plan whose trial this makes lasting."""
    check_fits(state.tree, plan)
    check_packages(state.tree)
    _check_runs(state.tree, tried)
    # What Keep will do is looked at too: a trial of what cannot be made lasting is none.
    for change in (*plan.steps, *plan.keep):
        _check_change(state.tree, change)


def _check_runs(tree: Tree, tried: str | None) -> None:
    """Nothing is begun on top of what was broken off, nor beside what is being tried."""
    for run in readable_runs(tree):
        if run.state is RunState.INTERRUPTED and not run.is_left_over:
            raise Refusal(Kind.INTERRUPTED, run=run.name, plan_id=run.plan.plan_id)
        if run.awaits_keep and run.plan.plan_id != tried:
            raise Refusal(Kind.AWAITS_KEEP, run=run.name, plan_id=run.plan.plan_id)


def _check_change(tree: Tree, change: HostChange) -> None:
    match change:
        case WriteFile():
            check_given_to(tree, change.template)
            prepare(tree, change)
        case JoinGroup() | LabelRom():
            check_permission(tree, change)
        case RunTool() | ArgumentsByTool():
            demand(tree, change.tool)
            check_space(tree, images_of(tree, change.tool))
        case BindLive():
            check_binding(tree, change)
        case MakeTrialImage():
            path = subject_path(change) or ""
            if tree.exists(path):
                raise Refusal(Kind.SUBJECT_CHANGED, subject=f"/{path}")


def check_image(tree: Tree, change: MakeTrialImage) -> None:
    """Nothing, where the trial's image can be made, and there is room for it. Raises Refusal."""
    path = subject_path(change) or ""
    missing = tree.missing_folders(path)
    above = missing[0] if missing else path
    check_room(tree, above, len(build_image(tree, change)))


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan alone decides: rules of the helper's own, whatever machine it is for."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.binding import BindLive
from vitrail.model.host_place import stages_of, subject_of_change
from vitrail.model.host_step import (
    Fixed,
    FixedFile,
    HostChange,
    HostPlan,
    Template,
    WriteFile,
    arguments_of,
    cards_of,
    tokens_of,
)
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.kernel_argument import Flag, PlanToken
from vitrail.model.trial import (
    EntryFolder,
    EntryTrial,
    GrubFolder,
    GrubTrial,
    ImageFolder,
    MakeTrialImage,
    OneShot,
    SetOneShot,
    StoreGuard,
)

_MEANS: dict[GrubFolder | EntryFolder, tuple[OneShot, ImageFolder]] = {
    GrubFolder.GRUB: (OneShot.GRUB, ImageFolder.BOOT),
    GrubFolder.GRUB2: (OneShot.GRUB2, ImageFolder.BOOT),
    EntryFolder.BOOT: (OneShot.SYSTEMD_BOOT, ImageFolder.BOOT),
    EntryFolder.EFI: (OneShot.SYSTEMD_BOOT, ImageFolder.EFI),
    EntryFolder.BOOT_EFI: (OneShot.SYSTEMD_BOOT, ImageFolder.BOOT_EFI),
}
_GUARD_FILES = frozenset({Fixed.GUARD_UNIT, Fixed.GUARD_AT_START, Fixed.GUARD_IN_EMERGENCY})


@dataclass(frozen=True, slots=True)
class Trial:
    """The steps of a plan that make a trial."""

    entry: GrubTrial | EntryTrial
    image: MakeTrialImage | None
    """None where only arguments are tried."""
    one_shot: SetOneShot


def check_rules(plan: HostPlan) -> None:
    """Nothing, where the plan breaks no rule. Raises Refusal."""
    for steps in (plan.steps, plan.keep):
        _check_order(steps)
    cards = cards_of(plan)
    mine = {card.identity for card in cards if card.plan_id == plan.plan_id}
    tokens = tokens_of(plan)
    if tokens and plan.plan_id not in tokens:
        raise Refusal(Kind.RULE, rule="token")
    if not {card.identity for card in cards} <= set(plan.identities) or (cards and not mine):
        raise Refusal(Kind.RULE, rule="cards")
    live = [change.identity for change in (*plan.steps, *plan.keep) if isinstance(change, BindLive)]
    if not set(live) <= set(plan.identities):
        raise Refusal(Kind.RULE, rule="cards")
    # What a restart ends anyway needs no trial of a start, and what is kept outlives it.
    if live and (plan.guarded or plan.keep):
        raise Refusal(Kind.RULE, rule="live")
    if any(is_of_trial(change) for change in plan.keep):
        raise Refusal(Kind.RULE, rule="trial")
    if plan.guarded and not any(isinstance(change, StoreGuard) for change in plan.steps):
        raise Refusal(Kind.RULE, rule="guard")
    if plan.keep and (trial_of(plan) is None or not plan.guarded):
        raise Refusal(Kind.RULE, rule="keep")
    _check_trial(plan)


def _check_order(steps: tuple[HostChange, ...]) -> None:
    stages = stages_of(steps)
    if list(stages) != sorted(stages):
        raise Refusal(Kind.RULE, rule="order")
    subjects = [subject_of_change(change) for change in steps]
    if len(set(subjects)) != len(subjects):
        raise Refusal(Kind.RULE, rule="subject-twice")


def is_of_trial(change: HostChange) -> bool:
    """Whether a step belongs to a trial, and so never stays."""
    if isinstance(change, WriteFile):
        return isinstance(change.template, GrubTrial | EntryTrial) or is_of_guard(change)
    return isinstance(change, MakeTrialImage | SetOneShot | StoreGuard)


def is_of_guard(change: HostChange) -> bool:
    """Whether a step is there for the guard alone, which goes with Keep."""
    if isinstance(change, WriteFile):
        return isinstance(change.template, FixedFile) and change.template.which in _GUARD_FILES
    return isinstance(change, StoreGuard)


def trial_of(plan: HostPlan) -> Trial | None:
    """The trial that a plan's steps make, None where they make none."""
    templates: list[Template] = [change.template for change in plan.steps if isinstance(change, WriteFile)]
    entries = [one for one in templates if isinstance(one, GrubTrial | EntryTrial)]
    images = [change for change in plan.steps if isinstance(change, MakeTrialImage)]
    shots = [change for change in plan.steps if isinstance(change, SetOneShot)]
    if not entries and not images and not shots:
        return None
    if len(entries) != 1 or len(shots) != 1 or len(images) != (entries[0].image is not None):
        raise Refusal(Kind.RULE, rule="trial")
    return Trial(entries[0], images[0] if images else None, shots[0])


def _check_trial(plan: HostPlan) -> None:
    """A trial is whole, of this plan alone, and nothing that lasts is among its steps."""
    trial = trial_of(plan)
    if trial is None:
        return
    needed = {Flag.PANIC, Flag.GUARD, PlanToken(plan.plan_id)}
    unit = any(isinstance(one, WriteFile) and one.template == FixedFile(Fixed.GUARD_UNIT) for one in plan.steps)
    whole = unit and plan.guarded and needed <= set(trial.entry.arguments)
    names = {trial.entry.plan_id, trial.one_shot.plan_id, trial.image.plan_id if trial.image else plan.plan_id}
    # The mark is the one commit point, so it comes last.
    last = plan.steps[-1] == trial.one_shot
    if not whole or not last or names != {plan.plan_id} or not all(map(is_of_trial, plan.steps)):
        raise Refusal(Kind.RULE, rule="trial")
    means, folder = _MEANS[trial.entry.folder]
    if trial.one_shot.means is not means or (trial.image is not None and trial.image.folder is not folder):
        raise Refusal(Kind.RULE, rule="trial")
    if not plan.keep or any(
        Flag.GUARD in arguments_of(change) or Flag.PANIC in arguments_of(change) for change in plan.keep
    ):
        raise Refusal(Kind.RULE, rule="keep")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change to this computer is for and how it is taken back, each in one sentence."""

from __future__ import annotations

from vitrail.model.binding import VFIO, BindLive
from vitrail.model.host_place import place_of, subject_of_change
from vitrail.model.host_step import (
    ArgumentsByTool,
    ArgumentsFile,
    FixedFile,
    HostChange,
    LoaderEntry,
    RunTool,
    Template,
    WriteFile,
)
from vitrail.model.kernel_argument import words_of
from vitrail.model.permission import (
    SELINUX_TYPE,
    AppArmorRoms,
    JoinGroup,
    LabelRom,
    LockedMemory,
    Permission,
    SessionMemory,
    VfioAccess,
)
from vitrail.model.reservation import ReservedCards
from vitrail.model.text import Text, text
from vitrail.model.trial import EntryTrial, GrubTrial, MakeTrialImage, SetOneShot, StoreGuard


def summary_of_change(  # noqa: PLR0911 - one way out a kind
    change: HostChange,
) -> Text:
    """What the step does, and what for."""
    subject = subject_of_change(change)
    match change:
        case WriteFile():
            return _summary_of_file(change.template, subject)
        case RunTool():
            return text(f"plan.step.run.{change.tool.value}")
        case ArgumentsByTool():
            return text(f"plan.step.by.{change.tool.value}", words=" ".join(words_of(change.arguments)))
        case MakeTrialImage():
            return text("plan.step.make-trial-image", path=subject)
        case SetOneShot():
            return text("plan.step.set-one-shot", tool=subject)
        case StoreGuard():
            return text("plan.step.store-guard", path=subject)
        case BindLive():
            return _summary_of_binding(change)
        case JoinGroup():
            return text("plan.step.join-group", user=change.user, group=change.group.value)
        case LabelRom():
            return text("plan.step.label-rom", path=subject, type=SELINUX_TYPE)


def _summary_of_file(template: Template, path: str) -> Text:
    match template:
        case FixedFile():
            return text(f"plan.step.file.{template.which.value}", path=path)
        case ReservedCards():
            addresses = ", ".join(card.identity.address.short for card in template.cards)
            return text("plan.step.file.reserved-cards", len(template.cards), addresses=addresses, path=path)
        case ArgumentsFile():
            words = " ".join(words_of(template.arguments))
            return text(f"plan.step.arguments.{template.which.value}", words=words, path=path)
        case LoaderEntry():
            words = " ".join(words_of(template.arguments))
            return text("plan.step.arguments.loader-entry", words=words, path=path)
        case GrubTrial() | EntryTrial():
            return text("plan.step.file.trial", path=path)
        case VfioAccess() | LockedMemory() | SessionMemory() | AppArmorRoms():
            return _summary_of_permission(template, path)


def _summary_of_permission(permission: Permission, path: str) -> Text:
    match permission:
        case VfioAccess():
            return text("plan.step.file.vfio-access", user=permission.user, path=path)
        case LockedMemory():
            return text("plan.step.file.locked-memory", user=permission.user, mib=permission.mib, path=path)
        case SessionMemory():
            return text("plan.step.file.session-memory", mib=permission.mib, path=path)
        case AppArmorRoms():
            roms = ", ".join(f"/{rom}" for rom in permission.paths)
            return text("plan.step.file.apparmor-roms", len(permission.paths), roms=roms, path=path)


def undo_of_change(  # noqa: PLR0911 - one way out a kind
    change: HostChange,
) -> Text:
    """How the step is taken back."""
    subject = subject_of_change(change)
    match change:
        case WriteFile():
            return text(_undo_of_file(change), path=subject)
        case RunTool():
            return text("plan.undo.run", tool=subject)
        case ArgumentsByTool():
            return text("plan.undo.by", tool=subject, words=" ".join(words_of(change.arguments)))
        case MakeTrialImage() | StoreGuard():
            return text("plan.undo.file-removed", path=subject)
        case SetOneShot():
            return text("plan.undo.set-one-shot", tool=subject)
        case BindLive():
            return _undo_of_binding(change)
        case JoinGroup():
            return text("plan.undo.join-group", user=change.user, group=change.group.value)
        case LabelRom():
            return text("plan.undo.label-rom", path=subject)


def _summary_of_binding(change: BindLive) -> Text:
    address = change.identity.address.short
    if change.after == VFIO:
        return text("plan.step.bind-live.to-vms", address=address)
    if change.after is None:
        return text("plan.step.bind-live.free", address=address)
    return text("plan.step.bind-live.back", address=address, driver=change.after)


def _undo_of_binding(change: BindLive) -> Text:
    address = change.identity.address.short
    if change.before is None:
        return text("plan.undo.bind-live.free", address=address)
    return text("plan.undo.bind-live.back", address=address, driver=change.before)


def _undo_of_file(change: WriteFile) -> str:
    if change.before is None:
        return "plan.undo.file-removed"
    return "plan.undo.file-restored" if place_of(change.template).ours else "plan.undo.words-removed"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each template is written and when in a run: the fixed list of places that root ever writes.

`ours`: Vitrail is the file's only author, so it comes and goes whole. Elsewhere words or a marked block are ours, and
the rest is the user's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vitrail.model.binding import BindLive
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsByTool,
    ArgumentsFile,
    Fixed,
    FixedFile,
    HostChange,
    LoaderEntry,
    RunTool,
    Template,
    Tool,
    WriteFile,
)
from vitrail.model.permission import (
    AppArmorRoms,
    JoinGroup,
    LabelRom,
    LockedMemory,
    SessionMemory,
    VfioAccess,
    permission_path,
)
from vitrail.model.reservation import ReservedCards
from vitrail.model.trial import (
    EntryTrial,
    GrubTrial,
    MakeTrialImage,
    SetOneShot,
    StoreGuard,
    entry_name,
    image_path,
)

_PLAIN = 0o644
_PROGRAM = 0o755
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Place:
    """A path from the root without its first slash; `mode` is for a file that did not exist."""

    path: str
    mode: int
    ours: bool


GUARD_CORE = "var/lib/vitrail/guard/vitrail-helper.pyz"
"""The guard's own copy of the core: /var, where no package and no snapshot of the system puts anything back."""
GUARD_CORE_MODE = 0o700


class Stage(IntEnum):
    """The order of a host phase: what does nothing by itself, then images, then what starts the machine."""

    INERT = 0
    IMAGE = 1
    BOOT = 2


_ARGUMENTS: dict[ArgumentFile, Place] = {
    ArgumentFile.GRUB_DROP_IN: Place("etc/default/grub.d/60-vitrail.cfg", _PLAIN, ours=True),
    ArgumentFile.GRUB_DEFAULTS: Place("etc/default/grub", _PLAIN, ours=False),
    ArgumentFile.KERNEL_CMDLINE: Place("etc/kernel/cmdline", _PLAIN, ours=False),
    ArgumentFile.CMDLINE_DROP_IN: Place("etc/cmdline.d/60-vitrail.conf", _PLAIN, ours=True),
    ArgumentFile.SDBOOT_MANAGE: Place("etc/sdboot-manage.conf", _PLAIN, ours=False),
    ArgumentFile.LIMINE_DEFAULTS: Place("etc/default/limine", _PLAIN, ours=False),
    ArgumentFile.REFIND_LINUX: Place("boot/refind_linux.conf", _PLAIN, ours=False),
}

_FIXED: dict[Fixed, Place] = {
    Fixed.INITRAMFS_TOOLS_HOOK: Place("etc/initramfs-tools/hooks/vitrail", _PROGRAM, ours=True),
    Fixed.INITRAMFS_TOOLS_EARLY: Place("etc/initramfs-tools/scripts/init-top/00-vitrail", _PROGRAM, ours=True),
    Fixed.DRACUT_CONF: Place("etc/dracut.conf.d/60-vitrail.conf", _PLAIN, ours=True),
    Fixed.DRACUT_MODULE: Place("usr/lib/dracut/modules.d/60vitrail/module-setup.sh", _PROGRAM, ours=True),
    Fixed.DRACUT_EARLY: Place("usr/lib/dracut/modules.d/60vitrail/vitrail-early.sh", _PROGRAM, ours=True),
    Fixed.MKINITCPIO_CONF: Place("etc/mkinitcpio.conf.d/60-vitrail.conf", _PLAIN, ours=True),
    Fixed.MKINITCPIO_INSTALL: Place("etc/initcpio/install/vitrail", _PLAIN, ours=True),
    Fixed.MKINITCPIO_HOOK: Place("etc/initcpio/hooks/vitrail", _PLAIN, ours=True),
    Fixed.BOOSTER_MODULES: Place("etc/booster.yaml", _PLAIN, ours=False),
    Fixed.GUARD_UNIT: Place("etc/systemd/system/vitrail-guard.service", _PLAIN, ours=True),
    Fixed.GUARD_AT_START: Place("etc/systemd/system/sysinit.target.d/60-vitrail.conf", _PLAIN, ours=True),
    Fixed.GUARD_IN_EMERGENCY: Place("etc/systemd/system/emergency.target.d/60-vitrail.conf", _PLAIN, ours=True),
}

_IMAGE_TOOLS = frozenset({Tool.UPDATE_INITRAMFS, Tool.DRACUT, Tool.MKINITCPIO, Tool.BOOSTER})
_START_TOOLS = frozenset(Tool) - _IMAGE_TOOLS - {Tool.UDEV_RULES}


def place_of(  # noqa: PLR0911 - one way out a kind
    template: Template,
) -> Place:
    """The one place of this template."""
    match template:
        case FixedFile():
            return _FIXED[template.which]
        case ReservedCards():
            return Place("etc/vitrail/reserved-cards", _PLAIN, ours=True)
        case LoaderEntry():
            return Place(f"{template.folder.value}/{template.name}.conf", _PLAIN, ours=False)
        case ArgumentsFile():
            return _ARGUMENTS[template.which]
        case GrubTrial():
            return Place(f"{template.folder.value}/custom.cfg", _PRIVATE, ours=False)
        case EntryTrial():
            return Place(f"{template.folder.value}/{entry_name(template.plan_id)}.conf", _PLAIN, ours=True)
        case VfioAccess() | LockedMemory() | SessionMemory() | AppArmorRoms():
            return Place(permission_path(template), _PLAIN, ours=True)


def stages_of(changes: tuple[HostChange, ...]) -> tuple[Stage, ...]:
    """When each of the steps that are carried out together has its turn.

    /etc/kernel/cmdline and its drop-ins feed whatever comes last: a boot tool, or, in unified images, the image tool.
    """
    own_tool = any(isinstance(change, RunTool) and change.tool in _START_TOOLS for change in changes)
    return tuple(_stage_of(change, own_tool=own_tool) for change in changes)


def _stage_of(change: HostChange, *, own_tool: bool) -> Stage:
    match change:
        case RunTool():
            return _stage_of_tool(change.tool)
        case MakeTrialImage():
            return Stage.IMAGE
        case StoreGuard() | JoinGroup() | LabelRom():
            return Stage.INERT
        case WriteFile():
            return _stage_of_file(change.template, own_tool=own_tool)
    return Stage.BOOT


def _stage_of_tool(tool: Tool) -> Stage:
    if tool in _IMAGE_TOOLS:
        return Stage.IMAGE
    return Stage.BOOT if tool in _START_TOOLS else Stage.INERT


def _stage_of_file(template: Template, *, own_tool: bool) -> Stage:
    match template:
        case FixedFile() | ReservedCards() | VfioAccess() | LockedMemory() | SessionMemory() | AppArmorRoms():
            return Stage.INERT
        case ArgumentsFile(which=ArgumentFile.KERNEL_CMDLINE | ArgumentFile.CMDLINE_DROP_IN) if not own_tool:
            return Stage.INERT
    return Stage.BOOT


def subject_path(change: HostChange) -> str | None:
    """The path that a step writes itself, None where a program does the writing."""
    match change:
        case RunTool() | ArgumentsByTool() | SetOneShot() | BindLive() | JoinGroup() | LabelRom():
            return None
        case MakeTrialImage():
            return image_path(change.folder, change.plan_id)
        case StoreGuard():
            return GUARD_CORE
    return place_of(change.template).path


def subject_of_change(change: HostChange) -> str:
    """What a step is on, for journals and answers: a path with its slash, or the program's name."""
    match change:
        case RunTool() | ArgumentsByTool():
            return change.tool.value
        case SetOneShot():
            return change.means.value
        case BindLive():
            return str(change.identity.address)
        case JoinGroup():
            return f"{change.group.value}: {change.user}"
        case LabelRom():
            return f"/{change.path}"
    return f"/{subject_path(change)}"


_KINDS: dict[type, str] = {
    WriteFile: "write-file",
    RunTool: "run-tool",
    ArgumentsByTool: "arguments-by-tool",
    MakeTrialImage: "make-trial-image",
    SetOneShot: "set-one-shot",
    StoreGuard: "store-guard",
    BindLive: "bind-live",
    JoinGroup: "join-group",
    LabelRom: "label-rom",
}


def kind_of_change(change: HostChange) -> str:
    """A step's kind as answers name it."""
    return _KINDS[type(change)]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root helper can do: a closed set of steps, each with typed values and no file content.

A step names a template; where it is written is `host_place`, what is written is `render`, and which program a tool is
stands in the helper alone. Values are checked when they are made, so one that breaks a rule exists on neither side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.binding import BindLive
from vitrail.model.kernel_argument import KernelArgument, PlanToken, check_arguments, check_plan_id
from vitrail.model.pci import DeviceIdentity
from vitrail.model.permission import JoinGroup, LabelRom, Permission
from vitrail.model.reservation import MAX_CARDS, ReservedCard, ReservedCards
from vitrail.model.trial import EntryFolder, EntryTrial, GrubTrial, MakeTrialImage, SetOneShot, StoreGuard

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ENTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}", re.ASCII)
_BOOT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
MAX_STEPS = 64


def check_digest(words: str) -> str:
    """A SHA-256 in hexadecimal, as it was given. Raises ValueError where it is none."""
    if not _DIGEST.fullmatch(words):
        raise ValueError("digest")
    return words


class ArgumentFile(StrEnum):
    """Files of a fixed path that hold words for the kernel's command line."""

    GRUB_DROP_IN = "grub-drop-in"
    """Debian's and Ubuntu's drop-in beside /etc/default/grub."""
    GRUB_DEFAULTS = "grub-defaults"
    """A marked block at the end of /etc/default/grub, where no drop-in is read."""
    KERNEL_CMDLINE = "kernel-cmdline"
    """Words of /etc/kernel/cmdline: kernel-install, unified images, sdbootutil, proxmox-boot-tool."""
    CMDLINE_DROP_IN = "cmdline-drop-in"
    """A drop-in of /etc/cmdline.d, which mkinitcpio puts into unified images."""
    SDBOOT_MANAGE = "sdboot-manage"
    """A marked block at the end of /etc/sdboot-manage.conf."""
    LIMINE_DEFAULTS = "limine-defaults"
    """A marked block at the end of /etc/default/limine."""
    REFIND_LINUX = "refind-linux"
    """Words of the first line of /boot/refind_linux.conf, which is the one that starts by itself."""


@dataclass(frozen=True, slots=True)
class ArgumentsFile:
    """A file that adds these words to the kernel's command line."""

    which: ArgumentFile
    arguments: tuple[KernelArgument, ...]

    def __post_init__(self) -> None:
        check_arguments(self.arguments)


@dataclass(frozen=True, slots=True)
class LoaderEntry:
    """Words of the `options` line of one entry; `name` is without `.conf`."""

    folder: EntryFolder
    name: str
    arguments: tuple[KernelArgument, ...]

    def __post_init__(self) -> None:
        check_arguments(self.arguments)
        if not _ENTRY.fullmatch(self.name):
            raise ValueError("name")


class Fixed(StrEnum):
    """Files without values: scripts and drop-ins that are the same on every machine."""

    INITRAMFS_TOOLS_HOOK = "initramfs-tools-hook"
    INITRAMFS_TOOLS_EARLY = "initramfs-tools-early"
    DRACUT_CONF = "dracut-conf"
    DRACUT_MODULE = "dracut-module"
    DRACUT_EARLY = "dracut-early"
    MKINITCPIO_CONF = "mkinitcpio-conf"
    MKINITCPIO_INSTALL = "mkinitcpio-install"
    MKINITCPIO_HOOK = "mkinitcpio-hook"
    BOOSTER_MODULES = "booster-modules"
    GUARD_UNIT = "guard-unit"
    """Counts down in a start that awaits Keep; without our word on the line it does nothing."""
    GUARD_AT_START = "guard-at-start"
    """Starts the guard where no entry of its own can name it on the line."""
    GUARD_IN_EMERGENCY = "guard-in-emergency"


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file without values."""

    which: Fixed


Template = ArgumentsFile | LoaderEntry | ReservedCards | FixedFile | GrubTrial | EntryTrial | Permission


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Bring one file from `before` to `after`: SHA-256 of the bytes that were previewed, None for no file."""

    template: Template
    before: str | None
    after: str

    def __post_init__(self) -> None:
        if self.before is not None:
            check_digest(self.before)
        check_digest(self.after)


class Tool(StrEnum):
    """Programs that make something out of configuration. Undo is the same program once the configuration is back."""

    UPDATE_INITRAMFS = "update-initramfs"
    DRACUT = "dracut"
    MKINITCPIO = "mkinitcpio"
    BOOSTER = "booster"
    UPDATE_GRUB = "update-grub"
    GRUB_MKCONFIG = "grub-mkconfig"
    GRUB2_MKCONFIG = "grub2-mkconfig"
    KERNEL_INSTALL = "kernel-install"
    SDBOOTUTIL = "sdbootutil"
    SDBOOTUTIL_IMAGES = "sdbootutil-mkinitrd"
    """The images that its entries name; dracut alone builds others."""
    SDBOOT_MANAGE = "sdboot-manage"
    LIMINE_UPDATE = "limine-update"
    PROXMOX_REFRESH = "proxmox-boot-tool"
    UDEV_RULES = "udevadm"
    """Read the rules again, and go by them for the devices of vfio that are there already."""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run one of the programs above over everything that it looks after."""

    tool: Tool


class ArgumentTool(StrEnum):
    """Programs that own the command line themselves: no file of theirs is touched."""

    GRUBBY = "grubby"
    KERNELSTUB = "kernelstub"
    RPM_OSTREE = "rpm-ostree"


@dataclass(frozen=True, slots=True)
class ArgumentsByTool:
    """Add words through the program that owns the line. Undo takes away those that it did not list before."""

    tool: ArgumentTool
    arguments: tuple[KernelArgument, ...]

    def __post_init__(self) -> None:
        check_arguments(self.arguments)


HostChange = (
    WriteFile | RunTool | ArgumentsByTool | MakeTrialImage | SetOneShot | StoreGuard | BindLive | JoinGroup | LabelRom
)


@dataclass(frozen=True, slots=True)
class HostPlan:
    """The host's part of a plan as it crosses to root: for this machine, in this boot, with these devices.

    `steps` are carried out by `apply`. Where they are a trial, `keep` makes it lasting: in the boot that the trial is,
    `keep` carries out these and takes the trial away. `guarded`: what is not kept in time after the restart is taken
    back by the guard.
    """

    plan_id: str
    machine_id_hash: str
    boot_id: str
    identities: tuple[DeviceIdentity, ...]
    steps: tuple[HostChange, ...]
    keep: tuple[HostChange, ...]
    guarded: bool

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)
        check_digest(self.machine_id_hash)
        if not _BOOT_ID.fullmatch(self.boot_id):
            raise ValueError("boot_id")
        if not 0 < len(self.steps) <= MAX_STEPS or len(self.keep) > MAX_STEPS:
            raise ValueError("steps")
        if len(self.identities) > MAX_CARDS or len(set(self.identities)) != len(self.identities):
            raise ValueError("identities")


def arguments_of(change: HostChange) -> tuple[KernelArgument, ...]:
    """The kernel arguments that a step adds, none where it is about something else."""
    if isinstance(change, ArgumentsByTool):
        return change.arguments
    if isinstance(change, WriteFile) and isinstance(
        change.template, ArgumentsFile | LoaderEntry | GrubTrial | EntryTrial
    ):
        return change.template.arguments
    return ()


def tokens_of(plan: HostPlan) -> tuple[str, ...]:
    """Every plan id that a plan's arguments name."""
    found = [argument for change in (*plan.steps, *plan.keep) for argument in arguments_of(change)]
    return tuple(argument.plan_id for argument in found if isinstance(argument, PlanToken))


def cards_of(plan: HostPlan) -> tuple[ReservedCard, ...]:
    """Every card that a plan's tables reserve, other plans' cards included."""
    tables = [_table_of(change) for change in (*plan.steps, *plan.keep)]
    return tuple(card for table in tables if table is not None for card in table.cards)


def _table_of(change: HostChange) -> ReservedCards | None:
    if isinstance(change, MakeTrialImage):
        return change.cards
    return change.template if isinstance(change, WriteFile) and isinstance(change.template, ReservedCards) else None

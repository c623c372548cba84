# SPDX-License-Identifier: GPL-3.0-or-later
"""What started this boot, and whether a plan writes for exactly that.

Several boot stacks can be installed at once, and what is written for one that did not start the computer changes
nothing, or later something else. Looked up here: the plan's own reading was an unprivileged one.
"""

from __future__ import annotations

from vitrail.helper.one_shot import efi_words
from vitrail.helper.tree import Tree
from vitrail.model.host_place import Stage, stages_of
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsByTool,
    ArgumentsFile,
    ArgumentTool,
    HostChange,
    HostPlan,
    LoaderEntry,
    RunTool,
    Template,
    Tool,
    WriteFile,
)
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.trial import EntryTrial, GrubTrial, OneShot, SetOneShot

GRUB, SYSTEMD_BOOT, LIMINE, REFIND = "grub", "systemd-boot", "limine", "refind"
_LOADERS = (SYSTEMD_BOOT, GRUB, LIMINE, REFIND)
OWNERS: tuple[tuple[str, str], ...] = (
    ("etc/NIXOS", "nixos"),
    ("run/ostree-booted", "rpm-ostree"),
    ("etc/kernel/proxmox-boot-uuids", "proxmox-boot-tool"),
    ("etc/kernelstub/configuration", "kernelstub"),
)
"""Whoever has one of these owns the arguments, whichever loader it feeds."""
_OWNED: dict[Tool | ArgumentTool, str] = {
    Tool.PROXMOX_REFRESH: "proxmox-boot-tool",
    ArgumentTool.KERNELSTUB: "kernelstub",
    ArgumentTool.RPM_OSTREE: "rpm-ostree",
}
_OF_TOOL: dict[Tool | ArgumentTool, str] = {
    Tool.UPDATE_GRUB: GRUB,
    Tool.GRUB_MKCONFIG: GRUB,
    Tool.GRUB2_MKCONFIG: GRUB,
    Tool.KERNEL_INSTALL: SYSTEMD_BOOT,
    Tool.SDBOOT_MANAGE: SYSTEMD_BOOT,
    Tool.LIMINE_UPDATE: LIMINE,
    ArgumentTool.GRUBBY: GRUB,
}
_OF_FILE: dict[ArgumentFile, str] = {
    ArgumentFile.GRUB_DROP_IN: GRUB,
    ArgumentFile.GRUB_DEFAULTS: GRUB,
    ArgumentFile.SDBOOT_MANAGE: SYSTEMD_BOOT,
    ArgumentFile.LIMINE_DEFAULTS: LIMINE,
    ArgumentFile.REFIND_LINUX: REFIND,
}


def check_started_by(tree: Tree, plan: HostPlan) -> None:
    """Nothing, where everything in the plan is for the loader and the owner that started this boot. Raises Refusal."""
    changes = (*plan.steps, *plan.keep)
    if (_feeds_image(plan.steps) or _feeds_image(plan.keep)) and efi_words(tree, "StubInfo") is None:
        raise Refusal(Kind.OTHER_STACK, stack="no-unified-image")
    loaders = {loader for change in changes if (loader := loader_of(change)) is not None}
    owners = {owner for change in changes if (owner := owner_of(change)) is not None}
    if not loaders and not owners:
        return
    owner = next((name for path, name in OWNERS if tree.exists(path)), None)
    if owners != ({owner} if owner is not None else set()):
        raise Refusal(Kind.OTHER_STACK, stack=owner or "none")
    if loaders:
        now = loader_now(tree)
        if loaders != {now}:
            raise Refusal(Kind.OTHER_STACK, stack=now or "unknown")
    _check_entries(tree, changes)


def _feeds_image(changes: tuple[HostChange, ...]) -> bool:
    """Whether the command line is to come from inside a unified image."""
    pairs = zip(changes, stages_of(changes), strict=True)
    files = [(change.template, stage) for change, stage in pairs if isinstance(change, WriteFile)]
    return any(isinstance(template, ArgumentsFile) and stage is Stage.INERT for template, stage in files)


def loader_now(tree: Tree) -> str | None:
    """The loader that started this boot: what it told the firmware, or what it left on the line; None: not known."""
    said = (efi_words(tree, "LoaderInfo") or "").lower()
    named = next((name for name in _LOADERS if name in said), None)
    if named is not None:
        return named
    words = (tree.words("proc/cmdline") or "").split()
    if any(word.startswith("BOOT_IMAGE=") for word in words):
        return GRUB
    if any(word.startswith("initrd=") and "\\" in word for word in words):
        entries = any(tree.exists(f"{place}/loader/loader.conf") for place in ("boot", "efi", "boot/efi"))
        refind = tree.exists("boot/refind_linux.conf")
        if entries != refind:
            return SYSTEMD_BOOT if entries else REFIND
    return None


def loader_of(change: HostChange) -> str | None:
    """The loader that a step is for, None where it is for any."""
    match change:
        case WriteFile():
            return _of_template(change.template)
        case RunTool() | ArgumentsByTool():
            return _OF_TOOL.get(change.tool)
        case SetOneShot():
            return SYSTEMD_BOOT if change.means is OneShot.SYSTEMD_BOOT else GRUB
    return None


def _of_template(template: Template) -> str | None:
    match template:
        case ArgumentsFile():
            return _OF_FILE.get(template.which)
        case GrubTrial():
            return GRUB
        case EntryTrial() | LoaderEntry():
            return SYSTEMD_BOOT
    return None


def owner_of(change: HostChange) -> str | None:
    """The program that has to own the arguments for a step, None where it is for any."""
    return _OWNED.get(change.tool) if isinstance(change, RunTool | ArgumentsByTool) else None


def _check_entries(tree: Tree, changes: tuple[HostChange, ...]) -> None:
    """Where entries are edited, the one that started this boot is among them."""
    templates = [change.template for change in changes if isinstance(change, WriteFile)]
    names = {template.name.lower() for template in templates if isinstance(template, LoaderEntry)}
    selected = (efi_words(tree, "LoaderEntrySelected") or "").lower().removesuffix(".conf")
    if names and selected not in names:
        raise Refusal(Kind.OTHER_STACK, stack=selected or "unknown")

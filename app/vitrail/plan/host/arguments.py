# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's arguments for good, through whatever owns them on this machine: one recipe for each owner.

Only the loader and the owner that started this boot are written. Where two owners are possible, or where the file that
is there could lose the arguments that the system needs to start, there is no step and a finding says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from vitrail.judge.iommu import arguments_now
from vitrail.judge.trial_start import NoTrial, entry_start, grub_folder
from vitrail.model.boot import BootSetup, BootStack, InitramfsTool
from vitrail.model.finding import Evidence, Finding
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsByTool,
    ArgumentsFile,
    ArgumentTool,
    LoaderEntry,
    RunTool,
    Tool,
)
from vitrail.model.kernel_argument import words_of
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.model.trial import GrubFolder
from vitrail.plan.draft import warning
from vitrail.plan.host.files import by_program, no_step, write_file
from vitrail.plan.host.need import Need, with_earlier

_KERNEL_CMDLINE = {
    BootStack.KERNEL_INSTALL: Tool.KERNEL_INSTALL,
    BootStack.SDBOOTUTIL: Tool.SDBOOTUTIL,
    BootStack.PROXMOX: Tool.PROXMOX_REFRESH,
}
_DEBIAN_LIKE = ("debian", "ubuntu")


PROVEN = frozenset(
    {
        ArgumentFile.GRUB_DROP_IN.value,
        "loader-entry",
        BootStack.KERNEL_INSTALL.value,
        InitramfsTool.INITRAMFS_TOOLS.value,
        InitramfsTool.DRACUT.value,
    }
)
"""Ways of writing, and builders of images, that were seen to work on real starts: GRUB of Debian and Ubuntu, entries of
systemd-boot, kernel-install. A live machine is written in no other way; there the steps are shown, to be done by hand.
What joins this set has been started from, changed, kept and taken back on a machine that has it."""


@dataclass(frozen=True, slots=True)
class Written:
    """The steps of one owner. `feeding`: files that the image tool reads, so they come before it."""

    way: str
    """How it is written, as `PROVEN` calls it."""
    feeding: tuple[HostStep, ...] = ()
    boot: tuple[HostStep, ...] = ()
    findings: tuple[Finding, ...] = ()


def argument_steps(need: Need) -> Written:
    """The steps that put the plan's words on the line at every start. Raises NoStep."""
    stack = known_or(need.host.boot.stack, None)
    recipe = None if stack is None else _RECIPES.get(stack)
    if recipe is None:
        raise no_step(text("plan.host.no-owner"), text("plan.host.no-owner.remedy"))
    return recipe(need)


def reads_drop_ins(need: Need) -> bool:
    """Whether this GRUB reads drop-ins, as Debian's and Ubuntu's does: then no file of the user's is touched."""
    release = need.setup.content("etc/os-release")
    if isinstance(release, Known) and release.value is not None:
        lines = [line.partition("=") for line in release.value.split("\n")]
        named = [word for key, _, value in lines if key in ("ID", "ID_LIKE") for word in value.strip("\"'").split()]
        return any(word in _DEBIAN_LIKE for word in named)
    return known_or(need.host.boot.initramfs, None) is InitramfsTool.INITRAMFS_TOOLS


def _grub(need: Need) -> Written:
    if reads_drop_ins(need):
        steps = (_own_file(need, ArgumentFile.GRUB_DROP_IN), by_program(RunTool(Tool.UPDATE_GRUB)))
        return Written(ArgumentFile.GRUB_DROP_IN.value, boot=steps)
    try:
        folder = grub_folder(need.setup)
    except NoTrial as none:
        raise no_step(text("plan.host.no-menu", reason=none.reason), text("plan.host.no-menu.remedy")) from none
    tool = Tool.GRUB_MKCONFIG if folder is GrubFolder.GRUB else Tool.GRUB2_MKCONFIG
    return _in_block(need, ArgumentFile.GRUB_DEFAULTS, tool)


def _own_file(need: Need, which: ArgumentFile) -> HostStep:
    return write_file(need.setup, with_earlier(need.setup, which, need.own))


def _words(need: Need, which: ArgumentFile) -> HostStep:
    return write_file(need.setup, ArgumentsFile(which, need.own))


def _in_block(need: Need, which: ArgumentFile, tool: Tool) -> Written:
    return Written(which.value, boot=(_own_file(need, which), by_program(RunTool(tool))))


def _first_start(need: Need) -> Written:
    return Written(ArgumentFile.REFIND_LINUX.value, boot=(_words(need, ArgumentFile.REFIND_LINUX),))


def _by_tool(need: Need, tool: ArgumentTool) -> Written:
    """Of the words that are asked for, those that the line has now and those that it will have."""
    words = words_of(need.own)
    now = [word for word in words if word in arguments_now(need.host)]
    step = by_program(ArgumentsByTool(tool, need.own), "".join(f"{word}\n" for word in now), "\n".join(words) + "\n")
    return Written(tool.value, boot=(step,))


def _kernel_cmdline(need: Need, stack: BootStack) -> Written:
    """The file of the whole line, and whoever makes entries of it."""
    if stack is BootStack.PROXMOX and known_or(need.host.boot.loader, None) != "systemd-boot":
        raise no_step(text("plan.host.proxmox-grub"), text("plan.host.proxmox-grub.remedy"))
    tools = [_KERNEL_CMDLINE[stack]]
    if stack is BootStack.SDBOOTUTIL and need.table is not None:
        tools.insert(0, Tool.SDBOOTUTIL_IMAGES)
    steps = (_words(need, ArgumentFile.KERNEL_CMDLINE), *(by_program(RunTool(tool)) for tool in tools))
    return Written(stack.value, boot=steps)


def _entry(need: Need) -> Written:
    """The entry that started this boot, and no other: the rest of the menu goes on starting the system as before."""
    try:
        found = entry_start(need.host)
    except NoTrial as none:
        raise no_step(text("plan.host.no-entry", reason=none.reason), text("plan.host.no-entry.remedy")) from none
    try:
        template = LoaderEntry(found.folder, found.entry, need.own)
    except ValueError as error:
        title = text("plan.host.entry-name", entry=found.entry)
        raise no_step(title, text("plan.host.no-entry.remedy"), Evidence("LoaderEntrySelected", found.entry)) from error
    return Written("loader-entry", boot=(write_file(need.setup, template),))


def _unified(need: Need) -> Written:
    """Words inside a unified image: only where a file is known to hold the whole line already."""
    setup = need.setup
    signed = _to_be_signed(need)
    layout = setup.content("etc/kernel/install.conf")
    if isinstance(layout, Known) and "layout=uki" in (layout.value or "").split():
        steps = (_words(need, ArgumentFile.KERNEL_CMDLINE), by_program(RunTool(Tool.KERNEL_INSTALL)))
        return Written(BootStack.UKI.value, boot=steps, findings=signed)
    if known_or(need.host.boot.initramfs, None) is not InitramfsTool.MKINITCPIO:
        raise no_step(text("plan.host.unified-builder"), text("plan.host.unified-builder.remedy"))
    whole = setup.content("etc/kernel/cmdline")
    if isinstance(whole, Unknown) or whole.value is not None:
        return Written(BootStack.UKI.value, feeding=(_words(need, ArgumentFile.KERNEL_CMDLINE),), findings=signed)
    if not _has_root_drop_in(setup):
        raise no_step(text("plan.host.unified-line"), text("plan.host.unified-line.remedy"))
    return Written(BootStack.UKI.value, feeding=(_own_file(need, ArgumentFile.CMDLINE_DROP_IN),), findings=signed)


def _to_be_signed(need: Need) -> tuple[Finding, ...]:
    """The firmware starts no image that was built anew and not signed anew; the guard would never run."""
    secure = need.host.boot.secure_boot
    if isinstance(secure, Known) and not secure.value:
        return ()
    known = isinstance(secure, Known)
    title = text("plan.host.signature") if known else text("plan.host.signature-unknown")
    return (warning("host.signature", title, text("plan.host.signature.remedy"), known=known),)


def _has_root_drop_in(setup: BootSetup) -> bool:
    """Whether a drop-in names the root file system: alone, ours would be the whole line, and nothing would start."""
    texts = [
        file.content.value
        for file in setup.files
        if file.path.startswith("etc/cmdline.d/") and isinstance(file.content, Known) and file.content.value
    ]
    return any(word.startswith("root=") for words in texts for word in words.split())


_RECIPES: dict[BootStack, Callable[[Need], Written]] = {
    BootStack.GRUB: _grub,
    BootStack.GRUB_BLS: partial(_by_tool, tool=ArgumentTool.GRUBBY),
    BootStack.KERNELSTUB: partial(_by_tool, tool=ArgumentTool.KERNELSTUB),
    BootStack.RPM_OSTREE: partial(_by_tool, tool=ArgumentTool.RPM_OSTREE),
    BootStack.SYSTEMD_BOOT: _entry,
    BootStack.UKI: _unified,
    BootStack.REFIND: _first_start,
    BootStack.SDBOOT_MANAGE: partial(_in_block, which=ArgumentFile.SDBOOT_MANAGE, tool=Tool.SDBOOT_MANAGE),
    BootStack.LIMINE: partial(_in_block, which=ArgumentFile.LIMINE_DEFAULTS, tool=Tool.LIMINE_UPDATE),
    **{stack: partial(_kernel_cmdline, stack=stack) for stack in _KERNEL_CMDLINE},
}
"""NixOS has none: it is written by its owner alone."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping cards from the start: the table, the early script, and what puts both into every kernel's initramfs."""

from __future__ import annotations

import re

from vitrail.model.boot import BootStack, InitramfsTool
from vitrail.model.host_step import Fixed, FixedFile, RunTool, Template, Tool
from vitrail.model.reading import Unknown, known_or
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.plan.host.files import by_program, no_step, write_file
from vitrail.plan.host.need import Need

_FAMILIES: dict[InitramfsTool, tuple[tuple[Fixed, ...], Tool]] = {
    InitramfsTool.INITRAMFS_TOOLS: (
        (Fixed.INITRAMFS_TOOLS_HOOK, Fixed.INITRAMFS_TOOLS_EARLY),
        Tool.UPDATE_INITRAMFS,
    ),
    InitramfsTool.DRACUT: ((Fixed.DRACUT_CONF, Fixed.DRACUT_MODULE, Fixed.DRACUT_EARLY), Tool.DRACUT),
    InitramfsTool.MKINITCPIO: (
        (Fixed.MKINITCPIO_CONF, Fixed.MKINITCPIO_INSTALL, Fixed.MKINITCPIO_HOOK),
        Tool.MKINITCPIO,
    ),
}
_HOOKS = re.compile(r"^\s*HOOKS=\(([^)]*)\)", re.MULTILINE)
_BUILD_THEIR_OWN = (BootStack.KERNEL_INSTALL, BootStack.LIMINE, BootStack.UKI)
"""Whose programs for entries build images too, and put them beside the entries."""
_SEALED = (BootStack.RPM_OSTREE, BootStack.NIXOS)
"""Systems whose initramfs is part of an image that is made elsewhere."""


def tool_of(need: Need) -> InitramfsTool:
    """What builds the images that can carry the early script. Raises NoStep where nothing does."""
    if known_or(need.host.boot.stack, None) in _SEALED:
        raise no_step(text("plan.host.image-sealed"), text("plan.host.image-sealed.remedy"))
    tool = need.host.boot.initramfs
    if isinstance(tool, Unknown):
        raise no_step(
            text("plan.host.tool-unknown", reason=tool.reason), text("plan.host.tool-unknown.remedy"), known=False
        )
    if tool.value is None or tool.value is InitramfsTool.BOOSTER:
        name = "booster" if tool.value is InitramfsTool.BOOSTER else "none"
        raise no_step(text(f"plan.host.tool-{name}"), text(f"plan.host.tool-{name}.remedy"))
    if tool.value is InitramfsTool.MKINITCPIO:
        _demand_scripts(need)
    return tool.value


def _demand_scripts(need: Need) -> None:
    """Scripts of mkinitcpio run where busybox starts the image; with systemd in it, they would lie there unread."""
    path = "etc/mkinitcpio.conf"
    settings = need.setup.content(path)
    if isinstance(settings, Unknown):
        title = text("plan.host.file-unread", path=f"/{path}", reason=settings.reason)
        raise no_step(title, text("plan.host.file-unread.remedy"), known=False)
    said = _HOOKS.findall(settings.value or "")
    hooks = said[-1].split() if said else []
    if "systemd" in hooks or "base" not in hooks:
        raise no_step(text("plan.host.hooks-systemd"), text("plan.host.hooks-systemd.remedy"))


def inert_steps(need: Need) -> tuple[HostStep, ...]:
    """The table and the scripts; they do nothing before an image has them and the line has the plan's word."""
    if need.table is None:
        return ()
    files, _ = _FAMILIES[tool_of(need)]
    templates: tuple[Template, ...] = (need.table, *(FixedFile(which) for which in files))
    return tuple(write_file(need.setup, template) for template in templates)


def image_steps(need: Need) -> tuple[HostStep, ...]:
    """The program that builds the images of all installed kernels anew, where no program of the entries' own does."""
    if need.table is None:
        return ()
    tool = tool_of(need)
    stack = known_or(need.host.boot.stack, None)
    if stack is BootStack.SDBOOTUTIL or (stack in _BUILD_THEIR_OWN and not _has_images_in_boot(need)):
        return ()
    return (by_program(RunTool(_FAMILIES[tool][1])),)


def _has_images_in_boot(need: Need) -> bool:
    """Whether images lie where the tool by itself puts them; where nobody could look, it is run and looked after."""
    images = need.setup.images
    return isinstance(images, Unknown) or any(path.count("/") == 1 for path in images.value)

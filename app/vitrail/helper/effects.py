# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program made of the configuration, looked up in its own results: an exit status is no proof.

Two answers to one question: which of our marks are in every result, and which are in any. After an apply every mark
has to be everywhere; after an undo none may be anywhere that was not there before.
"""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import os
import re
from dataclasses import dataclass

from vitrail.helper.entries import images_beside_entries, unified_images
from vitrail.helper.image import Image, read_image
from vitrail.helper.permissions import is_given
from vitrail.helper.run import list_arguments
from vitrail.helper.tree import Tree
from vitrail.helper.trial_image import WANTED, early_comes_first, has_early_hooks
from vitrail.model.boot import InitramfsTool
from vitrail.model.early_script import TABLE
from vitrail.model.host_place import subject_path
from vitrail.model.host_step import (
    ArgumentsByTool,
    ArgumentTool,
    HostPlan,
    RunTool,
    Tool,
    WriteFile,
    arguments_of,
    cards_of,
)
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.kernel_argument import words_of
from vitrail.model.permission import JoinGroup, LabelRom
from vitrail.model.trial import EntryFolder

_LIMIT = 4 * 1024 * 1024
_IMAGES: dict[Tool, tuple[str, ...]] = {
    Tool.UPDATE_INITRAMFS: ("initrd.img-{kernel}",),
    Tool.DRACUT: ("initramfs-{kernel}.img", "initrd.img-{kernel}", "initrd-{kernel}"),
    Tool.MKINITCPIO: ("initramfs-linux*.img",),
    Tool.BOOSTER: ("booster-linux*.img",),
}
"""Names in /boot, the first form that is there; `{kernel}` stands for each kernel that has modules here."""
_FAMILIES: dict[Tool, InitramfsTool] = {
    Tool.UPDATE_INITRAMFS: InitramfsTool.INITRAMFS_TOOLS,
    Tool.DRACUT: InitramfsTool.DRACUT,
    Tool.MKINITCPIO: InitramfsTool.MKINITCPIO,
    Tool.BOOSTER: InitramfsTool.BOOSTER,
}
_BUILD_TOO = frozenset({Tool.KERNEL_INSTALL, Tool.SDBOOTUTIL, Tool.SDBOOTUTIL_IMAGES, Tool.LIMINE_UPDATE})
"""Programs for entries that put images beside them, too: some build these, some copy what is in /boot."""
_TABLE = TABLE.lstrip("/")
_FIRST = "before-udev"
"""The mark of an image in which the early script runs before udev loads the cards' own drivers."""
_IN_IMAGES = frozenset({_TABLE, _FIRST})
_MENUS: dict[Tool, tuple[str, ...]] = {
    Tool.UPDATE_GRUB: ("boot/grub/grub.cfg",),
    Tool.GRUB_MKCONFIG: ("boot/grub/grub.cfg",),
    Tool.GRUB2_MKCONFIG: ("boot/grub2/grub.cfg",),
    Tool.LIMINE_UPDATE: ("boot/limine.conf", "boot/limine/limine.conf"),
}
_LINE = re.compile(r"\s*(linux\w*|options|cmdline|kernel_cmdline)[\s:=]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """Our marks in the results of a program."""

    everywhere: frozenset[str]
    anywhere: frozenset[str]


def marks_of(plan: HostPlan, index: int) -> frozenset[str]:
    """What the program of this step has to make of the steps before it: words, or the table inside an image."""
    change = plan.steps[index]
    if change == RunTool(Tool.UDEV_RULES):
        return frozenset()
    if not isinstance(change, RunTool):
        return frozenset(words_of(arguments_of(change)))
    images = _IN_IMAGES if cards_of(plan) and change.tool in _IMAGES.keys() | _BUILD_TOO else frozenset[str]()
    if change.tool in _IMAGES or change.tool is Tool.SDBOOTUTIL_IMAGES:
        return images
    steps = [step for step in plan.steps[:index] if isinstance(step, WriteFile)]
    return images | frozenset(word for step in steps for word in words_of(arguments_of(step)))


def follows_images(plan: HostPlan, index: int) -> bool:
    """Whether a program for entries takes along the images as they are then: it has to come again after they change."""
    change = plan.steps[index]
    return isinstance(change, RunTool) and change.tool in _BUILD_TOO | {Tool.PROXMOX_REFRESH} and bool(cards_of(plan))


def without_images(marks: frozenset[str]) -> frozenset[str]:
    """Those marks that stand in a text."""
    return marks - _IN_IMAGES


def look(tree: Tree, tool: Tool | ArgumentTool, marks: frozenset[str]) -> Seen:
    """Which marks there are. Raises Refusal where the results cannot be read."""
    if isinstance(tool, ArgumentTool):
        listing = list_arguments(tree, tool)
        if listing is None:
            raise Refusal(Kind.UNREAD, what=tool.value)
        return _in_texts([listing.decode("utf-8", "replace").replace('"', " ")], marks)
    words, inside = without_images(marks), marks & _IN_IMAGES
    texts = _in_texts([_lines_of(tree, path) for path in _menus(tree, tool)], words) if words else Seen(words, words)
    images = _in_images(tree, tool, inside) if inside else Seen(inside, inside)
    return Seen(texts.everywhere | images.everywhere, texts.anywhere | images.anywhere)


def images_of(tree: Tree, tool: Tool | ArgumentTool) -> tuple[str, ...]:
    """The images that a program builds, as they are or inside unified ones; none where it builds none."""
    forms = _IMAGES.get(tool, ()) if isinstance(tool, Tool) else ()
    if not forms:
        return ()
    names = tree.names("boot")
    found: list[str] = []
    for kernel in tree.names("lib/modules") or ("",):
        matches = (fnmatch.filter(names, form.format(kernel=glob.escape(kernel))) for form in forms)
        found += next((match for match in matches if match), [])
    return tuple(f"boot/{name}" for name in dict.fromkeys(found)) or unified_images(tree)


def settle(tree: Tree, tool: Tool | ArgumentTool) -> None:
    """Wait until what a program made is on the disk. Raises OSError, Refusal.

    Programs rename their results without waiting for it; after a power cut the journal would be ahead of them.
    """
    if tool is Tool.UDEV_RULES:
        return
    images = images_of(tree, tool) if tool in _IMAGES else images_beside_entries(tree)
    for path in (*_menus(tree, tool), *images):
        with contextlib.suppress(FileNotFoundError), tree.parent(tree.resolve(path)) as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.fsync(folder)


def _in_images(tree: Tree, tool: Tool, marks: frozenset[str]) -> Seen:
    families = (_FAMILIES[tool],) if tool in _FAMILIES else tuple(_FAMILIES.values())
    found = [marks & _marks_in(image, families) for image in _read_images(tree, tool)]
    if not found:
        if tool in _IMAGES:
            raise Refusal(Kind.UNREAD, what="images")
        # Its entries load the images in /boot, which another program built and was asked about.
        return Seen(marks, frozenset())
    return Seen(frozenset.intersection(*found), frozenset.union(*found))


def _marks_in(image: Image, families: tuple[InitramfsTool, ...]) -> frozenset[str]:
    table = {_TABLE} if _TABLE in image.members else set()
    first = any(early_comes_first(image, family) for family in families)
    return frozenset(table | ({_FIRST} if first else set()))


def _read_images(tree: Tree, tool: Tool) -> list[Image]:
    paths = images_of(tree, tool) if tool in _IMAGES else images_beside_entries(tree)
    return [read_image(tree, path, WANTED.__contains__) for path in paths]


def check_images(tree: Tree, plan: HostPlan) -> None:
    """Nothing, where the images of every program can be looked into, and run early scripts at all. Raises Refusal."""
    own = any(isinstance(change, RunTool) and images_of(tree, change.tool) for change in plan.steps)
    for index, change in enumerate(plan.steps):
        if isinstance(change, RunTool) and marks_of(plan, index) & _IN_IMAGES:
            images = _read_images(tree, change.tool)
            if not images and not own:
                raise Refusal(Kind.UNREAD, what="images")
            if change.tool is Tool.MKINITCPIO and not all(map(has_early_hooks, images)):
                raise Refusal(Kind.INITRAMFS, reason="systemd-hook")


def _menus(tree: Tree, tool: Tool | ArgumentTool) -> tuple[str, ...]:
    if isinstance(tool, Tool) and tool in _MENUS:
        return _MENUS[tool]
    folders = [folder.value for folder in EntryFolder]
    return tuple(f"{folder}/{name}" for folder in folders for name in tree.names(folder) if name.endswith(".conf"))


def _lines_of(tree: Tree, path: str) -> str:
    try:
        content = tree.fact(path, _LIMIT).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error
    return "\n".join(line for line in content.split("\n") if _LINE.match(line))


def _in_texts(texts: list[str], marks: frozenset[str]) -> Seen:
    """Recovery entries stay as they are, so a word counts as written when one line has it."""
    words = {word for text in texts for word in text.split()}
    return Seen(marks & words, marks & words)


def is_as_applied(tree: Tree, plan: HostPlan) -> bool:
    """Whether everything is as a run of this plan left it; the journal alone is not believed."""
    try:
        return all(_is_as_applied(tree, plan, index) for index in range(len(plan.steps)))
    except (OSError, Refusal):
        return False


def _is_as_applied(tree: Tree, plan: HostPlan, index: int) -> bool:
    match plan.steps[index]:
        case WriteFile() as change:
            current = tree.read(subject_path(change) or "")
            return current is not None and current.state.digest == change.after
        case RunTool() | ArgumentsByTool() as change:
            marks = marks_of(plan, index)
            return marks <= look(tree, change.tool, marks).everywhere
        case JoinGroup() | LabelRom() as change:
            return is_given(tree, change)
    return True

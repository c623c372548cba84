# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program made of the configuration, looked up in its own results: an exit status is no proof.

Two answers to one question: which of our marks are in every result, and which are in any. After an apply every mark
has to be everywhere; after an undo none may be anywhere that was not there before.
"""

from __future__ import annotations

import fnmatch
import glob
import re
from dataclasses import dataclass

from vitrail.helper.image import Image, read_image
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
_TABLE = TABLE.lstrip("/")
_FIRST = "before-udev"
"""The mark of an image in which the early script runs before udev loads the cards' own drivers."""
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
    if isinstance(change, RunTool) and change.tool in _IMAGES:
        return frozenset({_TABLE, _FIRST} if cards_of(plan) else ())
    if isinstance(change, RunTool):
        steps = [step for step in plan.steps[:index] if isinstance(step, WriteFile)]
        return frozenset(word for step in steps for word in words_of(arguments_of(step)))
    return frozenset(words_of(arguments_of(change)))


def look(tree: Tree, tool: Tool | ArgumentTool, marks: frozenset[str]) -> Seen:
    """Which marks there are. Raises Refusal where the results cannot be read."""
    if isinstance(tool, ArgumentTool):
        listing = list_arguments(tree, tool)
        if listing is None:
            raise Refusal(Kind.UNREAD, what=tool.value)
        return _in_texts([listing.decode("utf-8", "replace").replace('"', " ")], marks)
    if not marks:
        return Seen(marks, marks)
    if tool in _IMAGES:
        return _in_images(tree, tool, marks)
    return _in_texts([_lines_of(tree, path) for path in _menus(tree, tool)], marks)


def images_of(tree: Tree, tool: Tool | ArgumentTool) -> tuple[str, ...]:
    """The images that a program builds; none where it builds none."""
    forms = _IMAGES.get(tool, ()) if isinstance(tool, Tool) else ()
    if not forms:
        return ()
    names = tree.names("boot")
    found: list[str] = []
    for kernel in tree.names("lib/modules") or ("",):
        matches = (fnmatch.filter(names, form.format(kernel=glob.escape(kernel))) for form in forms)
        found += next((match for match in matches if match), [])
    return tuple(f"boot/{name}" for name in dict.fromkeys(found))


def _in_images(tree: Tree, tool: Tool, marks: frozenset[str]) -> Seen:
    found = [marks & _marks_in(image, _FAMILIES[tool]) for image in _read_images(tree, tool)]
    if not found:
        raise Refusal(Kind.UNREAD, what="images")
    return Seen(frozenset.intersection(*found), frozenset.union(*found))


def _marks_in(image: Image, family: InitramfsTool) -> frozenset[str]:
    table = {_TABLE} if _TABLE in image.members else set()
    return frozenset(table | ({_FIRST} if early_comes_first(image, family) else set()))


def _read_images(tree: Tree, tool: Tool) -> list[Image]:
    return [read_image(tree, path, WANTED.__contains__) for path in images_of(tree, tool)]


def check_images(tree: Tree, tool: Tool) -> None:
    """Nothing, where the images of this program run early scripts at all. Raises Refusal."""
    if tool is Tool.MKINITCPIO and not all(map(has_early_hooks, _read_images(tree, tool))):
        raise Refusal(Kind.INITRAMFS, reason="systemd-hook")


def _menus(tree: Tree, tool: Tool) -> tuple[str, ...]:
    if tool in _MENUS:
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
    return True

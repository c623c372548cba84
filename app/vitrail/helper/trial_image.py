# SPDX-License-Identifier: GPL-3.0-or-later
"""The small image that a trial loads after the system's own: table, early script, vfio's modules, and nothing else.

It adds names and replaces one list (in which order early scripts run), which is taken from the very image that it will
be loaded after. A folder that is there already is not named again: the kernel would give it our mode.
"""

from __future__ import annotations

import gzip
import re
import zlib

from vitrail.helper.cpio import CpioError, Member, archive, folder, link, plain, script
from vitrail.helper.image import Image, read_content, read_image
from vitrail.helper.kernel_modules import modules_with_needs
from vitrail.helper.tree import Tree
from vitrail.model.boot import InitramfsTool
from vitrail.model.early_script import CARRIED, MODULES, TABLE, TRIAL_EARLY
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.render import render
from vitrail.model.trial import MakeTrialImage

_ORDER = "scripts/init-top/ORDER"
_SCRIPT = "scripts/init-top/00-vitrail"
_OURS_FIRST = f'/{_SCRIPT} "$@"\n[ -e /conf/param.conf ] && . /conf/param.conf\n'
_CONFIG = "config"
_HOOK = "hooks/vitrail"
_EARLY_HOOKS = re.compile(r'^EARLYHOOKS="([^"$`\\\n]*)"$', re.MULTILINE)
_OURS_IN_DRACUT = re.compile(r"dracut/hooks/pre-udev/00-vitrail(-early)?\.sh$")
_BINARIES = ("usr/sbin", "usr/bin", "sbin", "bin")
WANTED = frozenset({_ORDER, _CONFIG})
"""The files that say in which order early scripts run."""
_TABLE = TABLE.lstrip("/")


def build_image(tree: Tree, change: MakeTrialImage) -> bytes:
    """The image, read again and found right. Raises Refusal where this system's initramfs has no sound place for it."""
    early = TRIAL_EARLY.get(change.initramfs)
    if early is None:
        raise Refusal(Kind.INITRAMFS, reason=change.initramfs.value)
    system = read_image(tree, change.system_image, WANTED.__contains__)
    _check_kernel(system, change.kernel)
    files = [
        plain(_TABLE, render(change.cards, None)),
        *_early_files(system, change.initramfs, early.encode()),
        *_carried(tree, system, change.kernel),
    ]
    members = (*_missing_folders(system, files), *files)
    content = gzip.compress(archive(members), 9, mtime=0)
    _check_again(content, members, change.initramfs)
    return content


def _check_kernel(system: Image, kernel: str) -> None:
    """An image with modules of another kernel is another kernel's."""
    found = {name.split("modules/", 1)[1].split("/")[0] for name in system.members if "lib/modules/" in name}
    if found and kernel not in found:
        raise Refusal(Kind.INITRAMFS, reason="other-kernel")


def _early_files(system: Image, initramfs: InitramfsTool, early: bytes) -> list[Member]:
    """The script and what makes it run before udev, which loads the cards' own drivers."""
    match initramfs:
        case InitramfsTool.INITRAMFS_TOOLS:
            order = system.content(_ORDER)
            if order is None:
                raise Refusal(Kind.INITRAMFS, reason="order")
            lines = [line for line in order.split(b"\n") if not line.startswith(f"/{_SCRIPT} ".encode())]
            return [script(_SCRIPT, early), plain(_ORDER, _OURS_FIRST.encode() + b"\n".join(lines))]
        case InitramfsTool.DRACUT:
            return [script(f"{_hooks_of_dracut(system)}/pre-udev/00-vitrail.sh", early)]
    return [script(_HOOK, early), plain(_CONFIG, _early_config(system))]


def _hooks_of_dracut(system: Image) -> str:
    found = [name for name, member in system.members.items() if name.endswith("dracut/hooks") and member.is_folder]
    if not found:
        raise Refusal(Kind.INITRAMFS, reason="hooks")
    return max(found, key=lambda name: sum(other.startswith(f"{name}/") for other in system.members))


def _early_config(system: Image) -> bytes:
    """The list of early hooks of mkinitcpio with ours first; where systemd is the init, nobody reads that list."""
    if not has_early_hooks(system):
        raise Refusal(Kind.INITRAMFS, reason="systemd-hook")
    words = (system.content(_CONFIG) or b"").decode("utf-8", "surrogateescape")
    found = _EARLY_HOOKS.search(words)
    if found is None:
        raise Refusal(Kind.INITRAMFS, reason="order")
    hooks = " ".join(("vitrail", *(hook for hook in found[1].split() if hook != "vitrail")))
    return f'{words[: found.start()]}EARLYHOOKS="{hooks}"{words[found.end() :]}'.encode("utf-8", "surrogateescape")


def has_early_hooks(image: Image) -> bool:
    """Whether an image of mkinitcpio is started by its own script; systemd in its place reads no hooks."""
    return _CONFIG in image.members and "init_functions" in image.members


def _carried(tree: Tree, system: Image, kernel: str) -> list[Member]:
    """The modules of vfio, numbered in their order, and an insmod where the image names none."""
    modules = modules_with_needs(tree, kernel, MODULES)
    files = [plain(f"{CARRIED}/{number:02}-{one.name}.ko", one.content) for number, one in enumerate(modules, 10)]
    if not files or _program(system, "insmod") is not None:
        return files
    # Both are many programs in one, and go by the name that they are called by.
    target = _program(system, "kmod") or _program(system, "busybox")
    if target is None:
        raise Refusal(Kind.INITRAMFS, reason="insmod")
    return [*files, link(f"{CARRIED}/insmod", f"/{target}")]


def _program(system: Image, name: str) -> str | None:
    return next((path for place in _BINARIES if (path := f"{place}/{name}") in system.members), None)


def _missing_folders(system: Image, files: list[Member]) -> list[Member]:
    """Folders that the system's image has not, outermost first."""
    missing: dict[str, None] = {}
    for file in files:
        parts = file.name.split("/")
        for depth in range(1, len(parts)):
            name = "/".join(parts[:depth])
            there = system.members.get(name)
            if there is None:
                missing[name] = None
            elif not there.is_folder and not there.is_link:
                raise Refusal(Kind.INITRAMFS, reason="form")
    return [folder(name) for name in missing]


def _check_again(content: bytes, members: tuple[Member, ...], initramfs: InitramfsTool) -> None:
    """What the kernel would unpack is exactly this, and ours comes before udev."""
    try:
        seen = read_content(content)
    except (CpioError, zlib.error) as error:
        raise Refusal(Kind.INITRAMFS, reason="read-back") from error
    if tuple(seen.members.values()) != members:
        raise Refusal(Kind.INITRAMFS, reason="read-back")
    if not early_comes_first(seen, initramfs):
        raise Refusal(Kind.INITRAMFS, reason="order")


def early_comes_first(image: Image, initramfs: InitramfsTool) -> bool:
    """Whether the early script is in this image and runs before udev."""
    match initramfs:
        case InitramfsTool.INITRAMFS_TOOLS:
            order = (image.content(_ORDER) or b"").decode("utf-8", "replace").split("\n")
            names = [line.split()[0] for line in order if line.startswith("/scripts/init-top/")]
            return _SCRIPT in image.members and _before(names, f"/{_SCRIPT}", "/scripts/init-top/udev")
        case InitramfsTool.DRACUT:
            return any(map(_OURS_IN_DRACUT.search, image.members))
        case InitramfsTool.MKINITCPIO:
            found = _EARLY_HOOKS.search((image.content(_CONFIG) or b"").decode("utf-8", "replace"))
            hooks = found[1].split() if found is not None else []
            return _HOOK in image.members and _before(hooks, "vitrail", "udev")
    return False


def _before(names: list[str], ours: str, theirs: str) -> bool:
    return ours in names and (theirs not in names or names.index(ours) < names.index(theirs))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a trial starts the system that runs now: every path, word and file system of it is looked up here again.

The planner's values come from an unprivileged reading. What root writes into a boot entry is compared with what root
sees; where they differ there is no trial.
"""

from __future__ import annotations

import os
import re

from vitrail.helper.entries import read_entry
from vitrail.helper.one_shot import check_one_shot, efi_words, probe
from vitrail.helper.rules import Trial
from vitrail.helper.run import run_program
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.kernel_argument import Flag
from vitrail.model.trial import EntryFolder, EntryTrial, GrubFolder, GrubTrial, image_path

_OF_LOADER = ("BOOT_IMAGE=", "initrd=", "vitrail.", "vitrail=")
_DEVICE = re.compile(r"^\([^)]*\)")
_COUNTER = re.compile(r"\+\d+(-\d+)?$")
_MOST_MENU = 8 * 1024 * 1024
_SELECTED = "LoaderEntrySelected"


def check_trial(tree: Tree, trial: Trial) -> None:
    """Nothing, where the trial is this very system with the new words, and starts only once. Raises Refusal."""
    words = _command_line(tree)
    if own_words(words) != trial.entry.line:
        raise Refusal(Kind.TRIAL, what="line")
    if trial.image is not None and tree.words("proc/sys/kernel/osrelease") != trial.image.kernel:
        raise Refusal(Kind.TRIAL, what="kernel-version")
    if isinstance(trial.entry, GrubTrial):
        _check_grub(tree, trial.entry, trial, words)
    else:
        _check_entry(tree, trial.entry, trial)
    check_one_shot(tree, trial.one_shot)


def _command_line(tree: Tree) -> tuple[str, ...]:
    try:
        return tuple(tree.fact("proc/cmdline").decode("utf-8", "replace").split())
    except OSError as error:
        raise Refusal(Kind.UNREAD, what="/proc/cmdline") from error


def own_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """A command line without what the loader put there and without ours."""
    return tuple(word for word in words if not word.startswith(_OF_LOADER) and word != Flag.GUARD.value)


def _demand(what: str, *, same: bool) -> None:
    if not same:
        raise Refusal(Kind.TRIAL, what=what)


def _check_grub(tree: Tree, entry: GrubTrial, trial: Trial, words: tuple[str, ...]) -> None:
    prefix = "grub2" if entry.folder is GrubFolder.GRUB2 else "grub"
    started = [_plain(word.removeprefix("BOOT_IMAGE=")) for word in words if word.startswith("BOOT_IMAGE=")]
    _demand("kernel", same=started == [entry.kernel])
    above = _relative(tree, prefix, "boot").rstrip("/")
    kernel = _on_machine(tree, prefix, above, entry.kernel, "kernel")
    initrds = [_on_machine(tree, prefix, above, path, "initrd") for path in entry.initrds]
    _demand("initrd", same=trial.image is None or initrds[-1] == trial.image.system_image)
    in_menu = _initrds_in_menu(tree, entry.folder)
    _demand("initrd", same=not in_menu or entry.initrds in in_menu)
    if trial.image is not None:
        ours = image_path(trial.image.folder, trial.image.plan_id).removeprefix("boot")
        _demand("image", same=entry.image == f"{above}{ours}")
    _demand("file-system", same=probe(tree, prefix, "fs_uuid", kernel) == (entry.file_system,))
    _check_same_device(tree, "boot", (kernel, *initrds))
    needed = {f"part_{table}" for table in probe(tree, prefix, "partmap", kernel)}
    needed |= {*probe(tree, prefix, "abstraction", kernel), *probe(tree, prefix, "fs", kernel)}
    _demand("modules", same=needed <= set(entry.modules))


def _plain(path: str) -> str:
    """A path without the disk that GRUB names before it."""
    return _DEVICE.sub("", path)


def _on_machine(tree: Tree, prefix: str, above: str, path: str, what: str) -> str:
    """The file in /boot that GRUB calls so. Raises Refusal where it is another one."""
    _demand(what, same=path.startswith(f"{above}/"))
    found = f"boot{path.removeprefix(above)}"
    _demand(what, same=_relative(tree, prefix, found) == path)
    return found


def _relative(tree: Tree, prefix: str, path: str) -> str:
    """A path as GRUB sees it on its file system."""
    ran = run_program(tree, f"{prefix}-mkrelpath", f"/{path}")
    if not ran.well:
        raise Refusal(Kind.UNREAD, what=f"/{path}")
    return ran.output.decode("utf-8", "replace").strip()


def _initrds_in_menu(tree: Tree, folder: GrubFolder) -> list[tuple[str, ...]]:
    """What the menu loads with its kernels; variables stand for what may be empty."""
    found = []
    for path in (f"{folder.value}/grub.cfg", *_entries(tree)):
        try:
            menu = tree.fact(path, _MOST_MENU).decode("utf-8", "replace")
        except OSError as error:
            raise Refusal(Kind.UNREAD, what=f"/{path}") from error
        rows = [line.split() for line in menu.split("\n")]
        images = [row[1:] for row in rows if row and row[0].startswith("initrd")]
        found += [tuple(_plain(word) for word in row if not word.startswith("$")) for row in images]
    return [row for row in found if row]


def _entries(tree: Tree) -> list[str]:
    """Entry files that GRUB reads, where it does."""
    folder = EntryFolder.BOOT.value
    return [f"{folder}/{name}" for name in tree.names(folder) if name.endswith(".conf")]


def _check_same_device(tree: Tree, folder: str, files: tuple[str, ...]) -> None:
    """The kernel, its images and ours are on one file system, because one is all that the entry looks for."""
    with tree.folder(tree.resolve(folder)) as descriptor:
        device = os.fstat(descriptor).st_dev
    for path in files:
        with tree.parent(tree.resolve(path)) as (above, name):
            _demand("file-system", same=os.stat(name, dir_fd=above, follow_symlinks=False).st_dev == device)


def _check_entry(tree: Tree, entry: EntryTrial, trial: Trial) -> None:
    """The entry that started this boot, in the same folder, names the same kernel and the same images."""
    mount = entry.folder.value.removesuffix("/loader/entries")
    lines = _selected_entry(tree, entry.folder.value)
    _demand("kernel", same=[value for key, value in lines if key == "linux"] == [entry.kernel])
    initrds = tuple(word for key, value in lines if key == "initrd" for word in value.split())
    _demand("initrd", same=initrds == entry.initrds)
    if trial.image is not None:
        _demand("initrd", same=f"{mount}{entry.initrds[-1]}" == trial.image.system_image)
        ours = image_path(trial.image.folder, trial.image.plan_id).removeprefix(mount)
        _demand("image", same=entry.image == ours)
    _check_same_device(tree, mount, tuple(f"{mount}{path}" for path in (entry.kernel, *entry.initrds)))


def _selected_entry(tree: Tree, folder: str) -> list[tuple[str, str]]:
    """Keys and values of the entry file that started this boot."""
    selected = (efi_words(tree, _SELECTED) or "").lower().removesuffix(".conf")
    for name in tree.names(folder):
        stem = name.lower().removesuffix(".conf")
        if name.endswith(".conf") and selected in (stem, _COUNTER.sub("", stem)):
            return read_entry(tree, f"{folder}/{name}")
    raise Refusal(Kind.TRIAL, what="entry")

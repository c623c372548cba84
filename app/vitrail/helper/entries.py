# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry files of the boot loader specification: which of them start this system, and what they load."""

from __future__ import annotations

import re

from vitrail.helper.tree import Tree
from vitrail.model.trial import EntryFolder

_SAME_SYSTEM = ("root=", "rootflags=")
_TRIAL = "vitrail-"
_LIMINE = ("boot/limine.conf", "boot/limine/limine.conf", "boot/efi/limine.conf", "efi/limine.conf")
_LIMINE_IMAGE = re.compile(r"^\s*(?:module_path|MODULE_PATH)\s*[:=]\s*boot\(\):(/[^\s#]+)", re.MULTILINE)


def read_entry(tree: Tree, path: str) -> list[tuple[str, str]]:
    """Keys and values of an entry file, in their order. Raises OSError."""
    words = tree.fact(path).decode("utf-8", "replace")
    pairs = [line.split(None, 1) for line in words.split("\n")]
    return [(pair[0], pair[1].strip()) for pair in pairs if len(pair) > 1 and not pair[0].startswith("#")]


def images_beside_entries(tree: Tree) -> tuple[str, ...]:
    """The last image that each entry of this system loads: other systems on the disk have entries of their own."""
    found: dict[str, None] = {}
    system = _system(tree.words("proc/cmdline") or "")
    for folder in EntryFolder:
        mount = folder.value.removesuffix("/loader/entries")
        for name in tree.names(folder.value):
            if not name.endswith(".conf") or name.startswith(_TRIAL):
                continue
            lines = read_entry(tree, f"{folder.value}/{name}")
            images = [word for key, value in lines if key == "initrd" for word in value.split()]
            options = " ".join(value for key, value in lines if key == "options")
            if images and _system(options) and _system(options) <= system:
                found[f"{mount}/{images[-1].lstrip('/')}"] = None
    return tuple(path for path in found if tree.exists(path)) or _images_of_limine(tree)


def unified_images(tree: Tree) -> tuple[str, ...]:
    """Images that hold the kernel and its line, too, in the folders where loaders look for them."""
    folders = [f"{folder.value.removesuffix('/loader/entries')}/EFI/Linux" for folder in EntryFolder]
    return tuple(f"{folder}/{name}" for folder in folders for name in tree.names(folder) if name.endswith(".efi"))


def _system(line: str) -> frozenset[str]:
    """Which system a command line starts: the file system, and what of it."""
    return frozenset(word for word in line.split() if word.startswith(_SAME_SYSTEM))


def _images_of_limine(tree: Tree) -> tuple[str, ...]:
    """What Limine's own menu loads; its paths begin at the partition that the menu is on."""
    found: dict[str, None] = {}
    for path in _LIMINE:
        try:
            words = tree.fact(path, 1024 * 1024).decode("utf-8", "replace")
        except OSError:
            continue
        mount = "boot/efi" if path.startswith("boot/efi") else path.split("/", 1)[0]
        for image in _LIMINE_IMAGE.findall(words):
            name = f"{mount}{image.split('#')[0]}"
            if tree.exists(name):
                found[name] = None
    return tuple(found)

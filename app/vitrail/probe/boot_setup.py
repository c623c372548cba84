# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the start rests on: the files that it edits, where they lie, how the loader picks. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vitrail.model.boot import BootFile, BootSetup
from vitrail.model.paths import GRUB_CONFIGS, IMAGES, MODULE_FOLDERS, PROGRAMS, START_FILES
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.boot_menu import read_menu_seconds, read_one_shot
from vitrail.probe.efi_variables import read_loader_words
from vitrail.probe.unlock import read_unlocking
from vitrail.probe.unread import is_missing, presence, shown_path, unread
from vitrail.probe.volumes import read_file_systems
from vitrail.source.root import MAX_FILE_BYTES

if TYPE_CHECKING:
    from vitrail.source.root import Root

_NO_TOKENS = frozenset({"EFI", "efi", "grub", "grub2", "loader", "lost+found", "vitrail"})
"""Folders of a boot partition that no kernel lies in."""


def read_setup(root: Root, loader: Reading[str | None], cmdline: Reading[str]) -> BootSetup:
    """Everything that a plan for the host is made on."""
    # Files come first: looking at them mounts what is mounted on use.
    files = tuple(_files(root))
    contents = {file.path: file.content for file in files}
    file_systems = read_file_systems(root)
    unlocking = read_unlocking(root, loader, cmdline, file_systems, contents)
    return BootSetup(
        files=files,
        file_systems=file_systems,
        selected_entry=read_loader_words(root, "LoaderEntrySelected"),
        kernels=_kernels(root),
        images=_images(root),
        menu_seconds=read_menu_seconds(root, loader, contents),
        one_shot=read_one_shot(root, loader, contents),
        asks_passphrase=unlocking.asks_passphrase,
        sealed_unlock=unlocking.sealed,
        programs=tuple(path for path in PROGRAMS if presence(root, path)),
    )


def _files(root: Root) -> Iterator[BootFile]:
    for pattern in (*START_FILES, *GRUB_CONFIGS):
        folder, _, last = pattern.rpartition("/")
        if "*" not in last:
            yield BootFile(pattern, _content(root, pattern))
            continue
        try:
            names = root.names(folder)
        except OSError as error:
            if not is_missing(error):
                yield BootFile(folder, unread(root, folder, error))
            continue
        for name in names:
            if fnmatchcase(name, last):
                yield BootFile(f"{folder}/{name}", _content(root, f"{folder}/{name}"))


def _content(root: Root, path: str) -> Reading[str | None]:
    try:
        content = root.read_bytes(path)
    except OSError as error:
        return Known(None, shown_path(path)) if is_missing(error) else unread(root, path, error)
    if len(content) >= MAX_FILE_BYTES:
        # What was cut off would be missing from whatever is written on it.
        return Unknown(text("probe.boot.too-large", path=shown_path(path)))
    return Known(content.decode("utf-8", "surrogateescape"), shown_path(path))


def _kernels(root: Root) -> Reading[tuple[str, ...]]:
    found: set[str] = set()
    seen = None
    failed = None
    for folder in MODULE_FOLDERS:
        try:
            found |= {name for name in root.names(folder) if root.exists(f"{folder}/{name}/modules.dep")}
            seen = seen or folder
        except OSError as error:
            failed = failed or unread(root, folder, error)
    if seen is None:
        return failed or Unknown(text("probe.boot.no-loader"))
    return Known(tuple(sorted(found)), shown_path(seen))


def _images(root: Root) -> Reading[tuple[str, ...]]:
    found: list[str] = []
    for pattern in IMAGES:
        folder, _, last = pattern.partition("/*/*/")
        try:
            if last:
                found += _token_images(root, folder, last)
            else:
                folder, _, last = pattern.rpartition("/")
                found += [f"{folder}/{name}" for name in root.names(folder) if fnmatchcase(name, last)]
        except OSError as error:
            if not is_missing(error):
                return unread(root, folder, error)
    return Known(tuple(sorted(found)), "/boot")


def _token_images(root: Root, folder: str, last: str) -> Iterator[str]:
    """Images in kernel-install's folders: one a token, in it one a kernel."""
    for token in root.names(folder):
        if token in _NO_TOKENS or token.startswith(".") or "." in token:
            continue
        for kernel in _names(root, f"{folder}/{token}"):
            inside = f"{folder}/{token}/{kernel}"
            yield from (f"{inside}/{name}" for name in _names(root, inside) if fnmatchcase(name, last))


def _names(root: Root, folder: str) -> tuple[str, ...]:
    try:
        return root.names(folder)
    except OSError:
        return ()

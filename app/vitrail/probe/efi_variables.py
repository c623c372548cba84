# SPDX-License-Identifier: GPL-3.0-or-later
"""What firmware and boot loader left in the firmware's variables: text or bytes behind four bytes of attributes.

Separate because several readers ask, and because "not set" and "not readable" look alike in a folder of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.probe.unread import is_missing, presence, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

EFI = "sys/firmware/efi"
VARIABLES = f"{EFI}/efivars"
ATTRIBUTES = 4
"""Bytes before a variable's content in efivarfs."""
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
_LARGEST = 4096


def loader_variable(name: str) -> str:
    """The path of a variable of the boot loader interface."""
    return f"{VARIABLES}/{name}-{LOADER}"


def read_variable(root: Root, path: str) -> Reading[bytes | None]:
    """A variable's content; Known(None) where it is not set, or where there is no such firmware."""
    try:
        return Known(root.read_bytes(path, _LARGEST)[ATTRIBUTES:], f"/{path}")
    except OSError as error:
        if not is_missing(error):
            return unread(root, path, error)
        if presence(root, EFI) is False and presence(root, "sys/firmware"):
            return Known(None, "/sys/firmware")
        # An empty folder means that nothing is mounted there, or that nothing was recorded.
        return Known(None, f"/{VARIABLES}") if names(root) else unread(root, path, error)


def names(root: Root) -> tuple[str, ...]:
    """The variables that can be seen, () where none can."""
    try:
        return tuple(name for name in root.names(VARIABLES) if not name.startswith("."))
    except OSError:
        return ()


def read_loader_words(root: Root, name: str) -> Reading[str | None]:
    """A text of the boot loader interface, Known(None) where the loader set none."""
    said = read_variable(root, loader_variable(name))
    if isinstance(said, Unknown):
        return said
    words = "" if said.value is None else said.value.decode("utf-16-le", "replace").strip("\0 ")
    return Known(words or None, said.source)


def loader_words(root: Root, name: str) -> str:
    """The same where not set and not readable act alike."""
    said = read_loader_words(root, name)
    return (said.value or "") if isinstance(said, Known) else ""

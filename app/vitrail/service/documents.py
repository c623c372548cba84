# SPDX-License-Identifier: GPL-3.0-or-later
"""The place for a domain XML on disk: this computer, and no libvirt unless one was named.

A document can be planned where no daemon runs; then what the daemon's QEMU can do stays unknown, which is a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Unreachable
from vitrail.model.machine import MachineKind
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.service.happening import Happening
from vitrail.service.place import Place
from vitrail.service.places import open_place
from vitrail.service.state import StateFolder, find_state_folder
from vitrail.service.stores import DefineRefused, StoredDomain
from vitrail.service.workplace import Workplace
from vitrail.source.names import Names
from vitrail.source.root import FolderRoot

_NOT_ASKED = text("service.document.not-asked")


class NoDomains:
    """A store without domains: everything asked of it is unknown, and nothing can be defined in it."""

    def list(self) -> tuple[StoredDomain, ...]:
        raise Unreachable(_NOT_ASKED)

    def read(self, uuid: str) -> StoredDomain | None:
        del uuid
        raise Unreachable(_NOT_ASKED)

    def running_text(self, uuid: str) -> Reading[str]:
        del uuid
        return Unknown(_NOT_ASKED)

    def define(self, uuid: str, words: str, *, strict: bool) -> None:
        del uuid, words, strict
        raise DefineRefused(_NOT_ASKED)

    def where(self, uuid: str) -> str:
        return uuid

    def by_hand(self, file: Path) -> Text:
        return text("service.document.by-hand", file=str(file))

    def daemon(self) -> Reading[Daemon]:
        return Unknown(_NOT_ASKED)

    def capabilities(self, emulator: str | None, arch: str, machine: str, virt_type: str) -> Reading[str]:
        del emulator, arch, machine, virt_type
        return Unknown(_NOT_ASKED)

    def begin(self) -> None:
        """Nothing is to be opened."""

    def watch(self, callback: Callable[[Happening], None]) -> None:
        """Nothing happens to a document."""

    def close(self) -> None:
        """Nothing is open."""


def open_place_for_document(machine: str | None, connect: str | None) -> Workplace:
    """The recording or the libvirt that was named, else this computer without a libvirt. Raises Unreadable."""
    if machine is not None or connect is not None:
        return open_place(machine, connect)
    root = FolderRoot("/")
    return Workplace(
        Place(
            kind=MachineKind.REAL,
            connection="document:",
            label=text("service.document.label"),
            root=root,
            names=Names(root),
            nvml=None,
            store=NoDomains(),
            state=StateFolder(find_state_folder()),
        )
    )

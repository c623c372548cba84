# SPDX-License-Identifier: GPL-3.0-or-later
"""Where domains are kept: the one door through which the verbs list, read and define them.

Two kinds stand behind it, libvirt and the folder of a recording; nothing above knows which it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vitrail.model.capabilities import Daemon
from vitrail.model.reading import Reading
from vitrail.model.text import Text
from vitrail.model.vm import VmState
from vitrail.service.happening import Happening


@dataclass(frozen=True, slots=True)
class StoredDomain:
    """One domain as its store tells it. `text` is the persistent definition with its secrets."""

    uuid: str
    name: str
    text: Reading[str]
    state: Reading[VmState]
    persistent: bool
    has_managed_save: Reading[bool]
    autostart: Reading[bool]


class DefineRefused(Exception):
    """The store did not take the text. `message` is its own; `schema`: it says that the text breaks its schema."""

    def __init__(self, message: str | Text, *, schema: bool = False) -> None:
        super().__init__(str(message))
        self.message = message
        self.schema = schema


class DefineUnknown(Exception):
    """Nobody knows whether the text was or will be taken: the answer is late or the connection broke."""


class DomainStore(Protocol):
    """Lists, reads and defines domains. Every call may raise Unreachable."""

    def begin(self) -> None:
        """Open what the first question will need, without waiting for it: for who will stay and watch."""

    def list(self) -> tuple[StoredDomain, ...]:
        """Every domain, in the order of their names."""

    def read(self, uuid: str) -> StoredDomain | None:
        """This domain as it is now, None where there is none."""

    def running_text(self, uuid: str) -> Reading[str]:
        """What a domain that is on runs with, its secrets left out; the definition may be newer."""

    def define(self, uuid: str, words: str, *, strict: bool) -> None:
        """Make `words` the persistent definition of a domain that exists.

        `strict` asks the store to check the text against its schema. Raises DefineRefused or DefineUnknown.
        """

    def where(self, uuid: str) -> str:
        """How this domain's text is read, for evidence."""

    def by_hand(self, file: Path) -> Text:
        """What the user types to define the text in this file without Vitrail."""

    def daemon(self) -> Reading[Daemon]:
        """What answers behind this store."""

    def capabilities(self, emulator: str | None, arch: str, machine: str, virt_type: str) -> Reading[str]:
        """The domain capabilities document for one kind of VM."""

    def watch(self, callback: Callable[[Happening], None]) -> None:
        """Tell what happens from now on; a store that does not change by itself tells nothing."""

    def close(self) -> None:
        """Let go of everything; never waits long."""

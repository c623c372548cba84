# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in memory that can be told to misbehave in the ways that a daemon does and no test can make it do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Unreachable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import VmState
from vitrail.service.happening import Happening
from vitrail.service.stores import DefineRefused, DefineUnknown, StoredDomain


class MemoryStore:
    """One domain. `drops` is cut out of whatever is defined, `fills` replaces the one by the other.

    `answers` may raise after the text was taken.
    """

    def __init__(self, uuid: str, words: str) -> None:
        self.uuid = uuid
        self.words = words
        self.defined: list[str] = []
        self.drops = ""
        self.fills = ("", "")
        self.refuses: DefineRefused | None = None
        self.takes = True
        self.answers = True
        self.reachable = True
        self.state = VmState.OFF
        self.saved = False
        self.live: str | None = None
        self.after_define: Callable[[], None] = lambda: None

    def list(self) -> tuple[StoredDomain, ...]:
        found = self.read(self.uuid)
        return () if found is None else (found,)

    def read(self, uuid: str) -> StoredDomain | None:
        if not self.reachable:
            raise Unreachable(text("test.away"))
        if uuid != self.uuid:
            return None
        known = Known(self.words, "memory")
        return StoredDomain(
            uuid,
            "guest",
            known,
            Known(self.state, "memory"),
            persistent=True,
            has_managed_save=Known(self.saved, "memory"),
            autostart=Known(value=False, source="memory"),
        )

    def running_text(self, uuid: str) -> Reading[str]:
        del uuid
        return Unknown(text("test.none")) if self.live is None else Known(self.live, "memory live")

    def define(self, uuid: str, words: str, *, strict: bool) -> None:
        assert uuid == self.uuid
        if self.refuses is not None and (strict or not self.refuses.schema):
            raise self.refuses
        self.defined.append(words)
        if self.takes:
            self.words = (words.replace(self.drops, "") if self.drops else words).replace(*self.fills)
        self.after_define()
        if not self.answers:
            raise DefineUnknown

    def where(self, uuid: str) -> str:
        return f"memory {uuid}"

    def by_hand(self, file: Path) -> Text:
        return text("test.by-hand", path=str(file))

    def daemon(self) -> Reading[Daemon]:
        return Unknown(text("test.none"))

    def capabilities(self, emulator: str | None, arch: str, machine: str, virt_type: str) -> Reading[str]:
        del emulator, arch, machine, virt_type
        return Unknown(text("test.none"))

    def begin(self) -> None:
        return

    def watch(self, callback: Callable[[Happening], None]) -> None:
        del callback

    def close(self) -> None:
        return

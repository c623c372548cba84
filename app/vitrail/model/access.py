# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the VMs here run as, what that user may already do, and what confines them: what narrow permissions rest on.

No part of the machine: another user at the same machine has another one, and only a plan asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.boot import BootFile
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import text


@dataclass(frozen=True, slots=True)
class Person:
    """The user who asks: name, number and the groups that the user is in by this computer's own files."""

    name: str
    uid: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """`session`: VMs run as the person, not as the system's own user for them (`qemu:///session`)."""

    session: bool
    person: Reading[Person]
    locked_mib: Reading[int | None]
    """How much memory the person's programs may lock, None: as much as there is."""
    draws: Reading[bool]
    """Whether the person's programs may draw on every card that can."""
    asked: Reading[bool]
    """Whether the system's libvirt asks the person for a password each time, as it does not ask its own group."""
    apparmor: Reading[bool]
    selinux: Reading[bool]
    """Whether it refuses what the policy does not name (enforcing)."""
    labels: Reading[str]
    """The local labels of the SELinux policy in use."""
    files: tuple[BootFile, ...]
    """The files of permissions as they are now."""

    def content(self, path: str) -> Reading[str | None]:
        """What is in this file now. Unknown where it is not among those that are read."""
        found = next((file.content for file in self.files if file.path == path), None)
        return found if found is not None else Unknown(text("model.boot.not-read", path=f"/{path}"))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed set of things that a plan can do.

No step carries a command line, and none that runs as root carries file content across: what a host step holds of a file
is for the preview alone. The VM step carries whole texts because libvirt takes whole texts, as the user.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vitrail.model.host_step import HostChange


@dataclass(frozen=True, slots=True)
class EditVm:
    """Replace the persistent definition of one domain; digests are SHA-256 of the texts.

    The texts hold what the definition holds, passwords included, so they never print: they are shown as a diff that
    masks secrets, and stored with mode 0600.
    """

    uuid: str
    name: str
    before: str = field(repr=False)
    after: str = field(repr=False)
    before_digest: str
    after_digest: str


@dataclass(frozen=True, slots=True)
class HostStep:
    """One change to this computer, with what is seen of it before and after where that is a text.

    For a file both are its whole text as it was read and as `render` makes it (None: no file); for a program both are
    what it will have listed, where that is known, else None.
    """

    change: HostChange
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ResumeAtLogin:
    """An autostart entry of the user's own that opens the proof page after the restart.

    `content` is the file's whole text; it names how Vitrail was started here, so no plan's id is taken over it.
    """

    path: str
    """From the user's configuration folder: `autostart/NAME.desktop`."""
    content: str


Step = EditVm | HostStep | ResumeAtLogin

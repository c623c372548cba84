# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed set of things that a plan can do.

No step carries a command line, and none that runs as root carries file content: a host step names what is meant with
typed values, and both sides render it. The VM step carries whole texts because libvirt takes whole texts, as the user.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vitrail.model.machine import BootStack, InitramfsTool
from vitrail.model.pci import DeviceIdentity


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
class SetKernelArguments:
    """Add arguments to the kernel's command line through the tool that owns it; acts at the next start."""

    stack: BootStack
    arguments: tuple[str, ...]
    before: str
    """The command line of the running kernel, for the preview."""


@dataclass(frozen=True, slots=True)
class ReserveCard:
    """Give these functions to vfio-pci at every start, by address with the identity checked; acts at the next start."""

    identities: tuple[DeviceIdentity, ...]
    drivers_now: tuple[str, ...]
    """The driver of each function now, `-` for none, in the order of `identities`."""


@dataclass(frozen=True, slots=True)
class RebuildInitramfs:
    """Build the initramfs of every installed kernel anew, so that the reservation is in it."""

    tool: InitramfsTool


HostStep = SetKernelArguments | ReserveCard | RebuildInitramfs
Step = EditVm | HostStep

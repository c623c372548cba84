# SPDX-License-Identifier: GPL-3.0-or-later
"""Giving a device to another driver while the computer runs, and what can stand in the way.

Nothing of it outlives a restart. It is refused while anybody holds the device: a driver that is taken away under a
program may never come back from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.pci import DeviceIdentity

VFIO = "vfio-pci"
_DRIVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BindLive:
    """Take the device from one driver and give it to another; None is no driver. One of the two is vfio-pci."""

    identity: DeviceIdentity
    before: str | None
    after: str | None

    def __post_init__(self) -> None:
        drivers = (self.before, self.after)
        if VFIO not in drivers or self.before == self.after:
            raise ValueError("driver")
        if not all(driver is None or _DRIVER.fullmatch(driver) for driver in drivers):
            raise ValueError("driver")


class HoldKind(StrEnum):
    """What holds a device, by what releases it."""

    PROGRAM = "program"
    SOUND = "sound"
    """The desktop's sound service, which opens every card that it finds."""
    VM = "vm"
    CONSOLE = "console"
    """The text console is drawn on it."""
    BOOT_SCREEN = "boot-screen"
    """The picture that the firmware has set up lies in its memory."""
    USB = "usb"
    """Something is plugged into it."""
    DISK = "disk"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Hold:
    """One that holds a device; `pid` only for programs and VMs."""

    kind: HoldKind
    name: str
    pid: int | None = None

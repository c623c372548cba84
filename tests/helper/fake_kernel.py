# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel for devices in a folder: what is written to unbind, driver_override and drivers_probe acts at once.

It stands behind `os.write` of the test's own process and of the children that it forks; the helper knows nothing of it.
"""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

from helper.bench import CARD, DISK, SOUND
from vitrail.model.pci import PciAddress

PCI = "sys/bus/pci"
NATIVE = {CARD.address: "nouveau", SOUND.address: "snd_hda_intel", DISK.address: "nvme"}


class Kernel:
    """Drivers and devices below one root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stuck: set[str] = set()
        """Files of which a write never returns, by their last two names."""
        self.refused: set[str] = set()
        self._write = os.write
        for driver in ("vfio-pci", *NATIVE.values()):
            folder = root / PCI / "drivers" / driver
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "unbind").write_text("")
        (root / PCI / "drivers_probe").write_text("")
        for address, driver in NATIVE.items():
            (self.device(address) / "driver_override").write_text("(null)\n")
            self.give(address, driver)
        (root / "proc/1/fd").mkdir(parents=True, exist_ok=True)
        (root / "proc/1/comm").write_text("systemd\n")

    def device(self, address: PciAddress) -> Path:
        return self.root / f"sys/devices/pci0000:00/{address}"

    def driver(self, address: PciAddress) -> str | None:
        link = self.device(address) / "driver"
        return link.readlink().name if link.is_symlink() else None

    def override(self, address: PciAddress) -> str:
        return (self.device(address) / "driver_override").read_text()

    def give(self, address: PciAddress, driver: str | None) -> None:
        link = self.device(address) / "driver"
        link.unlink(missing_ok=True)
        if driver is not None:
            link.symlink_to(f"/{PCI}/drivers/{driver}")

    def write(self, descriptor: int, content: bytes) -> int:
        """In the place of `os.write`."""
        try:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
        except OSError:
            return self._write(descriptor, content)
        short = "/".join(path.parts[-2:])
        if not path.is_relative_to(self.root / "sys"):
            return self._write(descriptor, content)
        if short in self.stuck:
            (self.root / "stuck").write_text(str(os.getpid()))
            signal.pause()
        if short in self.refused:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        # Twice a call that a test can break at: before it acts, and after.
        self._write(descriptor, b"")
        self._act(path, content.decode().strip())
        self._write(descriptor, b"")
        return len(content)

    def _act(self, path: Path, words: str) -> None:
        with (self.root / "kernel-log").open("a") as log:
            log.write(f"{'/'.join(path.parts[-2:])} {words}\n")
        if path.name == "driver_override":
            path.write_text(f"{words or '(null)'}\n")
            return
        address = PciAddress.parse(words)
        if path.name == "unbind":
            if self.driver(address) != path.parent.name:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            self.give(address, None)
        if path.name == "drivers_probe" and self.driver(address) is None:
            override = self.override(address).strip()
            self.give(address, NATIVE[address] if override == "(null)" else override)

    def hold(self, pid: int, name: str, *files: str, line: str = "") -> None:
        """A program that has these open."""
        folder = self.root / f"proc/{pid}"
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_text(line)
        for number, file in enumerate(files):
            (folder / f"fd/{number}").symlink_to(file)

    def node(self, address: PciAddress, path: str, name: str) -> None:
        """A device file that hangs on a device."""
        folder = self.device(address) / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dev").write_text("226:0\n")
        (folder / "uevent").write_text(f"MAJOR=226\nMINOR=0\nDEVNAME={name}\n")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user of a lab machine has and does besides Vitrail: libvirt, a VM of their own, its start and its end."""

from __future__ import annotations

import time

from lab.machine import Machine
from lab.mailbox import PAUSE_S, LateError

GUEST_LIMIT_S = 240.0
AGAIN_S = 20.0
_READY = "NESTED READY"


class Vm:
    """A VM that libvirt of the lab machine runs; the guest in it says on its serial port which devices it has."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self.name = name
        start_libvirt(machine)
        machine.run(f"bash /mnt/lab/guest/nested {name}")

    def xml(self) -> str:
        """Its definition."""
        return self._machine.run(("virsh", "dumpxml", "--inactive", self.name)).output

    def state(self) -> str:
        """As virsh names it."""
        return self._machine.run(("virsh", "domstate", self.name)).output.strip()

    def start(self) -> set[str]:
        """Start it, wait for its guest, and return every `vendor:device class` that the guest sees."""
        self._machine.run(f": >/var/log/libvirt/qemu/{self.name}.console")
        self._machine.run(("virsh", "start", self.name))
        console = self._wait_console(_READY)
        words = [line.split() for line in console.splitlines() if line.startswith("NESTED PCI")]
        return {f"{vendor[2:]}:{device[2:]} {pci_class[2:6]}" for _, _, vendor, device, pci_class in words}

    def shut_down(self) -> None:
        """Press its power button and wait until it is off; as somebody at a desk would, again after a while."""
        began = pressed = time.monotonic()
        self._machine.run(("virsh", "shutdown", self.name))
        while self.state() != "shut off":
            if time.monotonic() - pressed > AGAIN_S:
                pressed = time.monotonic()
                self._machine.run(("virsh", "shutdown", self.name), ok=False)
            if time.monotonic() - began > GUEST_LIMIT_S:
                raise LateError(f"{self.name} does not end; its console:\n{self.console()[-800:]}")
            time.sleep(PAUSE_S)

    def console(self) -> str:
        """What its guest wrote."""
        path = f"/var/log/libvirt/qemu/{self.name}.console"
        return self._machine.run(f"cat {path} 2>/dev/null || true").output.replace("\r", "")

    def _wait_console(self, words: str) -> str:
        began = time.monotonic()
        while words not in (console := self.console()):
            state = self.state()
            if time.monotonic() - began > GUEST_LIMIT_S or state != "running":
                log = self._machine.run(f"tail -n 20 /var/log/libvirt/qemu/{self.name}.log", ok=False).output
                raise LateError(f"{self.name} is {state} without {words!r}; its console:\n{console[-800:]}\n{log}")
            time.sleep(PAUSE_S * 5)
        return console


def start_libvirt(machine: Machine) -> None:
    """The daemons answer; where systemd runs, it has started them."""
    machine.run("bash /mnt/lab/guest/libvirt")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What every mode's file is handed, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.machine import Host
from vitrail.model.reading import Reading
from vitrail.model.text import Text
from vitrail.model.vm import Vm
from vitrail.xmldoc.document import Node
from vitrail.xmldoc.edits import Edit, Element, Insert

# libvirt writes devices in this order; what is new goes where libvirt would put it.
_ORDER = (
    "emulator",
    "disk",
    "controller",
    "lease",
    "filesystem",
    "interface",
    "smartcard",
    "serial",
    "parallel",
    "console",
    "channel",
    "input",
    "tpm",
    "graphics",
    "sound",
    "audio",
    "video",
    "hostdev",
    "redirdev",
    "redirfilter",
    "hub",
    "watchdog",
    "memballoon",
    "rng",
    "nvram",
    "panic",
    "shmem",
    "memory",
    "iommu",
    "vsock",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """The facts that a mode plans on: the machine, the VM, its document, what the daemon can do."""

    host: Host
    vm: Vm
    root: Node
    devices: Node
    capabilities: Reading[DomainCapabilities]

    def all(self, tag: str) -> tuple[Node, ...]:
        """Every device of this kind."""
        return self.root.all("devices", tag)

    def add(self, new: Element) -> Insert:
        """The edit that puts a device where libvirt would write it."""
        rank = _ORDER.index(new.tag)
        places = [index for index, child in enumerate(self.devices.children) if child.tag in _ORDER[: rank + 1]]
        return Insert(self.devices.path, places[-1] if places else None, new)


@dataclass(frozen=True, slots=True)
class Draft:
    """Edits of the VM's document, and what there is to say about them."""

    edits: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: Draft) -> Draft:
        return Draft(self.edits + other.edits, self.findings + other.findings)


def warning(finding_id: str, title: Text, remedy: Text | None, *evidence: Evidence, known: bool = True) -> Finding:
    """A finding that does not stop the plan; `known` is False where it could not be told."""
    return Finding(finding_id, Status.FAIL if known else Status.UNKNOWN, Severity.WARNS, title, evidence, remedy)

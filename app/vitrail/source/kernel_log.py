# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a kernel log that names PCI devices and their IOMMU groups: the same facts as a listing, told line by line.

Separate from `lspci_text` because a log tells events, not a state: a device can go again, and a new boot starts anew.
Only the kernel's own fixed wording counts, wherever in the line it stands, so that every prefix of dmesg and journalctl
is fine. Drivers are not taken from it: a line of a driver is no proof that the driver still has the device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from vitrail.model.pci import PciAddress, PciClass
from vitrail.source.listing_lines import ListedDevice, clean

_AT = r"([0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])"
_FOUND = re.compile(
    rf"(?<![\w-])pci {_AT}: \[([0-9a-f]{{4}}):([0-9a-f]{{4}})\] type [0-9a-f]{{2}} class 0x([0-9a-f]{{6}})(?!\S)"
)
_BUSES = re.compile(rf"(?<![\w-])pci {_AT}: PCI bridge to \[bus ([0-9a-f]{{2}})(?:-[0-9a-f]{{2}})?\]")
_JOINED = (
    re.compile(rf"(?<![\w-])[\w-]{{1,40}} {_AT}: Adding to iommu group (\d{{1,5}})(?!\S)"),
    re.compile(rf"(?<![\w-])iommu: Adding device {_AT} to group (\d{{1,5}})(?!\S)"),
)
_LEFT = (
    re.compile(rf"(?<![\w-])[\w-]{{1,40}} {_AT}: Removing from iommu group \d{{1,5}}(?!\S)"),
    re.compile(rf"(?<![\w-])iommu: Removing device {_AT} from group \d{{1,5}}(?!\S)"),
)
_BOOT = re.compile(r"(?<![\w-])Linux version \d")


@dataclass
class _Boot:
    """What the log of one start tells; a log that contradicts itself is of several machines and tells nothing."""

    devices: dict[PciAddress, ListedDevice] = field(default_factory=dict)
    groups: dict[PciAddress, int] = field(default_factory=dict)
    contradicts: bool = False

    def line(self, words: str) -> None:
        found = _FOUND.search(words)
        if found is not None:
            self._found(PciAddress.parse(found.group(1)), *(int(part, 16) for part in found.groups()[1:]))
            return
        joined = _first(_JOINED, words)
        if joined is not None:
            address, number = PciAddress.parse(joined.group(1)), int(joined.group(2))
            self.contradicts |= self.groups.setdefault(address, number) != number
            return
        left = _first(_LEFT, words)
        if left is not None:
            address = PciAddress.parse(left.group(1))
            self.devices.pop(address, None)
            self.groups.pop(address, None)
            return
        buses = _BUSES.search(words)
        if buses is not None and (bridge := self.devices.get(PciAddress.parse(buses.group(1)))) is not None:
            self.devices[bridge.address] = replace(bridge, secondary_bus=int(buses.group(2), 16))

    def _found(self, address: PciAddress, vendor: int, device: int, pci_class: int) -> None:
        before = self.devices.get(address)
        self.contradicts |= before is not None and (before.vendor_id, before.device_id) != (vendor, device)
        self.devices[address] = ListedDevice(address, PciClass(pci_class), vendor, device)

    def told(self) -> tuple[ListedDevice, ...]:
        """The devices with their groups; none where the log names only devices, only groups, or contradicts itself."""
        if self.contradicts or not self.devices.keys() & self.groups.keys():
            return ()
        return tuple(replace(device, group=self.groups.get(address)) for address, device in self.devices.items())


def logged_groups(words: str) -> dict[PciAddress, int]:
    """The group of each device that the last start in this text put into one; none where the log contradicts itself."""
    last = _boots(words)[-1]
    return {} if last.contradicts else last.groups


def read_kernel_log(words: str) -> tuple[ListedDevice, ...]:
    """The devices of the last start that the log tells fully, in the order of the log; none where it does not."""
    return next((told for boot in reversed(_boots(words)) if (told := boot.told())), ())


def _boots(words: str) -> list[_Boot]:
    boots = [_Boot()]
    for raw in words.splitlines():
        line, _ = clean(raw)
        if _BOOT.search(line):
            boots.append(_Boot())
        boots[-1].line(line)
    return boots


def _first(patterns: tuple[re.Pattern[str], ...], words: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := pattern.search(words)) is not None), None)

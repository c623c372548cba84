# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the output of lspci, or of any script that lists IOMMU groups, as people paste it; else a kernel log.

A page may hold several listings. They are joined only where nothing speaks against one machine; otherwise the first is
taken and the rest is named in `notes`, because a card of one machine in the groups of another is worse than no card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from vitrail.model.errors import Unreadable
from vitrail.model.pci import CLASS_HOST_BRIDGE, PciAddress, PciClass
from vitrail.model.text import Text, text
from vitrail.source.kernel_log import logged_groups, read_kernel_log
from vitrail.source.listing_lines import ListedDevice, clean, device_line, from_record, heading_group, with_detail
from vitrail.source.other_texts import seen_instead

MAX_CHARACTERS = 1024 * 1024

_PROMPT = re.compile(r"\s{0,8}(?:\[?([\w.-]{1,40}@[\w.-]{1,60})[^$#>❯%\n]{0,80}[$#>❯%]|[$#❯%](?=\s)|sh-[\d.]{1,8}[$#])")
_RECORD = re.compile(r"([A-Za-z]{3,12}):\s+(.{1,300})$")
_NUMBERED_HEADER = re.compile(
    r"^[\s|#*]{0,10}(?:iommu[\s_-]{0,3})?group\b[^0-9]{1,60}(?:device|address|slot|bdf)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Listing:
    """The functions of one machine as the text shows them, by address, and what a reader of them should know."""

    devices: tuple[ListedDevice, ...]
    notes: tuple[Text, ...] = ()


@dataclass
class _Part:
    """One run of device lines of the text: the output of one command, as far as that can be told."""

    who: str | None = None
    devices: dict[PciAddress, ListedDevice] = field(default_factory=dict)
    tells_groups: bool = False

    def groups(self) -> dict[int, set[PciAddress]]:
        members: dict[int, set[PciAddress]] = {}
        for device in self.devices.values():
            if device.group is not None:
                members.setdefault(device.group, set()).add(device.address)
        return members


class _Reader:
    """Goes through the lines once and sorts devices into parts."""

    def __init__(self) -> None:
        self.parts = [_Part()]
        self._last: ListedDevice | None = None
        self._in_details = False
        self._group: int | None = None
        self._group_indent: int | None = None
        self._numbered = False
        self._record: dict[str, str] = {}

    def line(self, raw: str) -> None:
        words, indent = clean(raw)
        if not words.strip():
            self._end_record()
            return
        if self._take_record(words):
            return
        prompt = _PROMPT.match(words)
        shown = device_line(words, indent, numbered=self._numbered)
        if shown is not None:
            self._device(shown.device, shown.group, indent)
        elif prompt is not None:
            self._new_part(prompt.group(1))
        else:
            self._other(words, indent)

    def end(self) -> list[_Part]:
        self._end_record()
        return [part for part in self.parts if part.devices]

    def _other(self, words: str, indent: int) -> None:
        number = heading_group(words)
        if self._last is not None and (number is None or (self._in_details and indent > 0)):
            detailed = with_detail(self._last, words)
            if detailed is not None:
                self._put(detailed)
                self._in_details = True
                return
        if number is not None:
            self._group, self._group_indent, self._last = number, None, None
        elif _NUMBERED_HEADER.match(words):
            self._numbered = True

    def _device(self, device: ListedDevice, group: int | None, indent: int) -> None:
        if group is not None:
            self._group, self._group_indent = group, indent + 1
        elif self._group is not None:
            if self._group_indent is None:
                self._group_indent = indent
            if indent < self._group_indent:
                self._group = None
            group = self._group
        if device.address in self.parts[-1].devices:
            self._start_part(self.parts[-1].who)
        self._in_details = False
        self._put(device if group is None else replace(device, group=group))

    def _put(self, device: ListedDevice) -> None:
        self._last = self.parts[-1].devices[device.address] = device

    def _new_part(self, who: str | None) -> None:
        self._start_part(who)
        self._last = self._group = self._group_indent = None
        self._in_details = self._numbered = False

    def _start_part(self, who: str | None) -> None:
        if self.parts[-1].devices:
            self.parts.append(_Part(who))
        else:
            self.parts[-1].who = who or self.parts[-1].who

    def _take_record(self, words: str) -> bool:
        """Whether the line is one of an `lspci -vmm` record, which begins with the address under `Slot`."""
        match = _RECORD.match(words)
        if match is None or not (self._record or match.group(1) in ("Slot", "Device")):
            return False
        key, value = match.group(1), match.group(2).strip()
        if not self._record:
            try:
                PciAddress.parse(value)
            except ValueError:
                return False
            key = "Slot"
        self._record.setdefault(key, value)
        return True

    def _end_record(self) -> None:
        record, self._record = self._record, {}
        if "Class" in record:
            self._device(from_record(PciAddress.parse(record["Slot"]), record), None, 0)


def read_listing(words: str) -> Listing:
    """The devices that a pasted text lists. Raises Unreadable for every text that lists none."""
    if len(words) > MAX_CHARACTERS:
        raise _refused(seen_instead(words[:65536]) or text("listing.seen.too-long", mebibytes=1))
    if "\0" in words:
        raise _refused(text("listing.seen.binary"))
    reader = _Reader()
    for raw in words.removeprefix("\ufeff").splitlines():
        reader.line(raw)
    parts = reader.end()
    if not any(device.pci_class.code is not None for part in parts for device in part.devices.values()):
        logged = read_kernel_log(words)
        if not logged:
            raise _refused(seen_instead(words[:65536]) or text("listing.seen.something-else"))
        devices = tuple(sorted(logged, key=lambda device: device.address))
        return Listing(devices, (text("listing.kernel-log"), *_notes(devices, 0)))
    taken, left = _one_machine(parts)
    found = _with_logged_groups(_groups_settled(taken), {} if left else logged_groups(words))
    devices = tuple(sorted(found.values(), key=lambda device: device.address))
    return Listing(devices, _notes(devices, left))


def _with_logged_groups(
    found: dict[PciAddress, ListedDevice], logged: dict[PciAddress, int]
) -> dict[PciAddress, ListedDevice]:
    """The devices with the groups that kernel lines beside the listing tell, where both plainly mean one machine."""
    both = [(device.group, logged[address]) for address, device in found.items() if address in logged]
    if not any(group is not None for group, _ in both) or any(group not in (None, number) for group, number in both):
        return found
    unnamed = {address: ListedDevice(address, PciClass(None), group=number) for address, number in logged.items()}
    named = {
        address: replace(device, group=logged[address], without_group=False) if address in logged else device
        for address, device in found.items()
    }
    return unnamed | named


def _refused(seen: Text) -> Unreadable:
    return Unreadable(
        text("listing.not-a-listing", seen=seen), text("listing.run-lspci", command="lspci -Dnnv > listing.txt")
    )


def _notes(devices: tuple[ListedDevice, ...], left: int) -> tuple[Text, ...]:
    notes = [text("listing.several-machines", count=left)] if left else []
    if not any(device.pci_class.short == CLASS_HOST_BRIDGE for device in devices):
        notes.append(text("listing.excerpt"))
    return tuple(notes)


def _one_machine(parts: list[_Part]) -> tuple[_Part, int]:
    """Parts joined to machines, the first machine taken, and how many devices of others were left out."""
    machines: list[_Part] = []
    for part in parts:
        home = _home(machines, part)
        if home is None:
            machines.append(part)
        else:
            _join(home, part)
    taken = next((machine for machine in machines if _has_root(machine)), machines[0])
    return taken, sum(len(machine.devices) for machine in machines if machine is not taken)


def _has_root(part: _Part) -> bool:
    return any(address.bus == 0 for address in part.devices)


def _home(machines: list[_Part], part: _Part) -> _Part | None:
    """The machine that this part belongs to: the one it shares devices with, or the only one there is."""
    fitting = [machine for machine in machines if _fits(machine, part)]
    sharing = [machine for machine in fitting if machine.devices.keys() & part.devices.keys()]
    if sharing:
        return sharing[0]
    return fitting[0] if fitting and len(machines) == 1 else None


def _fits(machine: _Part, part: _Part) -> bool:
    """Whether nothing says that these are two machines, or one at two times."""
    if machine.who and part.who and machine.who != part.who:
        return False
    shared = machine.devices.keys() & part.devices.keys()
    if any(not _same(machine.devices[address], part.devices[address]) for address in shared):
        return False
    ours, theirs = machine.groups(), part.groups()
    return all(
        ours[number] <= theirs[number] or theirs[number] <= ours[number] for number in ours.keys() & theirs.keys()
    )


def _same(one: ListedDevice, other: ListedDevice) -> bool:
    """Whether two lines can show the same function; what either does not tell speaks for nothing."""
    pairs: list[tuple[object, object]] = [
        (one.pci_class.short, other.pci_class.short),
        (one.vendor_id, other.vendor_id),
        (one.device_id, other.device_id),
        (one.group, other.group),
        (one.driver, other.driver),
    ]
    if any(first is not None and second is not None and first != second for first, second in pairs):
        return False
    names = [_comparable(one), _comparable(other)]
    return not all(names) or names[0].startswith(names[1]) or names[1].startswith(names[0])


def _comparable(device: ListedDevice) -> str:
    words = f"{device.vendor_name or ''} {device.name or ''}".strip().lower()
    return words.rstrip(".… ")


def _join(home: _Part, part: _Part) -> None:
    for address, device in part.devices.items():
        known = home.devices.get(address)
        home.devices[address] = device if known is None else _filled(known, device)


def _filled(known: ListedDevice, more: ListedDevice) -> ListedDevice:
    """The first line's facts, and the second's where the first tells none."""
    gaps = {
        name: getattr(more, name)
        for name in ListedDevice.__slots__
        if getattr(known, name) is None and getattr(more, name) is not None
    }
    if known.pci_class.code is None or not known.pci_class.code & 0xFF:
        gaps["pci_class"] = more.pci_class if more.pci_class.code is not None else known.pci_class
    return replace(known, **gaps, without_group=known.without_group or more.without_group)


def _groups_settled(machine: _Part) -> dict[PciAddress, ListedDevice]:
    """`without_group` counts only where the text tells the groups of others and none of this one."""
    tells = any(device.group is not None for device in machine.devices.values())
    return {
        address: replace(device, without_group=tells and device.without_group and device.group is None)
        for address, device in machine.devices.items()
    }

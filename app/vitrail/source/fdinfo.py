# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's graphics drivers say of one open file: the standard keys of /proc/PID/fdinfo.

Keys and units are those of the kernel's "DRM client usage stats"; a driver's private keys are passed over. Such a file
is read every second for each client of each VM, and its lines hardly ever change place: where each number stands is
learned once, and after that only lines that changed are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import compress, count
from operator import ne

from vitrail.model.pci import PciAddress

_IDENTITY = re.compile(rb"^drm-(driver|pdev|client-id):[ \t]*(\S+)", re.MULTILINE)
_COUNTER = re.compile(
    rb"(drm-(engine-capacity|engine|total-cycles|cycles|resident|memory|shared|total)-([\w.-]+):[ \t]*)(\d+)"
    rb"([ \t]*(?:ns|KiB|MiB)?)"
)
_UNIT = {b"": 1, b"ns": 1, b"KiB": 1024, b"MiB": 1024 * 1024}
_OF_THE_CARD = ("vram", "local", "stolen")
"""Regions that are a card's own memory; without one of them a card lives in the computer's."""
_CLIENT = b"drm-client-id:"
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class DrmIdentity:
    """Which client of which card a file is. Only the client's number is unique, and only on its card."""

    driver: str
    card: PciAddress | None
    client: int


def read_identity(content: bytes) -> DrmIdentity | None:
    """Whose counters these are, None where the file tells of no graphics card."""
    found = dict(_IDENTITY.findall(content))
    driver, client = found.get(b"driver"), found.get(b"client-id", b"")
    if driver is None or not client.isdigit():
        return None
    try:
        card = PciAddress.parse(found.get(b"pdev", b"").decode("ascii", "replace"))
    except ValueError:
        card = None
    return DrmIdentity(driver.decode("ascii", "replace"), card, int(client))


@dataclass(frozen=True, slots=True)
class Engine:
    """A part of a card: where its busy time stands among the numbers, and the time that passed for it.

    Without the latter (None) the busy time is nanoseconds, else both are the driver's own ticks.
    """

    name: str
    busy: int
    passed: int | None
    capacity: int


_Wanted = tuple[int, bytes, bytes, int, int]
"""Line, what stands before and behind the number, its unit, the number's place among the values."""
_Line = tuple[bytes, bytes, int, int]
"""The same of a known line; nothing is read of one whose place is below zero, and only its beginning must stay."""


class DrmCounters:
    """The numbers of one client, kept up to date by `read`. Memory is in bytes.

    Drivers tell who it is and the memory first, then the engines: the two parts are compared as wholes, and only a part
    that changed is looked into.
    """

    __slots__ = (
        *("_client", "_first", "_head", "_head_known", "_marker", "_memory", "_shared", "_tail", "_tail_known"),
        *("_tail_lines", "_whole", "by_slot", "card_bytes", "changed", "content"),
        *("engines", "names", "shared_bytes", "values"),
    )

    def __init__(self, content: bytes) -> None:
        self.values: list[int] = []
        self._tail = self._head = self.content = b""
        self._tail_lines: list[bytes] = []
        self._tail_known: tuple[_Line, ...] = ()
        self._head_known: tuple[_Line, ...] = ()
        self.changed: tuple[int, ...] = ()
        """Which values the last reading changed; of memory only where it stands among the engines."""
        self._learn(content)

    def read(self, content: bytes) -> bool | None:
        """Take in what the file says now. False where its numbers stand elsewhere, None where it is another client's.

        In either case the numbers are anew, with other engines, maybe. While `content` is the same, nobody need ask.
        """
        cut = content.find(self._marker)
        head, tail = content[:cut], content[cut:]
        if head != self._head:
            told = self._read_head(head)
            if told is not True:
                return self._again(content)
            self._head = head
        self.content = content
        if tail == self._tail:
            self.changed = ()
            return True
        lines = tail.split(b"\n")
        if len(lines) != len(self._tail_lines) or (self._whole and lines[self._first] != self._client):
            return self._again(content)
        changed = _take(self._tail_known, lines, self._tail_lines, self.values)
        if changed is None:
            return self._again(content)
        self._tail, self._tail_lines, self.changed = tail, lines, changed
        if self._whole:
            self._add_memory()
        return True

    def _read_head(self, head: bytes) -> bool:
        lines, before = head.split(b"\n"), self._head.split(b"\n")
        if len(lines) != len(before) or lines[self._first] != self._client:
            return False
        if _take(self._head_known, lines, before, self.values) is None:
            return False
        self._add_memory()
        return True

    def _again(self, content: bytes) -> bool | None:
        client = self._client
        self._learn(content)
        return False if self._client == client else None

    def _learn(self, content: bytes) -> None:
        every = content.split(b"\n")
        self._first, self._client = next(
            ((at, line) for at, line in enumerate(every) if line.startswith(_CLIENT)), (0, b"")
        )
        numbers = [(at, match.groups()) for at, line in enumerate(every) if (match := _COUNTER.fullmatch(line))]
        self.values = [int(found[3]) * _UNIT[found[4].strip()] for _, found in numbers]
        found: dict[bytes, dict[str, int]] = {}
        for slot, (_, (_, kind, name, _, _)) in enumerate(numbers):
            found.setdefault(kind, {})[name.decode("ascii")] = slot
        capacity = {name: self.values[slot] for name, slot in found.get(b"engine-capacity", {}).items()}
        self.engines = _engines(found, capacity)
        self.names = tuple(engine.name for engine in self.engines)
        self.by_slot = {engine.busy: place for place, engine in enumerate(self.engines)}
        """Which engine's busy time a value is."""
        # Newer kernels say `resident`, older ones `memory` for the same; `total` also counts what was moved out.
        regions = found.get(b"resident") or found.get(b"memory") or found.get(b"total") or {}
        own = any(name.startswith(_OF_THE_CARD) for name in regions)
        self._memory = _card_part(regions, own=own)
        self._shared = _card_part(found.get(b"shared", {}), own=own)
        self._add_memory()
        timed = {slot for engine in self.engines for slot in (engine.busy, engine.passed) if slot is not None}
        wanted = [
            (at, before, behind, _UNIT[behind.strip()], slot)
            for slot, (at, (before, _, _, _, behind)) in enumerate(numbers)
            if slot in timed or slot in self._memory or slot in self._shared
        ]
        self._cut(content, wanted, timed)

    def _cut(self, content: bytes, wanted: list[_Wanted], timed: set[int]) -> None:
        """Find where the engines begin, and what is wanted on either side."""
        first = next((one for one in wanted if one[-1] in timed), None)
        # Where memory is told behind the engines, everything is read as one part.
        behind = first is not None and any(one[-1] not in timed for one in wanted if one[0] > first[0])
        self._whole = first is None or behind or first[0] < self._first
        if first is not None and content[: content.find(first[1])].count(b"\n") != first[0]:
            # A key that stands there twice: no driver does that, but then the cut would be at the first.
            self._whole = True
        line = 0 if first is None or self._whole else first[0]
        self._marker = b"" if first is None or self._whole else first[1]
        cut = content.find(self._marker)
        self.content, self._head, self._tail = content, content[:cut], content[cut:]
        self._tail_lines = self._tail.split(b"\n")
        known = {one[0]: one[1:] for one in wanted}
        lines = [known.get(at) or (_key(line), b"", 1, _NOWHERE) for at, line in enumerate(content.split(b"\n"))]
        # Behind the head's last line is nothing, as long as the engines begin where they began.
        self._head_known, self._tail_known = (*lines[:line], (b"\n", b"", 1, _NOWHERE)), tuple(lines[line:])

    def _add_memory(self) -> None:
        self.card_bytes = sum(self.values[slot] for slot in self._memory)
        """The card's own memory that it has; of a card without any, the computer's."""
        self.shared_bytes = sum(self.values[slot] for slot in self._shared)
        """What of that others have as well."""


def _take(
    known: tuple[_Line, ...], lines: list[bytes], before: list[bytes], values: list[int]
) -> tuple[int, ...] | None:
    """Read the lines that changed into the values; which ones, None where a line is not what it was."""
    changed = []
    for at in compress(count(), map(ne, lines, before)):
        start, end, unit, slot = known[at]
        line = lines[at]
        if not (line.startswith(start) and line.endswith(end)):
            return None
        if slot >= 0:
            try:
                values[slot] = int(line[len(start) : len(line) - len(end)]) * unit
            except ValueError:
                return None
            changed.append(slot)
    return tuple(changed)


def _key(line: bytes) -> bytes:
    """How a line begins while its number moves; where there is none, what no other line begins with."""
    if not line.startswith(b"drm-"):
        key, colon, _ = line.partition(b":")
        return key + (colon or b"\n")
    match = _COUNTER.fullmatch(line)
    return match[1] if match else line + b"\n"


def _engines(found: dict[bytes, dict[str, int]], capacity: dict[str, int]) -> tuple[Engine, ...]:
    passed = found.get(b"total-cycles", {})
    timed = [Engine(name, slot, None, max(1, capacity.get(name, 1))) for name, slot in found.get(b"engine", {}).items()]
    ticking = [
        Engine(name, slot, passed[name], max(1, capacity.get(name, 1)))
        for name, slot in found.get(b"cycles", {}).items()
        if name in passed
    ]
    # A driver that has both counts the same twice.
    known = {engine.name for engine in ticking}
    return tuple(sorted((*ticking, *(one for one in timed if one.name not in known)), key=lambda engine: engine.name))


def _card_part(regions: dict[str, int], *, own: bool) -> tuple[int, ...]:
    return tuple(slot for name, slot in regions.items() if not own or name.startswith(_OF_THE_CARD))

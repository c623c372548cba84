# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's graphics drivers say of one open file: the standard keys of /proc/PID/fdinfo.

Keys and units are those of the kernel's "DRM client usage stats"; a driver's private keys are passed over. Identity and
counters are read apart: the first stays as it is, the second is read every second for each client.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vitrail.model.pci import PciAddress

_IDENTITY = re.compile(rb"^drm-(driver|pdev|client-id):[ \t]*(\S+)", re.MULTILINE)
_COUNTER = re.compile(
    rb"^drm-(engine-capacity|engine|total-cycles|cycles|resident|memory|shared|total)"
    rb"-([\w.-]+):[ \t]*(\d+)[ \t]*([KM]?)",
    re.MULTILINE,
)
_UNIT = {b"": 1, b"K": 1024, b"M": 1024 * 1024}
_OF_THE_CARD = ("vram", "local", "stolen")
"""Regions that are a card's own memory; without one of them a card lives in the computer's."""


@dataclass(frozen=True, slots=True)
class DrmIdentity:
    """Which client of which card a file is. Only the client's number is unique, and only on its card."""

    driver: str
    card: PciAddress | None
    client: int
    line: bytes
    """The client's own line, to see that a descriptor still is that client's."""


@dataclass(frozen=True, slots=True)
class DrmCounters:
    """What one client has used so far: busy time in ns, or (busy, passed) in the driver's ticks; memory in bytes."""

    busy_ns: dict[str, int]
    ticks: dict[str, tuple[int, int]]
    capacity: dict[str, int]
    memory: dict[str, int]
    shared: dict[str, int]

    @property
    def card_bytes(self) -> int:
        """The card's own memory that it has; of a card without any, the computer's."""
        return _card_part(self.memory)

    @property
    def shared_bytes(self) -> int:
        """What of that others have as well."""
        return _card_part(self.shared, like=self.memory)


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
    line = next((line for line in content.split(b"\n") if line.startswith(b"drm-client-id:")), b"")
    return DrmIdentity(driver.decode("ascii", "replace"), card, int(client), line)


def read_counters(content: bytes) -> DrmCounters:
    """Every standard counter in it. Names are the driver's."""
    busy: dict[str, int] = {}
    cycles: dict[str, int] = {}
    passed: dict[str, int] = {}
    capacity: dict[str, int] = {}
    older: dict[str, int] = {}
    resident: dict[str, int] = {}
    total: dict[str, int] = {}
    shared: dict[str, int] = {}
    kinds = {
        b"engine": busy,
        b"engine-capacity": capacity,
        b"cycles": cycles,
        b"total-cycles": passed,
        b"resident": resident,
        b"memory": older,
        b"total": total,
        b"shared": shared,
    }
    for kind, name, number, unit in _COUNTER.findall(content):
        kinds[kind][name.decode("ascii")] = int(number) * _UNIT[unit]
    ticks = {name: (cycles[name], passed[name]) for name in cycles if name in passed}
    # Newer kernels say `resident`, older ones `memory` for the same; `total` also counts what was moved out.
    return DrmCounters(busy, ticks, capacity, resident or older or total, shared)


def _card_part(regions: dict[str, int], like: dict[str, int] | None = None) -> int:
    own = any(name.startswith(_OF_THE_CARD) for name in (regions if like is None else like))
    return sum(size for name, size in regions.items() if not own or name.startswith(_OF_THE_CARD))

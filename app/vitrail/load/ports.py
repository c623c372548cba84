# SPDX-License-Identifier: GPL-3.0-or-later
"""What the samplers need from outside their room: what root alone sees, what a VM says of itself, libvirt's counters.

`service` implements these; nothing here knows how. Everything comes raw: texts and counters are made into load here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Reading


@dataclass(frozen=True, slots=True)
class RawClient:
    """One open file of a graphics card, of a process that this user may not look into, with its fdinfo text."""

    pid: int
    descriptor: int
    text: bytes
    taken_at: float
    """When it was read, in monotonic seconds: it is asked for less often than ticks come."""


@dataclass(frozen=True, slots=True)
class CounterAsked:
    """One event of the kernel's counters: the unit's number and the event's."""

    pmu_type: int
    config: int
    cpu: int


class RootFeed(Protocol):
    """What only the administrator may read. Never waits: every answer is the newest, or says why there is none."""

    def drm_clients(self, pids: tuple[int, ...]) -> Reading[tuple[RawClient, ...]]:
        """Every open file of a graphics card of these processes."""
        ...

    def counters(self, asked: tuple[CounterAsked, ...]) -> Reading[tuple[int | None, ...]]:
        """How far each event has counted, in the order asked; None for one that the kernel does not have."""
        ...


@dataclass(frozen=True, slots=True)
class GuestLoad:
    """What a VM says of the card that it was given, whole."""

    load_percent: Reading[float]
    memory_used_mib: Reading[int]
    memory_total_mib: Reading[int]
    temperature_c: Reading[float]
    power_w: Reading[float]


class GuestAsk(Protocol):
    """The VMs' own agents, asked in the background and never more often than they are allowed to be."""

    def latest(self, uuid: str, card: PciAddress) -> Reading[GuestLoad]:
        """The newest answer, without waiting; Unknown(needs agent, blocked in guest, stale) where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class DomainCounters:
    """What libvirt had counted for one running domain at `taken_at` (monotonic seconds), in ns since its start."""

    taken_at: float
    cpu_ns: int
    vcpus: int
    wait_ns: int | None
    """How long its processors were ready without running; None where this libvirt does not tell."""
    disk_ns: int | None


class DomainStats(Protocol):
    """libvirt's counters."""

    def counters(self) -> Reading[Mapping[str, DomainCounters]]:
        """Of every running domain, by UUID, as last told; never waits."""
        ...

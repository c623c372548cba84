# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's counters of every running domain, asked in the background: a daemon that hangs delays no sample."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from vitrail.load.ports import DomainCounters
from vitrail.model.errors import Unreachable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.service import libvirt_errors
from vitrail.service.beside import Beside, Pace
from vitrail.service.libvirt_session import Session, load_libvirt

_EVERY_S = 2.0
_STALE_S = 10.0
_NOT_YET = Unknown(text("load.stale.first-look"))
_LATE = Unknown(text("load.stale.libvirt-late"))

Counters = Reading[Mapping[str, DomainCounters]]


class LibvirtStats:
    """The counters as they were told last. For one thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._beside: Beside[Mapping[str, DomainCounters]] = Beside(
            self._ask, Pace(_EVERY_S, _STALE_S, _NOT_YET, _LATE)
        )

    def counters(self) -> Counters:
        """The newest answer; the next question is on its way."""
        return self._beside.latest()

    def _ask(self) -> Counters:
        libvirt = load_libvirt()
        kinds = libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_BLOCK
        # A domain whose QEMU is busy is left out instead of waited for.
        flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | getattr(
            libvirt, "VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT", 0
        )

        def ask(connection: Any, _beat: object) -> dict[str, DomainCounters]:
            told = connection.getAllDomainStats(kinds, flags)
            now = time.monotonic()
            return {domain.UUIDString(): counters_of(numbers, now) for domain, numbers in told}

        try:
            return Known(self._session.read(ask), f"{self._session.address.uri} virConnectGetAllDomainStats")
        except libvirt.libvirtError as error:
            return Unknown(libvirt_errors.failed(self._session.address, error).what)
        except Unreachable as error:
            return Unknown(error.what)


def counters_of(numbers: Mapping[str, Any], now: float) -> DomainCounters:
    """The counters that matter out of libvirt's many names."""
    vcpus = int(numbers.get("vcpu.current", 1))
    # `delay` is what the guest sees as stolen; older libvirts have only `wait`, and that only with schedstats.
    waits = [
        int(numbers[f"vcpu.{n}.delay"] if f"vcpu.{n}.delay" in numbers else numbers[f"vcpu.{n}.wait"])
        for n in range(vcpus)
        if f"vcpu.{n}.delay" in numbers or f"vcpu.{n}.wait" in numbers
    ]
    times = [
        int(numbers[name])
        for n in range(int(numbers.get("block.count", 0)))
        for name in (f"block.{n}.rd.times", f"block.{n}.wr.times", f"block.{n}.fl.times")
        if name in numbers
    ]
    return DomainCounters(
        now, int(numbers.get("cpu.time", 0)), vcpus, sum(waits) if waits else None, sum(times) if times else None
    )

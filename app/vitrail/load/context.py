# SPDX-License-Identifier: GPL-3.0-or-later
"""What else slows a VM down, from libvirt's counters: its processors' work and waiting, its disks' waiting."""

from __future__ import annotations

from vitrail.load.ports import DomainCounters, DomainStats
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import VmContext
from vitrail.model.text import text

_SOURCE = "virConnectGetAllDomainStats"
_FIRST = Unknown(text("load.stale.first-look"))
_UNTOLD = Unknown(text("load.unsupported.libvirt"))
_GONE = Unknown(text("load.stale.not-running"))


class ContextSampler:
    """Compares what libvirt had counted at two times; between two answers the last comparison stays."""

    def __init__(self, stats: DomainStats | None) -> None:
        self._stats = stats
        self._before: dict[str, DomainCounters] = {}
        self._latest: dict[str, VmContext] = {}

    def tick(self) -> Reading[dict[str, VmContext]] | None:
        """By UUID; None where nobody is asked."""
        if self._stats is None:
            return None
        told = self._stats.counters()
        if isinstance(told, Unknown):
            return told
        self._latest = {uuid: self._compare(uuid, counters) for uuid, counters in told.value.items()}
        self._before = dict(told.value)
        return Known(self._latest, _SOURCE)

    def _compare(self, uuid: str, counters: DomainCounters) -> VmContext:
        last = self._before.get(uuid)
        if last is None:
            return VmContext(_FIRST, _FIRST, _FIRST)
        passed_ns = (counters.taken_at - last.taken_at) * 1e9
        if passed_ns <= 0:
            return self._latest[uuid]
        return VmContext(
            _percent(counters.cpu_ns, last.cpu_ns, passed_ns),
            _percent(counters.wait_ns, last.wait_ns, passed_ns * max(1, counters.vcpus)),
            _percent(counters.disk_ns, last.disk_ns, passed_ns),
        )


def of_vm(contexts: Reading[dict[str, VmContext]] | None, uuid: str) -> VmContext | None:
    """What was told of this VM."""
    if contexts is None:
        return None
    if isinstance(contexts, Unknown):
        return VmContext(contexts, contexts, contexts)
    return contexts.value.get(uuid) or VmContext(_GONE, _GONE, _GONE)


def _percent(now: int | None, before: int | None, passed_ns: float) -> Reading[float]:
    if now is None or before is None:
        return _UNTOLD
    return Known(max(0.0, 100.0 * (now - before) / passed_ns), _SOURCE)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The vGPUs of one NVIDIA card, and the processes on it: whose each is and what it does.

NVIDIA counts in percent of the whole card and tells only what is new since the last question; a vGPU that nothing new
is told of does nothing that is counted, and after a while its last number is no longer true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vitrail.load.nvidia import SLOW_S, SOURCE, Nvidia, if_there, reading, reason_of
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import EngineLoad, LoadSource, VmSample
from vitrail.model.text import text
from vitrail.source.nvml_live import NvmlFault, NvmlLicence, NvmlLoad, NvmlShare, NvmlTrouble

_MIB = 1024 * 1024
_FRESH_S = 3.0
_RULE_S = 30.0
_BEST_EFFORT, _EQUAL, _FIXED = 1, 2, 3
_IDLE = Unknown(text("load.idle.no-samples"))
_NO_RULE = Unknown(text("load.unsupported.share-rule"))
_LICENCE = {0: "unknown", 1: "not asked yet", 2: "unlicensed", 3: "unlicensed, slowed", 4: "unlicensed", 5: "licensed"}
_ONE_SLICE = 100.0


@dataclass(slots=True)
class _Share:
    """One vGPU: what stays, its newest load with our time of it, and what is read slowly."""

    fixed: NvmlShare
    load: NvmlLoad | None = None
    told_at: float = 0.0
    slow_at: float | None = None
    memory: Reading[int] = _IDLE
    frames: Reading[tuple[int, int, int]] | None = None
    encoders: Reading[int] | None = None
    licence: Reading[NvmlLicence] | None = None


class CardShares:
    """Every vGPU and process of one card. All questions are to a card that is awake."""

    def __init__(self, nvidia: Nvidia, address: PciAddress) -> None:
        self._nvidia = nvidia
        self._address = address
        self._shares: dict[int, _Share] = {}
        self._since_us = 0
        self._rule: Reading[int] = _NO_RULE
        self._rule_at: float | None = None
        self._processes: dict[int, tuple[NvmlLoad, float]] = {}
        self._process_since_us = 0
        self._memory: Reading[dict[int, int]] = _IDLE
        self._memory_at: float | None = None
        self.failed: Unknown | None = None
        """Why the vGPUs could not be listed at the last tick."""

    def tick_shares(self, now: float) -> None:
        """Ask what the vGPUs did."""
        card = self._nvidia.handle(self._address, now)
        if isinstance(card, Unknown):
            self.failed = card
            return
        try:
            self._renew(card)
            told = self._nvidia.live.share_loads(card, self._since_us)
        except NvmlTrouble as trouble:
            self.failed = self._trouble(trouble)
            return
        self.failed = None
        for load in told:
            self._since_us = max(self._since_us, load.at_us)
            share = self._shares.get(load.number)
            if share is not None:
                share.load, share.told_at = load, now
        for number, share in self._shares.items():
            if share.slow_at is None or now - share.slow_at >= SLOW_S:
                self._read_slow(number, share, now)
        if self._rule_at is None or now - self._rule_at >= _RULE_S:
            self._rule, self._rule_at = reading(lambda: self._nvidia.live.share_rule(card)), now

    def _renew(self, card: Any) -> None:
        numbers = self._nvidia.live.shares(card)
        if len(numbers) == len(self._shares) and all(number in self._shares for number in numbers):
            return
        for gone in self._shares.keys() - set(numbers):
            del self._shares[gone]
        for number in numbers:
            if number not in self._shares:
                self._shares[number] = _Share(self._nvidia.live.share(card, number))

    def _read_slow(self, number: int, share: _Share, now: float) -> None:
        live = self._nvidia.live
        share.slow_at = now
        memory = reading(lambda: live.share_memory(number))
        share.memory = memory if isinstance(memory, Unknown) else Known(memory.value // _MIB, SOURCE)
        share.frames = if_there(reading(lambda: live.share_frames(number)))
        share.encoders = if_there(reading(lambda: live.share_encoders(number)))
        share.licence = if_there(reading(lambda: live.share_licence(number)))

    def _trouble(self, trouble: NvmlTrouble) -> Unknown:
        if trouble.fault is NvmlFault.LOST:
            return self._nvidia.lost(self._address, trouble)
        return reason_of(trouble)

    def of_vm(self, uuid: str, name: str, mdevs: Iterable[str], now: float) -> tuple[VmSample, ...]:
        """A sample for each vGPU of this VM."""
        wanted = frozenset(mdevs)
        mine = [
            share
            for share in self._shares.values()
            if (share.fixed.vm_is_uuid and share.fixed.vm == uuid) or share.fixed.mdev_uuid in wanted
        ]
        return tuple(self._sample(share, uuid, name, now) for share in mine)

    def _sample(self, share: _Share, uuid: str, name: str, now: float) -> VmSample:
        fresh = share.load if now - share.told_at <= _FRESH_S else None
        load = _IDLE if fresh is None else Known(fresh.core, SOURCE)
        frames = share.frames
        captured = isinstance(frames, Known) and frames.value[0] > 0
        return VmSample(
            uuid,
            name,
            self._address,
            LoadSource.NVML_SHARE,
            card_percent=load,
            share_percent=self._of_share(load, share.fixed.fits),
            memory_used_mib=share.memory,
            memory_share_mib=Known(share.fixed.memory_bytes // _MIB, SOURCE),
            engines=() if fresh is None else _parts(fresh),
            frame_rate_fps=Known(float(frames.value[1]), SOURCE) if captured and isinstance(frames, Known) else None,
            latency_ms=Known(frames.value[2] / 1000, SOURCE) if captured and isinstance(frames, Known) else None,
            encoder_sessions=share.encoders,
            licence=_licence(share.licence),
        )

    def _of_share(self, load: Reading[float], fits: int) -> Reading[float]:
        if isinstance(load, Unknown):
            return load
        rule = self._rule.value if isinstance(self._rule, Known) else 0
        if rule == _BEST_EFFORT:
            # Whoever wants gets what the others leave: the whole card.
            return load
        slices = {_EQUAL: len(self._shares), _FIXED: fits}.get(rule)
        if not slices:
            return _NO_RULE
        return Known(min(_ONE_SLICE, load.value * slices), SOURCE)

    def tick_processes(self, now: float) -> None:
        """Ask what the processes did."""
        card = self._nvidia.handle(self._address, now)
        if isinstance(card, Unknown):
            self._memory, self._processes = card, {}
            return
        try:
            told = self._nvidia.live.process_loads(card, self._process_since_us)
        except NvmlTrouble as trouble:
            self._memory, self._processes = self._trouble(trouble), {}
            return
        for load in told:
            self._process_since_us = max(self._process_since_us, load.at_us)
            self._processes[load.number] = (load, now)
        for pid in [pid for pid, (_, told_at) in self._processes.items() if now - told_at > _FRESH_S]:
            del self._processes[pid]
        if self._memory_at is None or now - self._memory_at >= SLOW_S or isinstance(self._memory, Unknown):
            self._memory, self._memory_at = reading(lambda: self._nvidia.live.process_memory(card)), now

    def of_processes(self, uuid: str, name: str, pids: tuple[int, ...]) -> VmSample | None:
        """What these processes do on this card, None where none of them is on it."""
        loads = [self._processes[pid][0] for pid in pids if pid in self._processes]
        memory = self._memory
        has = [memory.value[pid] for pid in pids if pid in memory.value] if isinstance(memory, Known) else []
        if not loads and not has:
            return None
        load: Reading[float] = _IDLE
        parts: tuple[EngineLoad, ...] = ()
        if loads:
            load = Known(min(_ONE_SLICE, sum(one.core for one in loads)), SOURCE)
            parts = _sum([_parts(one) for one in loads])
        return VmSample(
            uuid,
            name,
            self._address,
            LoadSource.NVML_PROCESS,
            card_percent=load,
            memory_used_mib=memory if isinstance(memory, Unknown) else Known(sum(has) // _MIB, SOURCE),
            engines=parts,
        )


def _parts(load: NvmlLoad) -> tuple[EngineLoad, ...]:
    return (
        EngineLoad("core", load.core),
        EngineLoad("memory", load.memory),
        EngineLoad("encode", load.encode),
        EngineLoad("decode", load.decode),
    )


def _sum(every: list[tuple[EngineLoad, ...]]) -> tuple[EngineLoad, ...]:
    return tuple(
        EngineLoad(same[0].name, min(_ONE_SLICE, sum(one.percent for one in same))) for same in zip(*every, strict=True)
    )


def _licence(licence: Reading[NvmlLicence] | None) -> Reading[str] | None:
    if licence is None or isinstance(licence, Unknown):
        return licence
    words = _LICENCE.get(licence.value.state, str(licence.value.state))
    until = licence.value.expires
    return Known(f"{words} until {until}" if until and until != "permanent" else words, SOURCE)

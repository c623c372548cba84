# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the load: what each card and each VM on it does at this moment.

A value that applies is a `Reading`; one that does not apply to this card or VM at all is None. A reason for silence has
an id that begins with `load.` and a word of `Silence`, so that a page can offer what ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown


class Silence(StrEnum):
    """Why a number is not there, as far as what would bring it differs."""

    IDLE = "idle"
    """It sleeps or does nothing that is counted; asking on would keep it awake."""
    STALE = "stale"
    """There is no fresh value: the first look of two, or a source that stopped telling."""
    NEEDS_HELPER = "needs-helper"
    """Only the administrator sees it."""
    NEEDS_AGENT = "needs-agent"
    """Only the VM itself sees it."""
    BLOCKED_IN_GUEST = "blocked-in-guest"
    """The VM was asked and does not allow it."""
    UNSUPPORTED = "unsupported"
    """Nobody can tell it: the driver counts no such thing."""
    FAILED = "failed"
    """It was asked and failed."""


def silence_of(reading: Known[object] | Unknown | None) -> Silence | None:
    """The kind of reason why this is not known, None where it is known or does not apply."""
    if not isinstance(reading, Unknown):
        return None
    room, _, rest = reading.reason.id.partition(".")
    word = rest.partition(".")[0]
    return Silence(word) if room == "load" and word in set(Silence) else Silence.FAILED


class LoadSource(StrEnum):
    """Who told the load of a VM."""

    NVML_SHARE = "nvml-vgpu"
    NVML_PROCESS = "nvml-process"
    FDINFO = "drm-fdinfo"
    PMU = "xe-pmu"
    GUEST = "guest-agent"


class LoadOf(StrEnum):
    """What a load is the percentage of."""

    CARD = "card"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """One part of a card (3D, copying, encoding, ...) by its driver's own name."""

    name: str
    percent: float


@dataclass(frozen=True, slots=True)
class CardSample:
    """What one card does. `engines` is empty where nobody tells its parts."""

    address: PciAddress
    load_percent: Reading[float]
    memory_used_mib: Reading[int]
    memory_total_mib: Reading[int]
    engines: tuple[EngineLoad, ...] = ()
    temperature_c: Reading[float] | None = None
    power_w: Reading[float] | None = None
    fan_percent: Reading[int] | None = None
    fan_rpm: Reading[int] | None = None
    clock_mhz: Reading[int] | None = None
    slowed_by: Reading[tuple[str, ...]] | None = None
    """What holds its clocks down (heat, power), () for nothing."""
    pcie_link: Reading[str] | None = None


@dataclass(frozen=True, slots=True)
class VmContext:
    """What else slows a VM down, in percent of one processor (`cpu`) or of the time (`wait`) since the last look."""

    cpu_percent: Reading[float]
    vcpu_wait_percent: Reading[float]
    """How long its processors were ready and did not get one of this computer's."""
    disk_wait_percent: Reading[float]


@dataclass(frozen=True, slots=True)
class VmSample:
    """What one VM does on one card. A VM with two cards has two; one without a card has one in which `gpu` is None."""

    uuid: str
    name: str
    gpu: PciAddress | None = None
    source: LoadSource | None = None
    card_percent: Reading[float] | None = None
    """Its load in percent of the whole card."""
    share_percent: Reading[float] | None = None
    """The same in percent of the share that it may use."""
    memory_used_mib: Reading[int] | None = None
    memory_share_mib: Reading[int] | None = None
    engines: tuple[EngineLoad, ...] = ()
    frame_rate_fps: Reading[float] | None = None
    latency_ms: Reading[float] | None = None
    encoder_sessions: Reading[int] | None = None
    licence: Reading[str] | None = None
    context: VmContext | None = None

    @property
    def load(self) -> tuple[Reading[float], LoadOf] | None:
        """The load with what it is of: of the card where that is known, else of the share; None without a card."""
        if self.card_percent is None:
            return None if self.share_percent is None else (self.share_percent, LoadOf.SHARE)
        if isinstance(self.card_percent, Unknown) and isinstance(self.share_percent, Known):
            return self.share_percent, LoadOf.SHARE
        return self.card_percent, LoadOf.CARD


@dataclass(frozen=True, slots=True)
class Sample:
    """One tick. `taken_at` is seconds since the epoch, UTC."""

    taken_at: float
    cards: Reading[tuple[CardSample, ...]]
    vms: Reading[tuple[VmSample, ...]]


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """What history keeps of one card or VM at one time; None where it was not known. Condensed, `load` is the mean."""

    taken_at: float
    load_percent: float | None
    highest_percent: float | None
    memory_mib: int | None

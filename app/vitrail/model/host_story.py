# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to a change of the start after its restart: the guard's clock, a trial's story, a kept promise today.

Separate from the wire's requests because the desktop shows these, the guard writes some of them into files, and a
later version reads those files again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.kernel_argument import check_plan_id
from vitrail.model.pci import DeviceIdentity, PciAddress

EXTENSION_SECONDS = 15 * 60
CLOCK_FILE = "run/vitrail/guard.json"
"""Where the guard's clock is for everybody to read, from the root without the first slash."""


class GuardPhase(StrEnum):
    """What the guard is at."""

    COUNTING = "counting"
    TAKING_BACK = "taking-back"
    RESTARTING = "restarting"
    """Taken back; the restart is announced, and can still be put off."""


@dataclass(frozen=True, slots=True)
class GuardClock:
    """The guard's clock. `deadline_boottime` is on CLOCK_BOOTTIME, which goes on in standby and knows no time zone."""

    plan_id: str
    boot_id: str
    phase: GuardPhase
    began_boottime: float
    deadline_boottime: float
    extended: int
    """How often somebody asked for more time."""
    up: bool
    """Whether this start came as far as a login; from then on the shorter time counts."""

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)


class WhyBack(StrEnum):
    """Why a trial did not last."""

    NOT_KEPT = "not-kept"
    """It came up as far as a login, and nobody said Keep in time."""
    NOT_UP = "not-up"
    """It never came as far as a login, and the guard's longer time was over."""
    FELL_BACK = "fell-back"
    """It did not come as far as the guard: the next start was the old system, by itself."""


@dataclass(frozen=True, slots=True)
class SeenDriver:
    """The driver of a card's function; None: it had none."""

    address: PciAddress
    driver: str | None


@dataclass(frozen=True, slots=True)
class SeenOutput:
    """An output and the kernel's own word for it: connected, disconnected, unknown."""

    connector: str
    status: str


@dataclass(frozen=True, slots=True)
class TrialSeen:
    """What the computer looked like in a trial that did not last. None: that could not be read."""

    boot_id: str | None
    """The boot that this is from; None where nothing of it was found."""
    taken_at: float
    why: WhyBack
    kernel_lines: tuple[str, ...] | None
    drivers: tuple[SeenDriver, ...] | None
    outputs: tuple[SeenOutput, ...] | None


class TrialState(StrEnum):
    """Where a guarded change stands, judged by this boot."""

    RESTART_DUE = "restart-due"
    RUNNING = "running"
    """This boot is the trial."""
    OFF = "off"
    """This boot would be it, but `vitrail=off` was typed in the loader."""
    FELL_BACK = "fell-back"
    """It awaits Keep, but this boot is the old system: the trial was not started, or did not come up."""
    TAKEN_BACK = "taken-back"
    """The guard took it back."""
    NOT_ALL_BACK = "not-all-back"
    """The guard took back what it could, and something is left for undo."""


@dataclass(frozen=True, slots=True)
class HostTrial:
    """A guarded change that nobody kept."""

    plan_id: str
    run: str
    state: TrialState
    clock: GuardClock | None
    seen: TrialSeen | None


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a change of the start rests on, and what updates replace. None: could not be read."""

    kernel: str | None
    """The running kernel's release."""
    firmware: str | None
    """The version that the mainboard's firmware gives itself."""
    firmware_date: str | None


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A device of a kept plan in this boot. `same` is None where its ids could not be read: it may be absent."""

    identity: DeviceIdentity
    same: bool | None
    driver: str | None


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A kept change, and what this boot shows of it."""

    plan_id: str
    kept_at: float
    then: Foundation
    now: Foundation
    on_line: bool | None
    """Whether its word is on the kernel's command line; None: could not be read, or it wrote none."""
    devices: tuple[KeptDevice, ...]
    """Those that it keeps for VMs from the start; all of them are to have vfio-pci."""


@dataclass(frozen=True, slots=True)
class HostStory:
    """Trials that nobody kept, newest first, and every kept plan."""

    trials: tuple[HostTrial, ...]
    kept: tuple[KeptPlan, ...]

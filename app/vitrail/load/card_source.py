# SPDX-License-Identifier: GPL-3.0-or-later
"""One card, asked of whoever can tell: NVIDIA's library, its driver's files, the kernel's counters, or its VM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vitrail.load.counters import CardCounters, Counted
from vitrail.load.nvidia import Nvidia
from vitrail.load.nvidia_shares import CardShares
from vitrail.load.ports import GuestAsk, RootFeed
from vitrail.load.power import GONE, CardPower
from vitrail.load.sysfs_card import SysfsCard
from vitrail.load.tenancy import SampledCard, Way
from vitrail.model.reading import Known, Reading, Unknown, known_or
from vitrail.model.sample import CardSample, VmSample
from vitrail.model.text import text
from vitrail.source.kept_files import KeptFiles
from vitrail.source.root import Root

_NVIDIA = "nvidia"
_COUNTED = ("i915", "xe")
_LENT = Unknown(text("load.needs-agent.card"))
_UNBOUND = Unknown(text("load.unsupported.no-driver"))
NO_SHARE = Unknown(text("load.stale.no-share"))
_NOT_NOW = Unknown(text("load.stale.first-look"))


@dataclass(frozen=True, slots=True)
class Company:
    """What every card shares with the others."""

    root: Root
    files: KeptFiles
    nvidia: Nvidia
    feed: RootFeed | None
    guests: GuestAsk | None
    silent: Unknown | None
    """Why nothing of this machine can be measured, as of a recording."""


class CardSource:
    """One card from one look at the machine to the next."""

    def __init__(self, card: SampledCard, company: Company) -> None:
        self.card = card
        self.driver = known_or(card.driver, None)
        self._nvidia = company.nvidia
        self._nothing = company.silent
        self.guests = company.guests
        self._power = CardPower(card.address, company.files, card.lit)
        self._files = SysfsCard(company.root, company.files, card.address, self.driver)
        self.shares = CardShares(company.nvidia, card.address) if self.driver == _NVIDIA else None
        counted = self.driver if self.driver in _COUNTED else None
        self.counters = CardCounters(company.root, card.address, counted, company.feed) if counted else None
        self.silent: Unknown | None = None
        """Why the card is not asked at this tick."""
        self.asked = False
        """Whether NVIDIA's library was asked for it, and so may hold it."""
        self._told = CardSample(card.address, _NOT_NOW, _NOT_NOW, _NOT_NOW)
        self._counted: Reading[Counted] = _NOT_NOW

    def begin(self, now: float) -> None:
        """A tick begins; NVIDIA's cards are asked afterwards, with `ask_library`."""
        self.silent = self._why_silent(now)
        if self.counters is not None and self.silent is None:
            self._counted = self.counters.tick(0, now)

    def ask_library(self, ways: set[Way], now: float) -> None:
        """Ask NVIDIA's library; `ways` are the kinds of use that VMs make of this card. May take its time."""
        self.asked = True
        if self.shares is not None:
            if Way.SHARE in ways:
                self.shares.tick_shares(now)
            if Way.DRAWN in ways:
                self.shares.tick_processes(now)
        self._told = self._nvidia.sample(self.card.address, now)

    def _why_silent(self, now: float) -> Unknown | None:
        if self._nothing is not None:
            return self._nothing
        if isinstance(self.card.driver, Unknown):
            return self.card.driver
        if self.driver is None:
            return _UNBOUND
        asleep = self._power.silent(now)
        if self.driver.startswith("vfio"):
            return asleep if asleep is GONE else _LENT
        return asleep

    def sample(self, now: float) -> CardSample:
        """What the card does now."""
        silent = self.silent
        if silent is not None:
            return CardSample(self.card.address, silent, silent, silent)
        if self.shares is not None:
            sample = replace(self._told, pcie_link=self._files.link())
        elif self.counters is not None:
            counted = self._counted
            if isinstance(counted, Unknown):
                sample = self._files.sample(counted)
            else:
                told = self._files.sample(Known(counted.value.percent, counted.source))
                sample = replace(told, engines=counted.value.engines)
        else:
            sample = self._files.sample()
        load = sample.load_percent
        self._power.measured(load.value if isinstance(load, Known) else None, now)
        return sample

    def shares_of(self, uuid: str, name: str, mdevs: Iterable[str], now: float) -> tuple[VmSample, ...]:
        """Every share of this card that the VM has."""
        if self.shares is None or self.silent is not None:
            return ()
        return self.shares.of_vm(uuid, name, mdevs, now)

    def why_no_share(self) -> Unknown:
        """Why a share that a VM was given is not among those that run."""
        if self.silent is not None:
            return self.silent
        failed = self.shares.failed if self.shares is not None else None
        return failed or NO_SHARE

    def close(self) -> None:
        """Let go of its counters."""
        if self.counters is not None:
            self.counters.close()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What every page is a function of: one look at the machine with everything that was concluded from it.

Made on the reader's thread and handed over whole, so no page can mix two looks and none ever has to ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.capabilities import Daemon
from vitrail.model.finding import Finding
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Gpu, Host, MachineKind, PciDevice
from vitrail.model.outcome import HistoryEntry
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Reading
from vitrail.model.text import Text
from vitrail.model.verdict import GroupVerdict
from vitrail.model.vm import Vm


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card with its colour, what its group allows, what would have to go along, what forbids giving it now."""

    gpu: Gpu
    hue: int
    verdict: GroupVerdict
    tied: tuple[PciDevice, ...]
    gates: tuple[Finding, ...]
    prepared: bool
    """Whether this computer needs no change before it can give the card: no argument, no restart."""
    shares: tuple[Gpu, ...] = ()
    """Its virtual functions: parts of it, each at an address of its own, never cards of their own."""
    management: bool = False
    """The screen of the computer's remote control (a BMC): listed, never offered."""
    needed: Finding | None = None
    """Why this computer cannot spare it: its own network, disks or keyboard would go along."""
    takers: tuple[Vm, ...] = ()
    """VMs whose definition takes it or a share of it, not only lets this computer draw on it."""

    @property
    def is_spare(self) -> bool:
        """Whether nothing keeps this computer from giving it today."""
        return self.prepared and not any(gate.stops for gate in self.gates)

    def part_at(self, address: PciAddress | None) -> Gpu | None:
        """The card itself or the share of it at this address."""
        return next((part for part in (self.gpu, *self.shares) if part.address == address), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """One look. `cards` is empty where none were read; `host.gpus` says which of the two it is."""

    kind: MachineKind
    label: Text
    connection: str
    host: Host
    daemon: Reading[Daemon]
    cards: tuple[CardFacts, ...]
    verdicts: tuple[GroupVerdict, ...]
    findings: tuple[Finding, ...]
    history: Reading[tuple[HistoryEntry, ...]]
    knowledge: Knowledge
    vms: tuple[Vm, ...]
    """The VMs that were read, those with a card first in the cards' order, so that lines cross little."""
    way_to_vms: tuple[Text, ...]
    """What to do where VMs could not be listed."""

    def card_at(self, address: PciAddress | None) -> CardFacts | None:
        """The card at this address, or the one whose share is there."""
        return next((card for card in self.cards if card.part_at(address) is not None), None)

    def verdict_of(self, number: int) -> GroupVerdict | None:
        """What the group with this number allows."""
        return next((verdict for verdict in self.verdicts if verdict.number == number), None)

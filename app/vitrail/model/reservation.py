# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of cards that are kept for VMs from the start: by address, with the identity that must be found there."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.kernel_argument import check_plan_id
from vitrail.model.pci import DeviceIdentity

MAX_CARDS = 64


@dataclass(frozen=True, slots=True)
class ReservedCard:
    """One function that is given to vfio-pci at start, if the plan's token is on the line and it is still this one."""

    plan_id: str
    identity: DeviceIdentity

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)
        ids = (self.identity.vendor_id, self.identity.device_id)
        optional = (self.identity.subsystem_vendor_id, self.identity.subsystem_device_id)
        known = all(number is not None and 0 <= number <= 0xFFFF for number in ids)  # noqa: PLR2004 - PCI's own width
        if not known or not all(number is None or 0 <= number <= 0xFFFF for number in optional):  # noqa: PLR2004
            raise ValueError("identity")


@dataclass(frozen=True, slots=True)
class ReservedCards:
    """The table that the early script reads: by address, with the identity that must be found there."""

    cards: tuple[ReservedCard, ...]

    def __post_init__(self) -> None:
        addresses = {card.identity.address for card in self.cards}
        if not 0 < len(self.cards) <= MAX_CARDS or len(addresses) != len(self.cards):
            raise ValueError("cards")

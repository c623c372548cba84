# SPDX-License-Identifier: GPL-3.0-or-later
"""Judgements that are more than one finding: what a group allows, and what a mode would take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.finding import Finding
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.text import Text


class Isolation(StrEnum):
    """Isolated: all members but bridges are functions of one card."""

    ISOLATED = "isolated"
    SHARED = "shared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """What one IOMMU group allows, and why; `number` is None for a card in no group, or in none that was read."""

    number: int | None
    isolation: Isolation
    reasons: tuple[Text, ...]


class Feasibility(StrEnum):
    """Whether a mode works here: now, after changes to this computer, not at all, or it could not be told."""

    READY = "ready"
    AFTER_CHANGES = "after_changes"
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CardVerdict:
    """A mode on one card. `findings` are everything that was looked at, passes included."""

    address: PciAddress
    feasible: Feasibility
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ModeVerdict:
    """A mode for one VM on this machine; `available` where this version writes it.

    `needs` is what would have to change; `rank` sorts by fit for the purpose, best first.
    """

    mode: Mode
    feasible: Feasibility
    available: bool
    reasons: tuple[Text, ...]
    needs: tuple[Text, ...]
    cards: tuple[CardVerdict, ...]
    rank: int

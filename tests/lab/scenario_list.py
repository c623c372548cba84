# SPDX-License-Identifier: GPL-3.0-or-later
"""Every scenario in the order in which they are worth running, and those whose place is kept for later versions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """Its name on the command line, the file in `scenarios/` (None: a later version's), and what it shows."""

    name: str
    file: str | None
    quick: bool
    says: str


SCENARIOS = (
    Scenario(
        "controls",
        "controls",
        quick=True,
        says="the lab itself: a false claim, a dead machine, a wait too long must fail",
    ),
    Scenario("scan", "scan", quick=True, says="scan and doctor show what was wired: cards, groups, drivers, verdicts"),
    Scenario("passthrough", "passthrough", quick=True, says="a nested guest gets the card and gives it back"),
    Scenario("first-time", "first_time", quick=False, says="trial, restart, Keep, undo on a disk with a boot loader"),
    Scenario("guard", "guard", quick=False, says="nobody keeps, hangs, panics, power cuts: the old system is back"),
    Scenario("wrong-card", "wrong_card", quick=True, says="a card that must stay is refused, with the right reason"),
    Scenario("sriov", None, quick=False, says="a card in parts (comes with shared cards)"),
    Scenario("mdev", None, quick=False, says="mediated devices (comes with shared cards)"),
    Scenario("desktop", "desktop", quick=True, says="passthrough by clicks in the real window, with pictures"),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a restart: this version plans changes to the computer itself but does not write them, and says so here."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.finding import Finding
from vitrail.model.plan import Plan
from vitrail.model.text import Text, text
from vitrail.plan.describe import summary_of


@dataclass(frozen=True, slots=True)
class RestartPage:
    """Why it stops, what would be next, and what can be done instead."""

    question: Text
    why: Text
    held_back: tuple[Text, ...]
    against: tuple[Finding, ...]
    instead: tuple[Text, ...]


def restart_page(plan: Plan, gates: tuple[Finding, ...] = ()) -> RestartPage:
    """The page that ends a plan which this version shows and does not write."""
    steps = plan.steps
    said = (*gates, *plan.findings)
    return RestartPage(
        question=text("wizard.restart.question"),
        why=text("wizard.restart.why"),
        held_back=tuple(summary_of(step) for step in steps),
        against=tuple(dict.fromkeys(one for one in said if one.stops or one.by_hand)),
        instead=(
            text("wizard.restart.instead.mode"),
            text("wizard.restart.instead.copy"),
            text("wizard.restart.instead.draft"),
        ),
    )

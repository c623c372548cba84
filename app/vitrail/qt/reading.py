# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the facts: reads and judges in one go. Runs on the reader's thread and knows nothing of windows."""

from __future__ import annotations

from vitrail.judge.card import whole_cards
from vitrail.judge.isolation import judge_card, judge_groups, tied_to
from vitrail.judge.passthrough import apply_gates
from vitrail.model.errors import VitrailError
from vitrail.model.machine import Host
from vitrail.model.outcome import HistoryEntry
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.qt.facts import CardFacts, Facts
from vitrail.service.workplace import Workplace


def read_facts(workplace: Workplace) -> Facts:
    """One look at the machine. Raises VitrailError where not even /sys or the recording could be read."""
    host = workplace.read()
    return Facts(
        kind=workplace.kind,
        label=workplace.label,
        connection=workplace.connection,
        host=host,
        daemon=workplace.daemon(),
        cards=card_facts(host),
        verdicts=judge_groups(host),
        findings=workplace.findings(host),
        history=_history(workplace),
        knowledge=workplace.knowledge,
    )


def card_facts(host: Host) -> tuple[CardFacts, ...]:
    """Every card with what is concluded about it; the place in the order of addresses decides its colour."""
    every = host.gpus.value if isinstance(host.gpus, Known) else ()
    return tuple(
        CardFacts(
            gpu,
            hue,
            judge_card(host, gpu),
            tied_to(host, gpu),
            apply_gates(host, gpu),
            tuple(part for part in every if part.device.physical_function == gpu.address),
        )
        for hue, gpu in enumerate(sorted(whole_cards(host), key=lambda gpu: gpu.address))
    )


def _history(workplace: Workplace) -> Reading[tuple[HistoryEntry, ...]]:
    # A state folder that cannot be read must not hide the machine.
    try:
        return Known(workplace.history(), "state")
    except VitrailError as error:
        return Unknown(error.what)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What others reported of a card, as reports with their source: never a certainty, never a stop by itself.

The exception is a management controller's screen: it is the server's own way to be seen from afar, so no mode offers
it, whatever it could do.
"""

from __future__ import annotations

from collections.abc import Sequence

from vitrail.judge.card import ids_of
from vitrail.judge.conclude import failed
from vitrail.judge.words import card_name, listed
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.knowledge import Knowledge, Quirk
from vitrail.model.machine import Gpu, PciDevice
from vitrail.model.text import text

_SEVERITY = {"documented": Severity.WARNS, "reported": Severity.WARNS}


def is_management_screen(device: PciDevice, knowledge: Knowledge) -> Quirk | None:
    """The report that says so, None for an ordinary card."""
    known = knowledge.quirks_of(device.identity.vendor_id, device.identity.device_id)
    return next((one for one in known if one.never_offer), None)


def management_findings(gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    """The stop that no mode may pass, nothing for an ordinary card."""
    report = is_management_screen(gpu.device, knowledge)
    if report is None:
        return ()
    title = text("judge.card.management")
    evidence = (Evidence(report.source, str(gpu.address)),)
    return (failed("card.management", Severity.BLOCKS, title, text("judge.card.choose-other"), evidence),)


def known_reports(gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    """One finding a report that covers this card; general knowledge only informs."""
    return reports_of((gpu,), knowledge)


def reports_of(cards: Sequence[Gpu], knowledge: Knowledge) -> tuple[Finding, ...]:
    """Each report once, with every card that it is about in its title and its evidence."""
    about: dict[str, tuple[Quirk, list[Gpu]]] = {}
    for card in cards:
        for one in knowledge.quirks_of(card.device.identity.vendor_id, card.device.identity.device_id):
            if not one.never_offer:
                about.setdefault(one.id, (one, []))[1].append(card)
    return tuple(_finding(one, covered) for one, covered in about.values())


def _finding(report: Quirk, cards: list[Gpu]) -> Finding:
    names = listed([card_name(card) for card in cards])
    ids = (Evidence(str(card.address), ids_of(card.device) or "?") for card in cards)
    return failed(
        f"report.{report.id}",
        _SEVERITY.get(report.confidence, Severity.INFO),
        text("judge.report.of-cards", cards=names, report=report.title),
        report.remedy,
        (Evidence(report.source, report.confidence), *ids),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail modes`: every way in which one VM could get graphics on this machine."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE
from vitrail.cli.json_modes import json_modes
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.model.errors import Unreadable
from vitrail.model.finding import Status
from vitrail.model.knowledge import PURPOSES, Traits
from vitrail.model.mode import mode_name
from vitrail.model.text import Text, text
from vitrail.model.verdict import CardVerdict, Feasibility, ModeVerdict
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Show all modes: what works now first, then what could, then what cannot."""
    if request.purpose not in PURPOSES:
        raise Unreadable(
            text("cli.usage.purpose", purpose=request.purpose), text("cli.usage.purposes", known=", ".join(PURPOSES))
        )
    with closing(open_from(request)) as workplace:
        host = workplace.read()
        vm = workplace.find_vm(host, request.vm)
        verdicts = workplace.modes(host, vm, request.purpose)
        if request.json:
            print_json(json_modes(verdicts, workplace.knowledge))
            return DONE
        page = Page(speaker(request.language))
        banner(page, workplace.kind, workplace.label)
        page.paragraph(text("cli.modes.of", vm=vm.name))
        for feasible, title in _HEADINGS.items():
            found = [verdict for verdict in verdicts if verdict.feasible is feasible]
            if found:
                page.heading(title)
                if feasible is Feasibility.AFTER_CHANGES:
                    page.paragraph(text("cli.modes.after-changes-later"), 2)
                for verdict in found:
                    _write_mode(page, verdict, workplace.knowledge.traits_of(verdict.mode), details=request.details)
        page.write()
        if not request.details:
            page.paragraph(text("cli.modes.more"))
        page.paragraph(text("cli.modes.plan", vm=vm.name))
    return DONE


_HEADINGS = {
    Feasibility.READY: text("cli.modes.ready"),
    Feasibility.AFTER_CHANGES: text("cli.modes.after-changes"),
    Feasibility.UNKNOWN: text("cli.modes.unknown"),
    Feasibility.IMPOSSIBLE: text("cli.modes.impossible"),
}


def _write_mode(page: Page, verdict: ModeVerdict, traits: Traits, *, details: bool) -> None:
    page.write()
    line = "cli.modes.mode" if verdict.available else "cli.modes.later"
    page.entry("", text(line, mode=verdict.mode.value, name=mode_name(verdict.mode)), 2)
    for reason in verdict.reasons:
        page.entry("", reason, 4)
    possible = verdict.feasible is not Feasibility.IMPOSSIBLE
    for need in verdict.needs:
        page.entry("", text("cli.modes.needs", need=need) if possible else text("cli.remedy", remedy=need), 4)
    if details:
        _every_card(page, verdict)
    elif possible:
        _other_cards(page, verdict)
    if possible:
        page.facts(
            [
                (text("cli.traits.performance"), traits.performance),
                (text("cli.traits.sharing"), traits.sharing),
                (text("cli.traits.cost"), traits.cost),
            ],
            4,
        )


def _every_card(page: Page, verdict: ModeVerdict) -> None:
    for card in verdict.cards:
        page.entry("", text("cli.modes.card", address=card.address.short, feasible=_plain(card)), 4)
        page.findings((finding for finding in card.findings if finding.status is not Status.PASS), 6)


def _other_cards(page: Page, verdict: ModeVerdict) -> None:
    """Beside the cards that can, those that cannot: one reason each, the rest is for those who ask."""
    for card in verdict.cards:
        against = next((one.title for one in card.findings if one.stops and one.status is not Status.PASS), None)
        if card.feasible is Feasibility.IMPOSSIBLE and against is not None:
            page.entry("", text("cli.modes.not-on", address=card.address.short, why=against), 4)


def _plain(card: CardVerdict) -> Text:
    if card.feasible is Feasibility.IMPOSSIBLE and not any(finding.stops for finding in card.findings):
        # It could be written; what runs inside, or nothing to draw on, makes it the wrong thing for this VM.
        return text("cli.feasible.unfit")
    match card.feasible:
        case Feasibility.READY:
            return text("cli.feasible.ready")
        case Feasibility.AFTER_CHANGES:
            return text("cli.feasible.after-changes")
        case Feasibility.IMPOSSIBLE:
            return text("cli.feasible.impossible")
    return text("cli.feasible.unknown")

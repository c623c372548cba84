# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail verify`: what a plan promised against a new read."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE, NOT_MEASURED, REFUSED
from vitrail.cli.json_runs import json_verify
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.text import Text, text
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Show every promise; the code tells the worst."""
    with closing(open_from(request)) as workplace:
        outcomes = workplace.verify(request.plan_id)
        if request.json:
            print_json(json_verify(outcomes))
        else:
            page = Page(speaker(request.language))
            banner(page, workplace.kind, workplace.label)
            for outcome in outcomes:
                _write(page, outcome)
            page.write()
            page.paragraph(_sum(outcomes))
    return verify_code(outcomes)


def verify_code(outcomes: tuple[Outcome, ...]) -> int:
    """A broken promise says more than one that could not be looked at."""
    results = {outcome.result for outcome in outcomes}
    if PromiseResult.BROKEN in results:
        return REFUSED
    return NOT_MEASURED if PromiseResult.UNKNOWN in results else DONE


def _write(page: Page, outcome: Outcome) -> None:
    mark, word = {
        PromiseResult.KEPT: ("✓", text("cli.promise.kept")),
        PromiseResult.BROKEN: ("✗", text("cli.promise.broken")),
        PromiseResult.UNKNOWN: ("?", text("cli.promise.unknown")),
    }[outcome.result]
    if outcome.result is PromiseResult.KEPT:
        page.entry(f"{mark} ", text("cli.promise.line-kept", result=word, step=outcome.step, seen=outcome.seen))
    else:
        page.entry(f"{mark} ", text("cli.promise.line", result=word, step=outcome.step))
        if outcome.reason is not None:
            page.entry("", outcome.reason, 4)
            return
        page.facts([(text("cli.promise.expected"), outcome.expected), (text("cli.promise.seen"), outcome.seen)], 4)


def _sum(outcomes: tuple[Outcome, ...]) -> Text:
    match verify_code(outcomes):
        case 0:
            return text("cli.verify.kept") if outcomes else text("cli.verify.nothing")
        case 1:
            return text("cli.verify.broken")
    return text("cli.verify.unknown")

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail undo`: show what taking back would change, then do it. On a terminal it asks first."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from functools import partial

from vitrail.cli.ask import ask, on_a_terminal, require_shown
from vitrail.cli.banner import banner
from vitrail.cli.json_runs import json_runs
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.cli.runs_page import begun, run_code, write_step, write_sum
from vitrail.model.text import text
from vitrail.service.undoing import UndoPreview
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Take back one plan, or all of them, newest first."""
    with closing(open_from(request)) as workplace:
        page = Page(speaker(request.language))
        if not request.json:
            banner(page, workplace.kind, workplace.label)
            _preview(request, workplace, page)
            require_shown()
        outcomes = workplace.undo(
            request.plan_id,
            everything=request.all,
            force=request.force,
            begun=None if request.json else partial(begun, page),
        )
        if request.json:
            print_json(json_runs(outcomes))
        else:
            for outcome in outcomes:
                for step in outcome.steps:
                    write_step(page, step)
            write_sum(page, outcomes, text("cli.undo.nothing"))
            for plan_id in workplace.still_acting():
                page.entry("→ ", text("cli.status.restart-to-finish", plan=plan_id))
    return run_code(outcomes)


def _preview(request: Namespace, workplace: Workplace, page: Page) -> None:
    previews = workplace.preview_undo(request.plan_id, request.all, force=request.force)
    for preview in previews:
        _show(request, page, preview)
    if not previews:
        return
    if request.all:
        page.heading(text("cli.undo.stays"))
        for what in workplace.stays_after_undo():
            page.entry("· ", what, 2)
    if not request.yes and on_a_terminal():
        ask(page, text("cli.undo.ask", count=len({preview.plan_id for preview in previews})))
    page.write()


def _show(request: Namespace, page: Page, preview: UndoPreview) -> None:
    if preview.what is not None:
        page.heading(text("cli.undo.preview-what", what=preview.what, plan=preview.plan_id))
    else:
        page.heading(text("cli.undo.preview", vm=preview.vm_name, plan=preview.plan_id))
    if preview.gone:
        page.paragraph(text("cli.undo.gone"), 2)
    if preview.merges and not request.force:
        page.paragraph(text("cli.undo.merges"), 2)
    for left in preview.left:
        page.entry("! ", text("cli.undo.left", what=left), 2)
    if preview.diff:
        page.diff(preview.diff)

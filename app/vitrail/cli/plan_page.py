# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for people: what changes, what it costs, every diff. `plan` and `apply` show the same page."""

from __future__ import annotations

from vitrail.cli.page import Page
from vitrail.model.choice import gpu_of, mode_of
from vitrail.model.finding import Status
from vitrail.model.plan import Plan
from vitrail.model.text import Text, text
from vitrail.plan.describe import diff_of, summary_of, undo_of


def write_plan(page: Page, plan: Plan) -> None:
    """The whole plan, in the order in which it would happen."""
    page.paragraph(_title(plan))
    if not plan.steps:
        page.paragraph(text("cli.plan.nothing"))
    for phase in plan.phases:
        for step in phase.steps:
            page.heading(summary_of(step))
            page.entry("", text("cli.plan.undo", undo=undo_of(step)), 2)
            if not phase.writable:
                page.entry("", text("cli.plan.not-writable"), 2)
            if diff := diff_of(step):
                page.write()
                page.diff(diff)
    _losses(page, plan)
    _findings(page, plan)
    page.write()
    page.paragraph(_last(plan))


def write_diffs(page: Page, plan: Plan) -> None:
    """Nothing but the diffs."""
    for step in plan.steps:
        page.diff(diff_of(step))


def _title(plan: Plan) -> Text:
    mode, gpu = mode_of(plan.choice).value, gpu_of(plan.choice)
    if gpu is None:
        return text("cli.plan.title", vm=plan.vm_name, mode=mode, plan=plan.plan_id)
    return text("cli.plan.title-card", vm=plan.vm_name, mode=mode, gpu=gpu.short, plan=plan.plan_id)


def _losses(page: Page, plan: Plan) -> None:
    if plan.losses:
        page.heading(text("cli.plan.losses"))
        for loss in plan.losses:
            page.entry("· ", text("cli.plan.loss", what=loss.what, when=loss.when, until=loss.until), 2)


def _findings(page: Page, plan: Plan) -> None:
    open_ones = [finding for finding in plan.findings if finding.status is not Status.PASS]
    if open_ones:
        page.heading(text("cli.plan.findings"))
        page.findings(open_ones)


def _last(plan: Plan) -> Text:
    if not plan.writable:
        return text("cli.plan.cannot-apply")
    return text("cli.plan.restart") if plan.needs_reboot else text("cli.plan.no-restart")

# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for people: what changes, what it costs, every diff. `plan` and `apply` show the same page."""

from __future__ import annotations

from vitrail.cli.page import Page
from vitrail.model.choice import gpu_of, mode_of
from vitrail.model.finding import Status
from vitrail.model.machine import Host
from vitrail.model.plan import Phase, Plan, When
from vitrail.model.text import Text, text
from vitrail.plan.describe import diff_of, summary_of, undo_of
from vitrail.plan.rescue import rescue_lines
from vitrail.service.helper_install import FileChange, InstallPreview

_MOMENTS = {
    When.APPLY: "cli.plan.when.apply",
    When.KEEP: "cli.plan.when.keep",
    When.KEPT: "cli.plan.when.kept",
}


def write_plan(page: Page, plan: Plan, host: Host) -> None:
    """The whole plan, in the order in which it would happen."""
    page.paragraph(_title(plan))
    if not plan.steps:
        page.paragraph(text("cli.plan.nothing"))
    for number, phase in enumerate(plan.phases):
        if number == 0 or phase.when is not plan.phases[number - 1].when:
            _moment(page, plan, phase)
        _phase(page, phase)
    _guard(page, plan, host)
    _losses(page, plan)
    _findings(page, plan)
    page.write()
    page.paragraph(_last(plan))


def _moment(page: Page, plan: Plan, phase: Phase) -> None:
    """When the steps that follow are carried out; said where not all of them are at once."""
    if len({one.when for one in plan.phases}) > 1:
        page.heading(text(_MOMENTS[phase.when]))


def _phase(page: Page, phase: Phase) -> None:
    if not phase.writable:
        page.entry("! ", text("cli.plan.not-writable"))
    for step in phase.steps:
        page.heading(summary_of(step))
        page.entry("", text("cli.plan.undo", undo=undo_of(step)), 2)
        if diff := diff_of(step):
            page.write()
            page.diff(diff)


def _guard(page: Page, plan: Plan, host: Host) -> None:
    """What brings this computer back when the changed start goes wrong, in plain words, and why it is not more."""
    if plan.guard is None:
        return
    page.heading(text("cli.plan.guard"))
    page.paragraph(text(f"cli.plan.guard.{plan.guard.strength.value}"), 2)
    for reason in plan.guard.reasons:
        page.entry("· ", reason, 2)
    if plan.writable:
        page.entry("", text("cli.plan.rescue"), 2)
        # The first line speaks of a clock time, which only exists when the restart is at hand.
        for line in rescue_lines(plan, host)[1:]:
            page.entry("→ ", line, 2)


def write_install(page: Page, preview: InstallPreview, why: Text) -> None:
    """The root helper that has to be there first: every file, and what of it changes."""
    page.heading(text("cli.plan.helper"))
    page.paragraph(why, 2)
    for missing in preview.missing:
        page.entry("! ", missing, 2)
    for file in preview.files:
        if file.change is not FileChange.SAME:
            line = text("cli.plan.helper.file", path=file.path, size=file.size, digest=(file.after or "-")[:16])
            page.entry("· ", line, 2)
    for file in preview.files:
        if file.change is not FileChange.SAME and file.diff:
            page.write()
            page.diff(file.diff)


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
    if plan.guard is not None:
        return text("cli.plan.restart-and-keep")
    return text("cli.plan.restart") if plan.needs_reboot else text("cli.plan.no-restart")

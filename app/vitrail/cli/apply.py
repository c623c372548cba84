# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail apply`: plan, show, ask, write. A plan's file is planned anew; its steps are never carried out."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from dataclasses import replace

from vitrail.cli.ask import ask, on_a_terminal, require_shown
from vitrail.cli.banner import banner
from vitrail.cli.files import read_text
from vitrail.cli.json_plan import read_plan
from vitrail.cli.json_runs import json_runs
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import choice_from, open_from
from vitrail.cli.plan_page import write_install, write_plan
from vitrail.cli.runs_page import run_code, write_step, write_sum, write_waiting
from vitrail.model.errors import Refused, Unreadable
from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.plan import Plan
from vitrail.model.text import text
from vitrail.service.helper_install import InstallPreview
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Write what the plan says, after a yes."""
    if not request.yes and (request.json or not on_a_terminal()):
        raise Unreadable(text("cli.apply.needs-yes"), text("cli.apply.plan-first"))
    with closing(open_from(request)) as workplace:
        plan = _plan(request, workplace)
        first = workplace.needs_first(plan)
        if request.json:
            installed = _installed(workplace, first)
            outcome = workplace.apply(plan)
            print_json(json_runs((replace(outcome, steps=(*installed, *outcome.steps)),)))
        else:
            outcome = _shown(request, workplace, plan, first)
    return run_code((outcome,))


def _installed(workplace: Workplace, first: InstallPreview | None) -> tuple[StepOutcome, ...]:
    """The root helper, where this plan needs it and it is not here yet: exactly what its preview holds."""
    if first is None:
        return ()
    return tuple(StepOutcome("install-helper", path, StepResult.DONE) for path in workplace.install_helper(first))


def _shown(request: Namespace, workplace: Workplace, plan: Plan, first: InstallPreview | None) -> RunOutcome:
    page = Page(speaker(request.language))
    banner(page, workplace.kind, workplace.label)
    write_plan(page, plan)
    if first is not None:
        write_install(page, first)
    # What this version cannot write is refused below; asking first would promise otherwise.
    if not request.yes and plan.steps and plan.writable:
        ask(page, text("cli.apply.ask", vm=plan.vm_name))
    if plan.steps:
        page.write()
    require_shown()
    for step in _installed(workplace, first):
        write_step(page, step)
    outcome = workplace.apply(plan, lambda step: write_step(page, step))
    write_sum(page, (outcome,), text("cli.apply.nothing"))
    if outcome.result is RunResult.AWAITING_KEEP:
        write_waiting(page, workplace.kind, outcome.plan_id)
    return outcome


def _plan(request: Namespace, workplace: Workplace) -> Plan:
    if request.plan is None:
        host = workplace.read()
        vm = workplace.find_vm(host, request.vm)
        return workplace.plan(host, vm, choice_from(request, host))
    plan_id, name, choice = read_plan(read_text(request.plan))
    host = workplace.read()
    plan = workplace.plan(host, workplace.find_vm(host, name), choice)
    if plan.plan_id != plan_id:
        raise Refused(
            text("cli.plan-file.changed", plan=plan_id, now=plan.plan_id),
            text("cli.plan-file.make"),
            findings=plan.findings,
        )
    return plan

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail apply`: plan, show, ask, write. A plan's file is planned anew; its steps are never carried out."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from vitrail.cli.ask import ask, on_a_terminal, require_shown
from vitrail.cli.banner import banner
from vitrail.cli.files import read_text
from vitrail.cli.json_plan import read_plan
from vitrail.cli.json_runs import json_runs
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import choice_from, open_from
from vitrail.cli.plan_page import write_plan
from vitrail.cli.runs_page import run_code, write_step, write_sum
from vitrail.model.errors import Refused, Unreadable
from vitrail.model.outcome import RunOutcome
from vitrail.model.plan import Plan
from vitrail.model.text import text
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Write what the plan says, after a yes."""
    if not request.yes and (request.json or not on_a_terminal()):
        raise Unreadable(text("cli.apply.needs-yes"), text("cli.apply.plan-first"))
    with closing(open_from(request)) as workplace:
        plan = _plan(request, workplace)
        if request.json:
            outcome = workplace.apply(plan)
            print_json(json_runs((outcome,)))
        else:
            outcome = _shown(request, workplace, plan)
    return run_code((outcome,))


def _shown(request: Namespace, workplace: Workplace, plan: Plan) -> RunOutcome:
    page = Page(speaker(request.language))
    banner(page, workplace.kind, workplace.label)
    write_plan(page, plan)
    # What this version cannot write is refused below; asking first would promise otherwise.
    if not request.yes and plan.steps and plan.writable:
        ask(page, text("cli.apply.ask", vm=plan.vm_name))
    if plan.steps:
        page.write()
    require_shown()
    outcome = workplace.apply(plan, lambda step: write_step(page, step))
    write_sum(page, (outcome,), text("cli.apply.nothing"))
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail apply`: plan, show, ask, write. A plan's file is planned anew; its steps are never carried out."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from dataclasses import replace
from functools import partial

from vitrail.cli.ask import ask, on_a_terminal, require_shown
from vitrail.cli.banner import banner
from vitrail.cli.files import read_text
from vitrail.cli.json_plan import read_plan
from vitrail.cli.json_runs import json_runs
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import choice_from, open_from
from vitrail.cli.plan_page import write_install, write_plan
from vitrail.cli.runs_page import begun, run_code, write_step, write_sum, write_waiting
from vitrail.model.errors import Refused, Unreadable
from vitrail.model.machine import Host
from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.plan import Plan
from vitrail.model.text import Text, text
from vitrail.service.helper_install import InstallPreview
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Write what the plan says, after a yes."""
    if not request.yes and (request.json or not on_a_terminal()):
        raise Unreadable(text("cli.apply.needs-yes"), text("cli.apply.plan-first"))
    with closing(open_from(request)) as workplace:
        if request.json:
            outcome = _quietly(request, workplace)
            print_json(json_runs((outcome,)))
        else:
            outcome = _shown(request, workplace)
    return run_code((outcome,))


def _install(workplace: Workplace, first: InstallPreview | None) -> tuple[StepOutcome, ...]:
    """The root helper, where it is needed and not here yet: exactly what its preview holds."""
    if first is None:
        return ()
    return tuple(StepOutcome("install-helper", path, StepResult.DONE) for path in workplace.install_helper(first))


def _quietly(request: Namespace, workplace: Workplace) -> RunOutcome:
    """For a script, which said yes to everything that is needed."""
    plan, _ = _plan(request, workplace)
    installed = _install(workplace, workplace.helper_to_look(plan) or workplace.needs_first(plan))
    if installed:
        # With the helper there is more to be seen, so it may be another plan.
        plan, _ = _plan(request, workplace)
    outcome = workplace.apply(plan)
    return replace(outcome, steps=(*installed, *outcome.steps))


def _shown(request: Namespace, workplace: Workplace) -> RunOutcome:
    page = Page(speaker(request.language))
    banner(page, workplace.kind, workplace.label)
    plan, host = _plan(request, workplace)
    look = workplace.helper_to_look(plan)
    if look is not None:
        write_install(page, look, text("cli.plan.helper.to-look"))
        _agree(request, page, text("cli.plan.helper.ask"))
        _tell(page, _install(workplace, look))
        plan, host = _plan(request, workplace)
    write_plan(page, plan, host)
    first = workplace.needs_first(plan)
    if first is not None:
        write_install(page, first, text("cli.plan.helper.why"))
    # What this version cannot write is refused below; asking first would promise otherwise.
    if plan.steps and plan.writable:
        _agree(request, page, _question(plan))
    if plan.steps:
        page.write()
    require_shown()
    if first is not None:
        _tell(page, _install(workplace, first))
        plan = _planned_again(request, workplace, page, plan)
    outcome = workplace.apply(plan, lambda step: write_step(page, step), partial(begun, page))
    write_sum(page, (outcome,), text("cli.apply.nothing"))
    if outcome.result is RunResult.AWAITING_KEEP:
        write_waiting(page, workplace.kind, outcome.plan_id)
    return outcome


def _question(plan: Plan) -> Text:
    return text("cli.apply.ask" if plan.guard is None else "cli.apply.ask-host", vm=plan.vm_name)


def _agree(request: Namespace, page: Page, question: Text) -> None:
    if not request.yes:
        ask(page, question)


def _tell(page: Page, steps: tuple[StepOutcome, ...]) -> None:
    for step in steps:
        write_step(page, step)


def _planned_again(request: Namespace, workplace: Workplace, page: Page, shown: Plan) -> Plan:
    """The plan as it is now that the helper lends what only root reads; shown and asked about where it is another."""
    plan, host = _plan(request, workplace)
    if plan.plan_id != shown.plan_id:
        page.write()
        page.paragraph(text("cli.plan.helper.plan-again"))
        write_plan(page, plan, host)
        _agree(request, page, _question(plan))
        require_shown()
    return plan


def _plan(request: Namespace, workplace: Workplace) -> tuple[Plan, Host]:
    if request.plan is None:
        host = workplace.read()
        vm = workplace.find_vm(host, request.vm)
        return workplace.plan(host, vm, choice_from(request, host)), host
    plan_id, name, choice = read_plan(read_text(request.plan))
    host = workplace.read()
    plan = workplace.plan(host, workplace.find_vm(host, name), choice)
    if plan.plan_id != plan_id:
        raise Refused(
            text("cli.plan-file.changed", plan=plan_id, now=plan.plan_id),
            text("cli.plan-file.make"),
            findings=plan.findings,
        )
    return plan, host

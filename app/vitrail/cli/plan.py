# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail plan`: everything that would be written, shown and not written; or one XML file edited."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE
from vitrail.cli.files import read_document, replace_text
from vitrail.cli.json_plan import json_plan
from vitrail.cli.json_values import print_json
from vitrail.cli.outlet import STDERR
from vitrail.cli.page import Page
from vitrail.cli.place import choice_from, open_for_document, open_from
from vitrail.cli.plan_page import write_diffs, write_plan
from vitrail.model.machine import Host
from vitrail.model.plan import Plan
from vitrail.model.step import EditVm
from vitrail.model.text import text
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Plan for a VM, or for a document on disk, and show it."""
    document = None if request.xml is None else read_document(request.xml)
    with closing(open_from(request) if document is None else open_for_document(request)) as workplace:
        host = workplace.read()
        vm = workplace.find_vm(host, request.vm) if document is None else workplace.vm_from_text(document.words, host)
        plan = workplace.plan(host, vm, choice_from(request, host))
        if request.out is not None and document is not None:
            replace_text(request.out, _edited(plan, document.words), document.encoding)
        _show(request, workplace, plan, host)
    return DONE


def _edited(plan: Plan, document: str) -> str:
    return next((step.after for step in plan.steps if isinstance(step, EditVm)), document)


def _show(request: Namespace, workplace: Workplace, plan: Plan, host: Host) -> None:
    if request.json:
        print_json(json_plan(plan))
        return
    page = Page(speaker(request.language))
    if request.diff:
        write_diffs(page, plan)
        if not plan.steps:
            # Beside the output: that is for a file or for `patch`, and an empty one looks like a failure.
            STDERR.put(page.words(text("cli.plan.nothing")) + "\n")
        return
    banner(page, workplace.kind, workplace.label)
    write_plan(page, plan, host)
    page.paragraph(text("cli.plan.shown") if request.out is None else text("cli.plan.written", file=request.out))

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail doctor`: whether this machine, or this VM with this mode and card, is ready."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE, NOT_MEASURED, REFUSED
from vitrail.cli.json_values import json_finding, print_json
from vitrail.cli.page import Page
from vitrail.cli.place import choice_from, open_from
from vitrail.model.finding import Finding, Status
from vitrail.model.text import Text, text
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Show every finding, what hinders first."""
    with closing(open_from(request)) as workplace:
        findings = _findings(request, workplace)
        if request.json:
            print_json({"findings": [json_finding(finding) for finding in findings]})
        else:
            page = Page(speaker(request.language))
            banner(page, workplace.kind, workplace.label)
            page.findings(sorted(findings, key=_order), 0)
            page.write()
            page.paragraph(_sum(findings))
    return readiness_code(findings)


def _findings(request: Namespace, workplace: Workplace) -> tuple[Finding, ...]:
    host = workplace.read()
    if request.vm is None:
        return workplace.findings(host)
    vm = workplace.find_vm(host, request.vm)
    return workplace.findings_for(host, vm, choice_from(request, host))


def readiness_code(findings: tuple[Finding, ...]) -> int:
    """A failure that blocks says "not ready", whatever else could not be measured."""
    blocking = {finding.status for finding in findings if finding.stops}
    if Status.FAIL in blocking:
        return REFUSED
    return NOT_MEASURED if blocking else DONE


def _order(finding: Finding) -> tuple[bool, int]:
    return (not finding.stops, (Status.FAIL, Status.UNKNOWN, Status.PASS).index(finding.status))


def _sum(findings: tuple[Finding, ...]) -> Text:
    match readiness_code(findings):
        case 0:
            return text("cli.doctor.ready")
        case 1:
            return text("cli.doctor.not-ready")
    return text("cli.doctor.not-measured")

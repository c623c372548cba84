# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail scan`: cards, IOMMU groups with verdicts, VMs with the graphics they have now."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from dataclasses import dataclass

from vitrail.cli.door import DONE, NOT_MEASURED
from vitrail.cli.json_scan import json_scan
from vitrail.cli.json_values import print_json
from vitrail.judge.isolation import judge_groups
from vitrail.model.errors import Unreadable
from vitrail.model.finding import Finding
from vitrail.model.machine import Host, MachineKind
from vitrail.model.reading import Unknown
from vitrail.model.text import Text, text


@dataclass(frozen=True, slots=True)
class Seen:
    """A machine, and what only people are told of how it was read."""

    host: Host
    label: Text
    notes: tuple[Text, ...] = ()
    vms_not_read: tuple[Finding, ...] = ()


def run(request: Namespace) -> int:
    """Read, judge the groups, show; the exit code tells only whether the machine itself was read."""
    seen = _listed(request) if request.lspci is not None else _opened(request)
    host, verdicts = seen.host, judge_groups(seen.host)
    if request.json:
        print_json(json_scan(host, verdicts))
    else:
        from vitrail.cli.scan_page import write_scan  # noqa: PLC0415 - a script does not pay for the page

        write_scan(request.language, seen, verdicts)
    return NOT_MEASURED if host.kind is MachineKind.REAL and isinstance(host.devices, Unknown) else DONE


def _opened(request: Namespace) -> Seen:
    from vitrail.service.view import open_view  # noqa: PLC0415 - a listing needs no place

    with closing(open_view(request.machine, request.connect)) as view:
        host = view.read(setup=False)
        return Seen(host, view.label, vms_not_read=view.not_read)


def _listed(request: Namespace) -> Seen:
    from vitrail.service.listing import host_from_listing_file  # noqa: PLC0415 - only for a listing

    if request.machine is not None or request.connect is not None:
        raise Unreadable(text("cli.usage.lspci-alone"), text("cli.usage.help-command", command="scan"))
    host, notes = host_from_listing_file(request.lspci)
    return Seen(host, text("cli.listing.label", file=request.lspci), notes)

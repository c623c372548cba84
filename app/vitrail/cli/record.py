# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail record`: save this machine, scrubbed, and list what is in the file."""

from __future__ import annotations

from argparse import Namespace

from vitrail.cli.door import DONE
from vitrail.cli.json_values import print_json, say
from vitrail.cli.page import Page
from vitrail.model.text import text
from vitrail.service.record import record
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Write the recording and show its contents."""
    recorded = record(request.file, request.connect)
    if request.json:
        left_out = [say(one) for one in recorded.left_out]
        print_json({"file": request.file, "members": list(recorded.members), "left_out": left_out})
    else:
        page = Page(speaker(request.language))
        for member in recorded.members:
            page.entry("", member, 2)
        page.write()
        page.paragraph(text("cli.record.done", file=request.file, count=len(recorded.members)))
        for one in recorded.left_out:
            page.paragraph(one)
    return DONE

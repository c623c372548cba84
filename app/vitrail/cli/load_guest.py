# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail load --vm NAME --ask-guest yes|no`: whether a VM may be asked what the card does that it has whole."""

from __future__ import annotations

from argparse import Namespace

from vitrail.cli.door import DONE
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.model.text import text
from vitrail.service.live_load import LiveLoad
from vitrail.text.speaker import speaker


def choose(request: Namespace, load: LiveLoad) -> int:
    """Keep the choice and say what it means."""
    vm, asks = load.find_vm(request.vm), request.ask_guest == "yes"
    load.let_guest(vm.uuid, ask=asks)
    if request.json:
        print_json({"vm": {"uuid": vm.uuid, "name": vm.name}, "ask_guest": asks})
        return DONE
    page = Page(speaker(request.language))
    page.paragraph(text("cli.load.asks-guest" if asks else "cli.load.asks-guest-no", vm=vm.name))
    return DONE

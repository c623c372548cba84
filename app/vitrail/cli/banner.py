# SPDX-License-Identifier: GPL-3.0-or-later
"""The line above every page that says whose machine this is, unless it is this one.

Apart from opening the machine: a pasted listing has a banner and no workplace.
"""

from __future__ import annotations

from vitrail.cli.page import Page
from vitrail.model.machine import MachineKind
from vitrail.model.text import Text, text


def banner(page: Page, kind: MachineKind, label: Text) -> None:
    """The line that keeps a recording from being mistaken for this machine; nothing for this machine itself."""
    match kind:
        case MachineKind.RECORDING | MachineKind.DEMO:
            page.paragraph(text("cli.banner.simulated", label=label))
        case MachineKind.LISTING:
            page.paragraph(text("cli.banner.listing", label=label))
        case MachineKind.REMOTE:
            page.paragraph(text("cli.banner.remote", label=label))

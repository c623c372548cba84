# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking before writing: once, on a terminal, after everything was shown."""

from __future__ import annotations

import sys

from vitrail.cli.outlet import STDOUT
from vitrail.cli.page import Page
from vitrail.model.errors import Refused
from vitrail.model.text import Text, text


def on_a_terminal() -> bool:
    """Whether someone is there to see the question and answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def require_shown() -> None:
    """Nothing is written that was not shown. Raises Refused where what was shown did not get out."""
    if not STDOUT.reaches():
        raise Refused(text("cli.ask.not-shown"))


def ask(page: Page, question: Text) -> None:
    """Return after a yes. Raises Refused after anything else; then nothing was written."""
    page.write()
    try:
        # Somebody may press Ctrl+C as soon as the question is there.
        STDOUT.put(page.say(question) + " ")
        require_shown()
        answer = sys.stdin.readline().strip().casefold()
    except KeyboardInterrupt:
        # Ctrl+C is a no; whoever pressed it wants to read that nothing happened.
        page.write()
        page.paragraph(text("cli.ask.declined"))
        raise
    if answer not in page.say(text("cli.ask.yes-words")).split():
        raise Refused(text("cli.ask.declined"))

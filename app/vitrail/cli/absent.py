# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the contract that have nothing behind them yet: they say so instead of looking as if they worked."""

from __future__ import annotations

from argparse import Namespace

from vitrail.model.errors import Refused
from vitrail.model.text import text


def run(request: Namespace) -> int:
    """Refuse, naming the command."""
    raise Refused(text("cli.not-available", command=request.command), text("cli.not-available.next"))

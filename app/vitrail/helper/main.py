# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper's own command line: `--stdio` serves requests, the rest is for a person at a console."""

from __future__ import annotations

import argparse
import sys

from vitrail.helper.door import serve
from vitrail.helper.state import State
from vitrail.helper.tree import Tree


def main(arguments: list[str] | None = None) -> int:
    """Run one of the doors; the exit code."""
    parser = argparse.ArgumentParser(prog="vitrail-helper", allow_abbrev=False)
    parser.add_argument("--root", default="/", metavar="DIR", help="the tree to work on (default: this machine)")
    parser.add_argument("--stdio", action="store_true", help="one JSON request a line in, one answer a line out")
    chosen = parser.parse_args(arguments)
    state = State(Tree(chosen.root))
    if chosen.stdio:
        serve(state, sys.stdin.buffer, sys.stdout.buffer)
        return 0
    parser.print_usage(sys.stderr)
    return 3

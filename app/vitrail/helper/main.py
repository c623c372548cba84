# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper's own command line: `--stdio` serves requests, the rest is for a person at a console."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from vitrail.helper.console import console_status, console_undo
from vitrail.helper.door import serve
from vitrail.helper.guard import guard
from vitrail.helper.guard_console import console_extend, console_keep
from vitrail.helper.guard_hands import Hands
from vitrail.helper.state import State
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Undo


def main(arguments: list[str] | None = None) -> int:
    """Run one of the doors; the exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        state = State(Tree(chosen.root))
        if chosen.stdio:
            state.progress_descriptor = chosen.progress
            serve(state, sys.stdin.buffer, sys.stdout.buffer, check_only=chosen.check)
            return 0
        if chosen.guard:
            return guard(state, Hands(state.tree))
        if chosen.status:
            return console_status(state)
        if chosen.keep or chosen.extend:
            return _said(
                console_keep(state, chosen.plan, without_screen=chosen.without_screen)
                if chosen.keep
                else console_extend(state, chosen.plan)
            )
        return console_undo(state, Undo(chosen.plan, chosen.all, chosen.force), chosen.state)
    except OSError as error:
        sys.stderr.write(f"vitrail-helper: {error}\n")
        return 2
    except ValueError:
        parser.error("--plan takes the 16 characters of a plan's id, and does not go with --all")


def _said(result: tuple[int, str]) -> int:
    code, words = result
    sys.stdout.write(f"{words}\n")
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(3, f"vitrail-helper: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="vitrail-helper", allow_abbrev=False)
    parser.add_argument("--root", default="/", metavar="DIR", help="the system to work on (default: this one)")
    door = parser.add_mutually_exclusive_group(required=True)
    door.add_argument("--stdio", action="store_true", help="one JSON request a line in, one answer a line out")
    door.add_argument("--undo", action="store_true", help="take back the newest plan's host steps")
    door.add_argument("--status", action="store_true", help="what Vitrail has changed on this system")
    door.add_argument("--keep", action="store_true", help="what this start tries is to stay")
    door.add_argument("--extend", action="store_true", help="15 more minutes before the trial is taken back")
    door.add_argument("--guard", action="store_true", help="count down in a trial start; the guard's unit does this")
    parser.add_argument("--check", action="store_true", help="with --stdio: everything but the first write and after")
    parser.add_argument(
        "--progress", type=int, default=-1, metavar="NUMBER", help="with --stdio: tell each step on this descriptor"
    )
    parser.add_argument("--plan", metavar="ID", help="with --undo, --keep or --extend: this plan")
    parser.add_argument("--all", action="store_true", help="with --undo: everything, newest first")
    parser.add_argument(
        "--without-screen", action="store_true", help="with --keep: you know that it works, although you do not see it"
    )
    parser.add_argument("--force", action="store_true", help="with --undo: exactly as before, over later edits")
    parser.add_argument(
        "--state", metavar="FOLDER", help="with --undo: list what is left to do for the VMs of this user"
    )
    return parser

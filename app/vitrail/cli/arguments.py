# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the command line, read into a namespace. Only the parser of the given command is built.

Nothing is opened here: a wrong word is refused before any machine is looked at. Help texts are read from the catalogue
only when help is asked for.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, HelpFormatter, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import NoReturn

from vitrail.model.errors import Unreadable
from vitrail.model.text import Text, text

NOT_IN_THIS_VERSION = ("explain", "vgpu", "fallback", "capacity", "export")
COMMANDS = (
    "scan",
    "doctor",
    "modes",
    "plan",
    "apply",
    "undo",
    "history",
    "status",
    "verify",
    "keep",
    "load",
    "record",
    "shots",
    *NOT_IN_THIS_VERSION,
)
_MODES = (
    "passthrough|single-gpu|looking-glass|vgpu|sriov|mig-vgpu|gvt-g|gvt-d|virtio|virgl|venus|native-context|qxl|basic"
)
_TAKES_A_WORD = ("--machine", "--connect", "--language")
_NO_MACHINE = ("record", "keep")
_SHORTEST_S, _LONGEST_S = 0.1, 3600.0

Say = Callable[[Text], str]


_ABOUT = {
    "": text("cli.about.vitrail"),
    "scan": text("cli.about.scan"),
    "doctor": text("cli.about.doctor"),
    "modes": text("cli.about.modes"),
    "plan": text("cli.about.plan"),
    "apply": text("cli.about.apply"),
    "undo": text("cli.about.undo"),
    "history": text("cli.about.history"),
    "status": text("cli.about.status"),
    "verify": text("cli.about.verify"),
    "keep": text("cli.about.keep"),
    "load": text("cli.about.load"),
    "record": text("cli.about.record"),
    "shots": text("cli.about.shots"),
}


class Parser(ArgumentParser):
    """argparse, with our kind of failure in place of its exit with 2."""

    def error(self, message: str) -> NoReturn:
        """What is wrong, and where the right words stand."""
        command = self.prog.partition(" ")[2] or "vitrail"
        more = text("cli.usage.help") if command == "vitrail" else text("cli.usage.help-command", command=command)
        raise Unreadable(text("cli.usage.wrong", problem=message), more)


def command_of(words: list[str]) -> tuple[str, list[str]]:
    """The first word that is no option, and the words without it; empty for the desktop."""
    place = 0
    while place < len(words):
        word = words[place]
        if not word.startswith("-"):
            return word, words[:place] + words[place + 1 :]
        place += 2 if word in _TAKES_A_WORD else 1
    return "", words


def parse(words: list[str], say: Say) -> Namespace:
    """The namespace of these words. Raises Unreadable for words that mean nothing here; SystemExit(0) after help."""
    command, rest = command_of(words)
    if command and command not in COMMANDS:
        raise Unreadable(text("cli.usage.no-command", command=command), *_alike(command), text("cli.usage.help"))
    asks_help = "-h" in rest or "--help" in rest

    def told(help_text: Text) -> str | None:
        # argparse expands % in help texts.
        return say(help_text).replace("%", "%%") if asks_help else None

    parser = Parser(
        prog=f"vitrail {command}".rstrip(),
        description=told(_ABOUT.get(command, text("cli.about.not-available", command=command))),
        allow_abbrev=False,
        add_help=False,
        # The list of the commands is laid out by hand; everything else is wrapped.
        formatter_class=HelpFormatter if command else RawDescriptionHelpFormatter,
    )
    parser.add_argument("-h", "--help", action="help", default=SUPPRESS, help=told(text("cli.help.help")))
    _common(parser, command, told)
    _ADDERS.get(command, _nothing)(parser, told)
    if command in NOT_IN_THIS_VERSION:
        # Their words are not checked: what is said of all of them is that there is nothing behind them yet.
        request, _ = parser.parse_known_args(rest)
    else:
        request = parser.parse_args(rest)
    request.command = command
    _check(request)
    return request


def _alike(command: str) -> tuple[Text, ...]:
    """The command that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    here = [known for known in COMMANDS if known not in NOT_IN_THIS_VERSION]
    return tuple(text("cli.usage.meant", command=known) for known in get_close_matches(command, here, 1))


Told = Callable[[Text], str | None]


def _common(parser: Parser, command: str, told: Told) -> None:
    parser.add_argument("--language", metavar="CODE", help=told(text("cli.help.language")))
    where = parser.add_mutually_exclusive_group()
    if command not in _NO_MACHINE:
        where.add_argument("--machine", metavar="PATH|demo", help=told(text("cli.help.machine")))
    where.add_argument("--connect", metavar="URI", help=told(text("cli.help.connect")))
    if command:
        parser.add_argument("--json", action="store_true", help=told(text("cli.help.json")))
    else:
        parser.add_argument("--version", action="store_true", help=told(text("cli.help.version")))
        parser.add_argument("--resume", action="store_true", help=told(text("cli.help.resume")))


def _nothing(parser: Parser, told: Told) -> None:
    """A command without words of its own."""


def _scan(parser: Parser, told: Told) -> None:
    parser.add_argument("--lspci", metavar="FILE", help=told(text("cli.help.lspci")))


def _doctor(parser: Parser, told: Told) -> None:
    _choice(parser, told)


def _modes(parser: Parser, told: Told) -> None:
    parser.add_argument("--vm", metavar="NAME", required=True, help=told(text("cli.help.vm")))
    parser.add_argument("--purpose", metavar="P", default="unknown", help=told(text("cli.help.purpose")))
    parser.add_argument("--details", action="store_true", help=told(text("cli.help.details")))


def _choice(parser: Parser, told: Told) -> None:
    parser.add_argument("--vm", metavar="NAME", help=told(text("cli.help.vm")))
    parser.add_argument("--mode", metavar="MODE", choices=_MODES.split("|"), help=told(text("cli.help.mode")))
    parser.add_argument("--gpu", metavar="ADDRESS", help=told(text("cli.help.gpu")))
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help=told(text("cli.help.set")))


def _plan(parser: Parser, told: Told) -> None:
    _choice(parser, told)
    parser.add_argument("--xml", metavar="FILE", help=told(text("cli.help.xml")))
    parser.add_argument("--out", metavar="FILE", help=told(text("cli.help.out")))
    parser.add_argument("--diff", action="store_true", help=told(text("cli.help.diff")))


def _apply(parser: Parser, told: Told) -> None:
    parser.add_argument("plan", metavar="PLAN.json", nargs="?", help=told(text("cli.help.plan-file")))
    _choice(parser, told)
    parser.add_argument("--yes", action="store_true", help=told(text("cli.help.yes")))


def _undo(parser: Parser, told: Told) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("plan_id", metavar="PLAN_ID", nargs="?", help=told(text("cli.help.plan-id")))
    which.add_argument("--all", action="store_true", help=told(text("cli.help.all")))
    parser.add_argument("--force", action="store_true", help=told(text("cli.help.force")))
    parser.add_argument("--yes", action="store_true", help=told(text("cli.help.undo-yes")))


def _one_plan(parser: Parser, told: Told) -> None:
    parser.add_argument("plan_id", metavar="PLAN_ID", nargs="?", help=told(text("cli.help.plan-id")))


def _load(parser: Parser, told: Told) -> None:
    parser.add_argument("--interval", metavar="S", type=float, default=1.0, help=told(text("cli.help.interval")))
    parser.add_argument("--count", metavar="N", type=int, help=told(text("cli.help.count")))
    parser.add_argument("--openmetrics", metavar="FILE|unix:PATH", help=told(text("cli.help.openmetrics")))
    parser.add_argument("--vm", metavar="NAME", help=told(text("cli.help.ask-guest-vm")))
    parser.add_argument("--ask-guest", choices=("yes", "no"), help=told(text("cli.help.ask-guest")))


def _keep(parser: Parser, told: Told) -> None:
    _one_plan(parser, told)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--without-screen", action="store_true", help=told(text("cli.help.without-screen")))
    how.add_argument("--more-time", action="store_true", help=told(text("cli.help.more-time")))


def _record(parser: Parser, told: Told) -> None:
    parser.add_argument("file", metavar="FILE", help=told(text("cli.help.record-file")))


def _shots(parser: Parser, told: Told) -> None:
    parser.add_argument("folder", metavar="DIR", help=told(text("cli.help.shots-folder")))
    parser.add_argument("--dark", action="store_true", help=told(text("cli.help.dark")))


_ADDERS: dict[str, Callable[[Parser, Told], None]] = {
    "scan": _scan,
    "doctor": _doctor,
    "modes": _modes,
    "plan": _plan,
    "apply": _apply,
    "undo": _undo,
    "verify": _one_plan,
    "keep": _keep,
    "load": _load,
    "record": _record,
    "shots": _shots,
}


def _check(request: Namespace) -> None:
    """What argparse cannot say: words that need each other, or exclude each other."""
    match request.command:
        case "doctor":
            _together(request, "doctor")
        case "plan":
            _check_plan(request)
        case "load":
            _check_load(request)
        case "apply":
            if request.plan is not None and any((request.vm, request.mode, request.gpu, request.set)):
                raise _wrong(text("cli.usage.plan-file-alone"), "apply")
            if request.plan is None and (request.vm is None or request.mode is None):
                raise _wrong(text("cli.usage.vm-and-mode"), "apply")


def _check_plan(request: Namespace) -> None:
    if (request.vm is None) == (request.xml is None):
        raise _wrong(text("cli.usage.vm-or-xml"), "plan")
    if request.mode is None:
        raise _wrong(text("cli.usage.needs-mode"), "plan")
    if request.out is not None and request.xml is None:
        raise _wrong(text("cli.usage.out-without-xml"), "plan")
    if request.diff and request.json:
        raise _wrong(text("cli.usage.diff-or-json"), "plan")


def _check_load(request: Namespace) -> None:
    # A comparison that NaN fails too.
    if not _SHORTEST_S <= request.interval <= _LONGEST_S:
        raise _wrong(text("cli.usage.interval"), "load")
    if request.count is not None and request.count < 1:
        raise _wrong(text("cli.usage.count"), "load")
    if (request.vm is None) != (request.ask_guest is None):
        raise _wrong(text("cli.usage.ask-guest"), "load")
    if request.openmetrics in ("", "unix:"):
        raise _wrong(text("cli.usage.openmetrics"), "load")


def _together(request: Namespace, command: str) -> None:
    given = (request.vm is not None, request.mode is not None)
    if any(given) != all(given) or (not all(given) and (request.gpu or request.set)):
        raise _wrong(text("cli.usage.vm-and-mode"), command)


def _wrong(what: Text, command: str) -> Unreadable:
    return Unreadable(what, text("cli.usage.help-command", command=command))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the arguments, then opens the desktop or runs the command; the only module outside the layers.

Rooms are imported once it is known which of them is needed: a command starts without Qt, a wrong word without libvirt.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from vitrail import __version__
from vitrail.cli.arguments import NOT_IN_THIS_VERSION, command_of, parse
from vitrail.cli.door import leave
from vitrail.cli.outlet import STDOUT, fill_closed
from vitrail.model.errors import Refused, VitrailError
from vitrail.model.text import text
from vitrail.text.speaker import speaker

_DISPLAY = ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM")


def main(arguments: list[str] | None = None) -> int:
    """Do what the words say; the result is the exit code of the contract."""
    words = sys.argv[1:] if arguments is None else arguments
    fill_closed()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, never a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    language = _language(words)
    return leave(lambda: _run(words, language), command_of(words)[0], as_json="--json" in words, language=language)


def _run(words: list[str], language: str | None) -> int:
    request = parse(words, lambda message: speaker(language).say(message))
    if request.command == "shots":
        return _shots(request)
    if request.command:
        # A command ends before its garbage matters; looking for it takes a tenth of a scan.
        gc.disable()
        return int(import_module(f"vitrail.cli.{_room(request.command)}").run(request))
    if request.version:
        STDOUT.put(f"vitrail {__version__}\n")
        return 0
    return _desktop(request, language)


def _room(command: str) -> str:
    return "absent" if command in NOT_IN_THIS_VERSION else command


def _desktop(request: Namespace, language: str | None) -> int:
    if request.resume and not _page_is_due(request):
        return 0
    if not any(os.environ.get(name) for name in _DISPLAY):
        raise Refused(text("cli.no-display"), text("cli.no-display.scan"), text("cli.no-display.demo"))
    # The window's own thread collects, once there is one.
    gc.disable()
    place = import_module("vitrail.service.places").open_place(request.machine, request.connect)
    # While its libvirt opens, Qt loads.
    place.begin()
    return int(_qt("app").run(place, request.language, partial(_give_up, language), resume=request.resume))


def _page_is_due(request: Namespace) -> bool:
    """Whether the login that started this has something to answer; where nothing has, what starts it goes."""
    place = import_module("vitrail.service.places").open_place(request.machine, request.connect)
    try:
        return bool(import_module("vitrail.service.resumed").page_is_due(place))
    finally:
        place.close()


def _give_up(language: str | None, error: VitrailError) -> NoReturn:
    """Leave at once: Qt is about to abort, and no exception gets past it."""

    def fail() -> int:
        raise error

    os._exit(leave(fail, "", as_json=False, language=language))


def _shots(request: Namespace) -> int:
    machine = request.machine
    if machine is None and request.connect is None:
        machine = "demo"
    drawer = _qt("shots")
    return int(drawer.draw(Path(request.folder), machine, request.connect, request.dark, request.language))


def _qt(name: str) -> ModuleType:
    try:
        return import_module(f"vitrail.qt.{name}")
    except ImportError as error:
        raise Refused(text("cli.no-desktop", problem=str(error)), text("cli.no-desktop.install")) from error


def _language(words: list[str]) -> str | None:
    # Known before the words are parsed: what is wrong with them is said in it too.
    for place, word in enumerate(words):
        if word == "--language":
            return words[place + 1] if place + 1 < len(words) else None
        if word.startswith("--language="):
            return word.partition("=")[2]
    return None


if __name__ == "__main__":
    sys.exit(main())

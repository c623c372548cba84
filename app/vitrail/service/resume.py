# SPDX-License-Identifier: GPL-3.0-or-later
"""What opens the proof page at the next login: an autostart entry that starts this Vitrail as it was started now.

The entry is a step of the plan, shown and taken back like any other. Its words are those of the Desktop Entry
Specification, where a command is quoted twice: once as a command, once as a string.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from vitrail.model.step import ResumeAtLogin
from vitrail.service.uri import DEFAULT
from vitrail.service.user_step import RESUME_FILE

OPTION = "--resume"
_DOCUMENT = "document:"
_APPLICATION = "org.vitrail.Vitrail"
_RESERVED = frozenset(" \t\"'\\><~|&;$*?#()`")
_ESCAPED_IN_QUOTES = '"`$\\'
_CONTENT = """[Desktop Entry]
Type=Application
Version=1.0
Name=Vitrail: check a change after the restart
Comment=Written by Vitrail. Take it back with: vitrail undo
Exec={command}
Icon=org.vitrail.Vitrail
Terminal=false
X-GNOME-Autostart-enabled=true
X-GNOME-Autostart-Delay=5
"""


def resume_at_login(connection: str) -> ResumeAtLogin | None:
    """The step for this place; None where its command cannot be written into such an entry."""
    words = (*how_started(), *_place_words(connection), OPTION)
    if any(not word.isprintable() for word in words):
        return None
    return ResumeAtLogin(RESUME_FILE, _CONTENT.format(command=exec_line(words)))


def _place_words(connection: str) -> tuple[str, ...]:
    """The recording or the libvirt that the user named, so that the page opens on the same place."""
    kind, colon, name = connection.partition("machine:")
    if colon and not kind:
        return "--machine", name
    return () if connection in (DEFAULT, _DOCUMENT) else ("--connect", connection)


def how_started() -> tuple[str, ...]:
    """The words that start this Vitrail again, from wherever the session starts things."""
    if os.environ.get("FLATPAK_ID") == _APPLICATION:
        return "flatpak", "run", _APPLICATION
    told = os.environ.get("VITRAIL_STATE_DIR")
    environment = ("env", f"VITRAIL_STATE_DIR={Path(told).absolute()}") if told else ()
    image = os.environ.get("APPIMAGE")
    if image:
        return *environment, image
    program = Path(sys.argv[0])
    if program.name == "vitrail":
        found = program if program.is_absolute() else shutil.which("vitrail")
        if found is not None and os.access(found, os.X_OK):
            return *environment, str(found)
    return *environment, sys.executable, "-m", "vitrail"


def exec_line(words: tuple[str, ...]) -> str:
    """One command as the value of `Exec`."""
    return " ".join(_argument(word) for word in words).replace("\\", "\\\\")


def _argument(word: str) -> str:
    # A percent sign begins a field code.
    word = word.replace("%", "%%")
    if word and not _RESERVED.intersection(word):
        return word
    escaped = "".join(f"\\{char}" if char in _ESCAPED_IN_QUOTES else char for char in word)
    return f'"{escaped}"'

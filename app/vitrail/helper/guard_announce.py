# SPDX-License-Identifier: GPL-3.0-or-later
"""Words on every text console of this computer: virtual ones that show text, serial ones, and logged-in terminals.

Never on a screen that a desktop draws on. Nothing here waits: a terminal that takes no words now gets none.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import re
import stat
import struct

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal

_VT_GETSTATE = 0x5603
_KDGETMODE = 0x4B3B
_KD_TEXT = 0
_STATE = struct.Struct("HHH")
_VIRTUAL = re.compile(r"tty([1-9]\d?)", re.ASCII)
_TERMINAL = re.compile(r"(tty[A-Z]{1,4}\d{1,3}|hvc\d{1,2}|pts/\d{1,6})", re.ASCII)
_MOST_VIRTUAL = 15
_ACTIVE = "sys/class/tty/console/active"
_SESSIONS = "run/systemd/sessions"
_WRITE = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def announce(tree: Tree, words: str) -> int:
    """Say it everywhere; to how many terminals it went."""
    return sum(say(tree, name, words) for name in terminals(tree))


def terminals(tree: Tree) -> tuple[str, ...]:
    """The terminals below /dev that there are now; an unused virtual console is not opened, for that would make it."""
    used = _used_consoles(tree)
    others = [*(tree.words(_ACTIVE) or "").split(), *_logged_in(tree)]
    fitting = [name for name in others if _VIRTUAL.fullmatch(name) or _TERMINAL.fullmatch(name)]
    return tuple(dict.fromkeys([*(f"tty{number}" for number in used), *fitting]))


def _used_consoles(tree: Tree) -> tuple[int, ...]:
    """Numbers of the virtual consoles that something has open."""
    try:
        with tree.parent("dev/tty0") as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except (OSError, Refusal):
        return ()
    try:
        _, _, mask = _STATE.unpack(fcntl.ioctl(descriptor, _VT_GETSTATE, bytes(_STATE.size)))
    except OSError:
        return ()
    finally:
        os.close(descriptor)
    return tuple(number for number in range(1, _MOST_VIRTUAL + 1) if mask & 1 << number)


def _logged_in(tree: Tree) -> tuple[str, ...]:
    """Terminals of sessions, as logind writes them down."""
    found = []
    for name in tree.names(_SESSIONS):
        lines = (tree.words(f"{_SESSIONS}/{name}") or "").split("\n")
        found += [line.removeprefix("TTY=") for line in lines if line.startswith("TTY=")]
    return tuple(found)


def say(tree: Tree, name: str, words: str) -> bool:
    """Say it on this terminal below /dev; whether it took any of it."""
    try:
        with tree.parent(f"dev/{name}") as (folder, last):
            descriptor = os.open(last, _WRITE, dir_fd=folder)
    except (OSError, Refusal):
        return False
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            return False
        if _VIRTUAL.fullmatch(name) and not _shows_text(descriptor):
            return False
        with contextlib.suppress(OSError):
            return os.write(descriptor, f"\r\n{words}\n".replace("\n", "\r\n").encode()) > 0
        return False
    finally:
        os.close(descriptor)


def _shows_text(descriptor: int) -> bool:
    mode = array.array("i", [-1])
    try:
        fcntl.ioctl(descriptor, _KDGETMODE, mode)
    except OSError:
        return False
    return mode[0] == _KD_TEXT

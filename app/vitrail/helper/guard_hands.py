# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard does to the world around it: looks how far the start is, tells people, waits, restarts.

Separate from what it decides, so that days of counting can be tried in a moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

from vitrail.helper.guard_announce import announce
from vitrail.helper.guard_clock import boottime
from vitrail.helper.late_write import write_late
from vitrail.helper.run import SystemTool, ask_system
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal

_GRAPHICAL, _MULTI_USER = "graphical.target", "multi-user.target"
_SYSRQ = "proc/sysrq-trigger"
_SYSRQ_SECONDS = 20.0
_ORDERLY_SECONDS = 180.0
"""How long an orderly restart may take to end this very program."""


class Hands:
    """The guard's on this machine, or on a tree that stands for one."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.is_ending = False
        """Whether the system asked this program to end while it could not: somebody restarts already."""

    def boottime(self) -> float:
        """Seconds since the kernel started, standby included."""
        return boottime()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(max(0.0, seconds))

    def tell(self, words: str) -> None:
        """To everybody at a text console, and to the journal."""
        announce(self.tree, f"Vitrail: {words}")
        # Whoever listens to this program may be gone in a start that went wrong.
        with contextlib.suppress(OSError):
            sys.stdout.write(f"{words}\n")
            sys.stdout.flush()

    def is_up(self) -> bool:
        """Whether this start has come as far as a login: the desktop's target, or, where none is wanted, the other."""
        try:
            ran = ask_system(self.tree, SystemTool.TARGETS)
        except Refusal:
            return False
        units = dict(_unit(block) for block in ran.output.decode("utf-8", "replace").split("\n\n"))
        graphical, multi_user = units.get(_GRAPHICAL, {}), units.get(_MULTI_USER, {})
        if graphical.get("ActiveState") == "active":
            return True
        wanted = graphical.get("Job", "") not in ("", "0")
        return multi_user.get("ActiveState") == "active" and not wanted

    def make_writable(self) -> None:
        """In an emergency shell: what undo writes to has to be there. What does not work is told by undo itself."""
        with contextlib.suppress(Refusal):
            if os.fstatvfs(self.tree.descriptor).f_flag & os.ST_RDONLY:
                ask_system(self.tree, SystemTool.ROOT_WRITABLE)
            ask_system(self.tree, SystemTool.MOUNT_ALL)

    def restart(self) -> None:
        """In order; and if the system does not get round to it, all the same."""
        with contextlib.suppress(Refusal):
            ask_system(self.tree, SystemTool.RESTART)
        self.wait(_ORDERLY_SECONDS)
        for letter in "sub":
            with contextlib.suppress(OSError, Refusal):
                write_late(self.tree, _SYSRQ, letter, _SYSRQ_SECONDS)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A restart that somebody asks for meanwhile waits until what has been begun is done."""
        # A handler and no ignoring: programs that are started inherit what is ignored.
        former = signal.signal(signal.SIGTERM, self._note_end)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, former)

    def _note_end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ending = True


def _unit(block: str) -> tuple[str, dict[str, str]]:
    pairs = dict(line.partition("=")[::2] for line in block.strip().split("\n"))
    return pairs.get("Id", ""), pairs

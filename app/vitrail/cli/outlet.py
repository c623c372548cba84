# SPDX-License-Identifier: GPL-3.0-or-later
"""The two streams that a command writes to. What cannot be written is remembered, and the command goes on to its end.

A change must not stop half-way because its reader left or a disk is full; so nothing raises here, and whoever is about
to write to a VM asks first whether what was shown got out.
"""

from __future__ import annotations

import os
import sys
from errno import EPIPE
from pathlib import Path

_STANDARD = 3


class Outlet:
    """`stdout` or `stderr`, whichever object that is now."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lost: OSError | None = None
        """Why the words no longer get out."""

    def begin(self) -> None:
        """A command starts; what a former one in this process lost does not matter to it."""
        self.lost = None

    @property
    def is_terminal(self) -> bool:
        """Whether someone reads along."""
        return bool(getattr(sys, self._name).isatty())

    def put(self, words: str) -> None:
        """Write, where there is still someone to write to."""
        if self.lost is None:
            try:
                getattr(sys, self._name).write(words)
            except OSError as error:
                self._lose(error)

    def reaches(self) -> bool:
        """Whether everything so far got out."""
        if self.lost is None:
            try:
                getattr(sys, self._name).flush()
            except OSError as error:
                self._lose(error)
        return self.lost is None

    @property
    def unheard(self) -> bool:
        """Whether words were lost though their reader did not simply leave (`| head`)."""
        return self.lost is not None and self.lost.errno != EPIPE

    def _lose(self, error: OSError) -> None:
        self.lost = error
        # The interpreter flushes once more at its end; that goes nowhere now.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, getattr(sys, self._name).fileno())
        os.close(null)


STDOUT = Outlet("stdout")
STDERR = Outlet("stderr")


def fill_closed() -> None:
    """Stand-ins for standard streams that were closed, so that no file of ours takes their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
        os.set_inheritable(number, True)  # noqa: FBT003 - os takes it by place
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end

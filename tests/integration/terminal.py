# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal's verbs, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

_DYING = """
import os, signal, sys
from vitrail.service.libvirt_store import LibvirtStore
from vitrail.__main__ import main
moment, *words = sys.argv[1:]
define = LibvirtStore.define
def dying(self, uuid, text, *, strict):
    if moment == "after":
        define(self, uuid, text, strict=strict)
    os.kill(os.getpid(), signal.SIGKILL)
LibvirtStore.define = dying
sys.exit(main(words))
"""


@dataclass(frozen=True)
class Said:
    """Exit code and what was printed; `json` where that is an object."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object that was printed."""
        return json.loads(self.out)


def vitrail(*words: str, seconds: float = 60) -> Said:
    """Run one command."""
    done = subprocess.run(
        [sys.executable, "-m", "vitrail", *words], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def vitrail_killed(moment: str, *words: str) -> int:
    """Run one command that is killed `before` or `after` its first define; the exit status."""
    return subprocess.run(
        [sys.executable, "-c", _DYING, moment, *words], capture_output=True, timeout=60, check=False
    ).returncode

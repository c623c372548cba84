# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's private mailbox: a folder through which commands go in and their results come out.

Two machines never share one, and every wait ends in an answer or an error: a quiet machine is not a ready one.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAUSE_S = 0.1
COMMAND_LIMIT_S = 300.0


class LabError(AssertionError):
    """What the lab demands is not so; a scenario that meets one has failed."""


class GuestDiedError(LabError):
    """The machine's process ended, or its kernel said that it ends."""


class LateError(LabError):
    """A wait came to its limit."""


class CommandFailedError(LabError):
    """A command of the user ended with another status than meant."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended inside the machine."""

    status: int
    output: str
    errors: str
    seconds: float

    @property
    def json(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.output)


class Mailbox:
    """The folder, seen from outside. `alive` raises when nobody can answer any more."""

    def __init__(self, folder: Path, alive: Callable[[], None]) -> None:
        self.folder = folder
        self._alive = alive

    def empty(self) -> None:
        """Nothing of an earlier start may look like an answer of this one."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def ready(self) -> tuple[float, str] | None:
        """Seconds since its kernel started and the boot's id, once the machine has said them."""
        try:
            uptime, boot_id = (self.folder / "ready").read_text().split()
        except FileNotFoundError:
            return None
        return float(uptime), boot_id

    def run(self, command: str | Sequence[str], *, ok: bool = True, limit_s: float = COMMAND_LIMIT_S) -> Answer:
        """Run it there and wait for its end; with `ok` a status other than 0 is an error."""
        began = time.monotonic()
        name = self.send(command)
        shown = command if isinstance(command, str) else shlex.join(command)
        while (status := self.ended(name)) is None:
            self._alive()
            if time.monotonic() - began > limit_s:
                (self.folder / f"{name}.cmd").unlink(missing_ok=True)
                raise LateError(f"no answer after {limit_s:.0f} s to: {shown[:200]}{self._said(name)}")
            time.sleep(PAUSE_S)
        output, errors = (self._read(name, kind) for kind in ("out", "err"))
        answer = Answer(status, output, errors, round(time.monotonic() - began, 1))
        if ok and answer.status:
            raise CommandFailedError(f"status {answer.status}: {shown[:200]}{self._said(name)}")
        return answer

    def send(self, command: str | Sequence[str]) -> str:
        """Hand a command over and wait for nothing."""
        text = command if isinstance(command, str) else shlex.join(command)
        name = uuid.uuid4().hex[:12]
        part = self.folder / f"{name}.part"
        part.write_text(text + "\n")
        part.rename(part.with_suffix(".cmd"))
        return name

    def ended(self, name: str) -> int | None:
        """The status with which a command has ended, if it has."""
        status = self.folder / f"{name}.rc"
        return int(status.read_text()) if status.exists() else None

    def _read(self, name: str, kind: str) -> str:
        path = self.folder / f"{name}.{kind}"
        return path.read_text(errors="replace") if path.exists() else ""

    def _said(self, name: str) -> str:
        return "".join(f"\n--- {kind}\n{self._read(name, kind)[-2000:]}" for kind in ("out", "err"))

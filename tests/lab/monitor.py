# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's own monitor of one power-on, over a pair of sockets that nobody else can reach.

What a drive does by itself is done through it: a real one writes out what it was given within a moment, asked or not,
while QEMU keeps the table of an overlay in its own memory until somebody asks for a flush, and GRUB never asks. Without
this a power cut would take back what the boot menu wrote a minute before, which no drive does.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any

WRITES_OUT_AFTER_S = 1.0
ANSWER_LIMIT_S = 60.0
_FLUSH = 'qemu-io disk "flush"'


class Monitor:
    """Made before the process, which inherits the far end as `fd`."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.settimeout(ANSWER_LIMIT_S)
        self._lines = self._near.makefile("rb")
        self._one = threading.Lock()
        self._over = threading.Event()
        self._drive = threading.Thread(target=self._write_out)
        self.fd = self._far.fileno()
        self.no_longer_writes: OSError | None = None
        """Why the drive stopped writing out; for a process that has ended, that."""
        self.ended_by = ""
        """QEMU's word for how the machine came to its end: `guest-reset`, `guest-shutdown`, `guest-panic`."""

    def arguments(self) -> list[str]:
        """What QEMU is started with."""
        return ["-chardev", f"socket,id=monitor,fd={self.fd}", "-mon", "chardev=monitor,mode=control"]

    def started(self) -> None:
        """The process has its end now: greet it, and be its drive until it ends."""
        self._far.close()
        self._drive.start()

    def ask(self, command: str) -> str:
        """What the monitor says to a command for people, `info registers -a`. Raises OSError when it has ended."""
        return str(self._say("human-monitor-command", {"command-line": command}))

    def end(self) -> None:
        """The process has ended, or was never started: hear its last words."""
        if self._lines.closed:
            return
        self._over.set()
        if self._drive.ident is not None:
            self._drive.join()
        self._far.close()
        with contextlib.suppress(OSError):
            while self._heard() is not None:
                pass
        self._lines.close()
        self._near.close()

    def _write_out(self) -> None:
        try:
            self._say("qmp_capabilities", {})
            while not self._over.wait(WRITES_OUT_AFTER_S):
                self.ask(_FLUSH)
        except OSError as error:
            self.no_longer_writes = error

    def _say(self, execute: str, arguments: dict[str, str]) -> Any:
        with self._one:
            self._near.sendall(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")
            while (said := self._heard()) is not None:
                if "return" in said:
                    return said["return"]
                if "error" in said:
                    raise OSError(said["error"]["desc"])
            raise OSError("the machine has ended")

    def _heard(self) -> dict[str, Any] | None:
        """The next message; None at the end, where a killed process may leave half a line."""
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            return None
        said: dict[str, Any] = json.loads(line)
        if said.get("event") == "SHUTDOWN":
            self.ended_by = said["data"]["reason"]
        return said

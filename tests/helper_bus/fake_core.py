# SPDX-License-Identifier: GPL-3.0-or-later
"""A core that speaks the protocol and does nothing but what a test's files in /run say.

`/run/core-mode`: die, silent, noise, or wait (for the test to open /run/gate-PID); none of it: answer. `/run/core-log`
has a line for each request that was begun and for each that was finished.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def log(*words: str) -> None:
    """One write, so that two cores do not mix their lines."""
    descriptor = os.open("/run/core-log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(descriptor, (" ".join(words) + "\n").encode())
    os.close(descriptor)


def main() -> None:
    """One line in, one out."""
    mode = Path("/run/core-mode").read_text().strip() if Path("/run/core-mode").exists() else ""
    line = sys.stdin.readline()
    request = json.loads(line)
    log("begun", request["verb"], str(os.getpid()))
    if mode == "wait":
        gate = Path(f"/run/gate-{os.getpid()}")
        os.mkfifo(gate)
        with Path("/run/begun").open("w") as begun:
            begun.write(f"{os.getpid()}\n")
        gate.read_text()
        gate.unlink()
    if mode == "die":
        os.kill(os.getpid(), 9)
    if mode == "silent":
        return
    if mode == "noise":
        sys.stdout.write("Segmentation fault\n")
        return
    results = {
        "hello": {"version": "0.0.1", "protocol": 1, "journal_format": 1, "verbs": [], "uid": os.getuid()},
        "undo": [],
        "status": {"runs": [], "unreadable": sorted(os.environ)},
        "facts": {"entries": [], "next": None},
    }
    result = results.get(request["verb"], {"bytes": len(line)})
    answer = json.dumps({"id": request["id"], "ok": True, "result": result}) + "\n"
    log("finished", request["verb"])
    sys.stdout.write(answer)


main()

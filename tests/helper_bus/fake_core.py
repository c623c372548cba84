# SPDX-License-Identifier: GPL-3.0-or-later
"""A core that speaks the protocol and does nothing but what a test's files in /run say.

`/run/core-mode`: die, silent, noise, flood, steps, or wait (for the test to open /run/gate-PID); none of it: answer.
When it only checks: refuse or check-die; none of these: nothing is in the way. `/run/core-log` has a line for each
request that was begun and for each that was finished, `/run/core-lines` the digest of what each core read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path


def note(name: str, *words: str) -> None:
    """One write, so that two cores do not mix their lines."""
    descriptor = os.open(f"/run/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(descriptor, (" ".join(words) + "\n").encode())
    os.close(descriptor)


def wait() -> None:
    """Until the test lets it go on."""
    gate = Path(f"/run/gate-{os.getpid()}")
    os.mkfifo(gate)
    with Path("/run/begun").open("w") as begun:
        begun.write(f"{os.getpid()}\n")
    gate.read_text()
    gate.unlink()


def check(request: dict[str, object], mode: str) -> None:
    """What the real one would say before it begins."""
    if mode == "check-die":
        os.kill(os.getpid(), 9)
    no = {"ok": False, "error": {"kind": "other-boot", "args": {}}}
    answer = no if mode == "refuse" else {"ok": True, "result": None}
    sys.stdout.write(json.dumps({"id": request["id"], **answer}) + "\n")


def step(number: int) -> None:
    """Say that this step begins."""
    descriptor = int(sys.argv[sys.argv.index("--progress") + 1])
    told = {"plan_id": "0123456789abcdef", "step": number, "of": 2, "kind": "run-tool", "subject": f"s{number}"}
    os.write(descriptor, json.dumps({"class": "HostProgress", **told, "back": False}).encode() + b"\n")


def misbehave(mode: str) -> bool:
    """Whether it is to end without an answer."""
    if mode == "die":
        os.kill(os.getpid(), 9)
    if mode == "noise":
        sys.stdout.write("Segmentation fault\n")
    if mode == "flood":
        os.write(1, b"x" * 2 * 1024 * 1024)
        wait()
    return mode in ("silent", "noise")


def result_of(request: dict[str, object], size: int) -> object:
    """What the client understands."""
    run = {"plan_id": "0123456789abcdef", "run": "000001-0123456789abcdef"}
    kept = {"started_at": 1.0, "state": "applied", "kept": True, "awaits_keep": False, "boot_id": "x"}
    clock = {"boot_id": "x", "phase": "counting", "began_boottime": 1.0, "deadline_boottime": 2.0}
    results: dict[str, object] = {
        "hello": {"version": "0.0.1", "protocol": 1, "journal_format": 1, "verbs": [], "uid": os.getuid()},
        "undo": [],
        "keep": run | kept,
        "status": {"runs": [], "unreadable": sorted(os.environ)},
        "facts": {"entries": [], "next": None},
        "watch": {"entries": [], "next": None},
        "story": {"trials": [], "kept": []},
        "extend": clock | {"plan_id": "0123456789abcdef", "extended": 1, "up": True},
    }
    return results.get(str(request["verb"]), {"bytes": size})


def main() -> None:
    """One line in, one out; who watches goes on, as the real one does with every line."""
    for line in sys.stdin:
        serve(line)
        sys.stdout.flush()
        if json.loads(line)["verb"] != "watch":
            break


def serve(line: str) -> None:
    """One request."""
    mode = Path("/run/core-mode").read_text().strip() if Path("/run/core-mode").exists() else ""
    request = json.loads(line)
    only_check = "--check" in sys.argv
    note("core-lines", "check" if only_check else "do", hashlib.sha256(line.encode()).hexdigest())
    if only_check:
        check(request, mode)
        return
    note("core-log", "begun", request["verb"], str(os.getpid()))
    if misbehave(mode):
        return
    if mode == "steps":
        step(1)
    if mode in ("wait", "steps"):
        wait()
    if mode == "steps":
        step(2)
    answer = json.dumps({"id": request["id"], "ok": True, "result": result_of(request, len(line))}) + "\n"
    note("core-log", "finished", request["verb"])
    sys.stdout.write(answer)


main()

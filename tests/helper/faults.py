# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking the helper at the n-th thing it asks of the file system: killed, killed halfway through a write, no space.

The helper has no hooks for this. Its process is a fork of the test in which the calls of `os` are counted.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vitrail.helper.door import answer_to
from vitrail.helper.state import State
from vitrail.helper.tree import Tree

_CHANGES = ("write", "fsync", "rename", "mkdir", "unlink", "rmdir", "ftruncate", "fchmod", "fchown", "setxattr")
_SPACE = ("write", "fsync", "rename", "mkdir", "setxattr")
_HARD_LINKED = ("bin", "lib64", "lib/x86_64-linux-gnu", "usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu")


class Fault(Enum):
    """What happens at the chosen call."""

    KILL = "kill"
    KILL_HALFWAY = "kill halfway through a write"
    NO_SPACE_ONCE = "no space once"
    NO_SPACE_FROM_THERE = "no space from there on"


@dataclass
class Counter:
    """Counts calls, and breaks at one of them (0: never)."""

    fault: Fault
    at: int
    count: int = 0

    def wrap(self, name: str) -> None:
        real = getattr(os, name)

        def counted(*args: object, **kwargs: object) -> object:
            if name == "open" and not int(args[1]) & os.O_CREAT:  # type: ignore[call-overload]
                return real(*args, **kwargs)
            self.count += 1
            if self.count == self.at or (self.fault is Fault.NO_SPACE_FROM_THERE and 0 < self.at < self.count):
                self._break(name, real, args)
            return real(*args, **kwargs)

        setattr(os, name, counted)

    def _break(self, name: str, real: Callable[..., object], args: tuple[object, ...]) -> None:
        if self.fault in (Fault.NO_SPACE_ONCE, Fault.NO_SPACE_FROM_THERE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.fault is Fault.KILL_HALFWAY and name == "write":
            content = bytes(args[1])  # type: ignore[call-overload]
            real(args[0], content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Ended:
    """How a broken helper ended."""

    answer: dict[str, object] | None
    """None where it was killed before it could answer."""
    calls: int


def send(root: Path, line: bytes, fault: Fault = Fault.KILL, at: int = 0) -> Ended:
    """One request to a helper in a process of its own, broken at this call."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(root, line, Counter(fault, at), writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (not said), (status, said)
    if not said:
        return Ended(None, at)
    told = json.loads(said)
    return Ended(told["answer"], told["calls"])


def run_broken(work: Callable[[], object], fault: Fault = Fault.KILL, at: int = 0) -> int | None:
    """Do this in a process of its own, broken at this call; how many calls it made, None where it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            counter = Counter(fault, at)
            plain = os.write
            for name in (*_CHANGES, "open", "pidfd_open"):
                counter.wrap(name)
            work()
            plain(writer, str(counter.count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (not said), (status, said)
    return int(said) if said else None


def _child(root: Path, line: bytes, counter: Counter, writer: int) -> None:
    code = 1
    try:
        plain = os.write
        for name in _SPACE if counter.fault in (Fault.NO_SPACE_ONCE, Fault.NO_SPACE_FROM_THERE) else _CHANGES:
            counter.wrap(name)
        counter.wrap("open")
        if counter.fault in (Fault.KILL, Fault.KILL_HALFWAY):
            counter.wrap("pidfd_open")
        answer = answer_to(State(Tree(str(root))), line)
        plain(writer, json.dumps({"answer": answer, "calls": counter.count}).encode())
        code = 0
    finally:
        os._exit(code)


def settle(root: Path, line: bytes) -> dict[str, object]:
    """A helper that is not broken, as soon as the programs of the killed one have ended."""
    deadline = time.monotonic() + 30
    while True:
        answer = send(root, line).answer
        assert answer is not None
        error = answer.get("error")
        if not (isinstance(error, dict) and error["kind"] == "locked") or time.monotonic() > deadline:
            return answer
        os.sched_yield()


def ended_state(root: Path) -> str | None:
    """How the newest journal says that it ended."""
    runs = sorted((root / "var/lib/vitrail/runs").glob("*/journal.jsonl"))
    lines = runs[-1].read_text().splitlines(keepends=True) if runs else []
    last = json.loads(lines[-1]) if lines and lines[-1].endswith("\n") else {}
    return last.get("result") if last.get("class") == "HostRunEnded" else None


def copy_machine(machine: Path, to: Path) -> Path:
    """The same machine again; programs are shared, everything that can change is not."""

    def copied(source: str, target: str) -> str:
        inside = Path(source).relative_to(machine).as_posix()
        if inside.startswith(_HARD_LINKED):
            os.link(source, target)
        else:
            shutil.copy2(source, target)
            owner = Path(source).stat()
            os.chown(target, owner.st_uid, owner.st_gid)
        return target

    shutil.copytree(machine, to, symlinks=True, copy_function=copied)
    return to

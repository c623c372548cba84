# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place on the user's side that starts programs: a fixed list, no shell, a clean environment, a deadline."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_FOLDERS = ("/run/wrappers/bin", "/usr/bin", "/bin", "/usr/sbin", "/run/current-system/sw/bin")
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}
_GRACE_SECONDS = 2.0


class Program(Enum):
    """What may be started, with the words that always come first."""

    INSTALLER = ("pkexec", "/usr/bin/python3", "-I", "-S", "-c")
    HAS_DBUS_FAST = ("python3", "-I", "-c", "import dbus_fast")
    OWNER_DPKG = ("dpkg-query", "-S")
    OWNER_RPM = ("rpm", "-qf")
    OWNER_PACMAN = ("pacman", "-Qoq")
    START_TIME = ("systemd-analyze", "time")
    STARTS_DONE = (
        *("journalctl", "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_BOOT_ID", "--lines=10"),
        *("_PID=1", "MESSAGE_ID=b07a249cd024414a82dd00cd181378ff"),
    )
    """The line with which the system manager says how long a start took."""
    BOOTS = ("journalctl", "--quiet", "--no-pager", "--output=json", "--list-boots")
    RESTART = ("systemctl", "reboot")

    @property
    def path(self) -> Path | None:
        """Where it is on this machine, None where it is missing. The system's own Python is meant, never ours."""
        found = (Path(folder, self.value[0]) for folder in _FOLDERS)
        return next((path for path in found if path.is_file()), None)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended; a negative status is a signal."""

    status: int
    output: bytes
    errors: bytes


class LateError(Exception):
    """The deadline passed. The program was told to end; one that runs as root may still be at work."""


def run(program: Program, *arguments: str, stdin: bytes = b"", seconds: float) -> Ended | None:
    """Run it to its end; None where it is not installed. Raises LateError."""
    path = program.path
    if path is None:
        return None
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(  # noqa: S603 - the list stands above
            (str(path), *program.value[1:], *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
        )
        stack.callback(_let_go, process)
        try:
            output, errors = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired as error:
            raise LateError(program.name) from error
        return Ended(process.returncode, output, errors)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Neither a pipe nor, where it may be ended, the program is left."""
    with contextlib.suppress(PermissionError):
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()

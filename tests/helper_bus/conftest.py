# SPDX-License-Identifier: GPL-3.0-or-later
"""One private system for the session, with the helper installed by its own installer; users, agents and a fake core."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import runpy
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus

from helper_bus.private_bus import PrivateBus
from vitrail.service.helper_install import InstallPreview, preview_install

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CORE = "usr/local/lib/vitrail/vitrail-helper.pyz"
_PYTHON = ("/usr/bin/env", f"PYTHONPATH={REPOSITORY / 'app'}", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3")


@pytest.fixture(scope="session")
def parts() -> Iterator[Path]:
    """Everything that is installed, built from this checkout, in a folder that every user may read.

    Not below pytest's own: whichever run starts next on this machine closes that one to everybody else.
    """
    gather = runpy.run_path(str(REPOSITORY / "packaging" / "helper" / "parts.py"))["gather"]
    folder = Path(tempfile.mkdtemp(prefix="vb-parts-", dir="/tmp"))
    folder.chmod(0o755)
    yield Path(gather(folder))
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bare_bus() -> Iterator[PrivateBus]:
    """A system without the helper."""
    private = PrivateBus()
    private.start()
    yield private
    private.stop()


def installed(private: PrivateBus, preview: InstallPreview) -> dict[str, Any]:
    """What the installer says, run as root inside."""
    command = private.inside("/usr/bin/python3", "-I", "-S", "-c", preview.program, preview.digest)
    done = subprocess.run(command, input=preview.payload, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="session")
def bus(parts: Path) -> Iterator[PrivateBus]:
    """A system with the helper."""
    private = PrivateBus()
    private.start()
    assert installed(private, preview_install(parts, private.root))["ok"]
    yield private
    for name in ("org.vitrail.Helper1", "org.freedesktop.PolicyKit1"):
        with contextlib.suppress(LookupError):
            private.started.add(pid_of(private, name))
    private.stop()


def pid_of(private: PrivateBus, name: str) -> int:
    """Who has this name. Raises LookupError."""
    reply = ask_raw(private, ("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID"), name)
    if reply.error_name:
        raise LookupError(name)
    return int(reply.body[0])


def ask_raw(private: PrivateBus, target: tuple[str, str, str, str], *body: Any, signature: str = "s") -> Message:
    """One message of root's, whatever it is, and its answer."""

    async def ask() -> Message:
        connection = await MessageBus(bus_type=BusType.SYSTEM, bus_address=private.address).connect()
        destination, path, interface, member = target
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        async with asyncio.timeout(60):
            reply = await connection.call(message)
        connection.disconnect()
        return reply

    return asyncio.run(ask())


class Caller:
    """A user's process that asks the helper; `asks` says what it was told."""

    def __init__(self, private: PrivateBus, user: str) -> None:
        command = private.inside(*_PYTHON, str(HERE / "caller.py"), private.address, user=user)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.read())

    def read(self) -> str:
        """The next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def start(self, verb: str, **arguments: Any) -> None:
        """Ask, and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([verb, arguments]) + "\n")
        self.process.stdin.flush()

    def asks(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Ask; the answer."""
        self.start(verb, **arguments)
        return dict(json.loads(self.read()))

    def end(self) -> None:
        """It is gone, whatever it was doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@pytest.fixture
def caller(bus: PrivateBus) -> Iterator[Callable[[str], Caller]]:
    """Users of the helper; gone after the test."""
    made: list[Caller] = []

    def make(user: str) -> Caller:
        made.append(Caller(bus, user))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def agent(bus: PrivateBus) -> Iterator[Callable[..., Callable[[], str]]]:
    """Agents that answer for a process; the value reads the next line of what they say."""
    made: list[subprocess.Popen[str]] = []

    def make(pid: int, mode: str, language: str = "C.UTF-8") -> Callable[[], str]:
        command = [sys.executable, str(HERE / "agent.py"), bus.address, str(pid), mode, language]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        made.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "registered\n"
        return process.stdout.readline

    yield make
    for process in made:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class FakeCore:
    """The core of this test: what it does, and what it noted."""

    def __init__(self, private: PrivateBus) -> None:
        self.folder = private.folder / "run"
        os.mkfifo(self.folder / "begun")

    def behave(self, mode: str) -> None:
        """From now on: die, silent, noise, flood, wait, steps; or, when it only checks, refuse, check-die."""
        (self.folder / "core-mode").write_text(mode)

    def wait_until_begun(self) -> int:
        """Return once a waiting core has its request: its process id."""
        return int((self.folder / "begun").read_text())

    def let_go(self, pid: int) -> None:
        """This waiting core goes on."""
        (self.folder / f"gate-{pid}").write_text("go\n")

    @property
    def log(self) -> list[str]:
        """Its notes; the process id is left out."""
        return [" ".join(line.split()[:2]) for line in self._lines("core-log")]

    @property
    def lines(self) -> list[str]:
        """What it was asked to check and to do: the word, and the digest of what it read."""
        return self._lines("core-lines")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def core(bus: PrivateBus) -> Iterator[FakeCore]:
    """A fake core in the place of the real one."""
    place = bus.root / CORE
    real = place.read_bytes()
    shutil.rmtree(bus.folder / "run/vitrail", ignore_errors=True)
    place.write_bytes((HERE / "fake_core.py").read_bytes())
    yield FakeCore(bus)
    place.write_bytes(real)
    for path in (bus.folder / "run").glob("gate-*"):
        # Only a test that failed leaves one waiting.
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(path.name.removeprefix("gate-")), signal.SIGKILL)
    for path in (bus.folder / "run").iterdir():
        if path.name.startswith(("gate-", "begun", "core-")):
            path.unlink()


@pytest.fixture
def no_door(bus: PrivateBus) -> None:
    """No door is open: the one that was has been told to leave, and has."""
    with contextlib.suppress(LookupError):
        end_process(pid_of(bus, "org.vitrail.Helper1"))


def end_process(pid: int) -> None:
    """Tell it to end, and see it gone."""
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    wait_for(ended)


def wait_for(ended: int) -> None:
    """Until the process of this descriptor is gone."""
    try:
        assert select.select([ended], [], [], 30)[0], "it is still there"
    finally:
        os.close(ended)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """An empty system."""
    folder = tmp_path / "tree"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM asked through a real libvirtd and a real QEMU; who answers at its agent's channel is a script.

No system runs in the VM, so nobody inside opens the channel: QEMU is told that it is a console, which is open from the
start, and the channel's other end is a socket of the test's, to which libvirt connects as it does to QEMU's.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from fakes.hosts import at
from fakes.looking import value
from fakes.scripted_agent import Script, serve
from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from vitrail.model.reading import Known
from vitrail.model.sample import Silence, silence_of
from vitrail.service.asked_guests import AskedGuests
from vitrail.service.guest_ask import GuestAgents
from vitrail.service.libvirt_session import Session
from vitrail.service.state import StateFolder
from vitrail.service.uri import read_uri

pytestmark = pytest.mark.real

CARD = at("01:00.0")
NVIDIA = 0x10DE
CHANNEL = """<channel type='unix'>
      <source mode='connect' path='{path}'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
      <alias name='ua-agent'/>
    </channel>
  </devices>"""
OVERRIDE = """</devices>
  <override xmlns='http://libvirt.org/schemas/domain/qemu/1.0'>
    <device alias='ua-agent'><frontend><property name='driver' type='string' value='virtconsole'/></frontend></device>
  </override>"""


class Channel:
    """The socket at the end of the VM's channel, with the script behind it."""

    def __init__(self, path: Path, script: Script) -> None:
        self._script = script
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        path.chmod(0o777)
        self._server.listen(8)
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                end, _ = self._server.accept()
                self._ends.append(end)
                self._threads.append(threading.Thread(target=serve, args=(end, self._script), daemon=True))
                self._threads[-1].start()

    def close(self) -> None:
        """Nobody answers any more."""
        for one in (self._server, *self._ends):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def script() -> Script:
    """What the VM says."""
    return Script()


@pytest.fixture
def spoken(daemon: PrivateLibvirt, guest: Guest, script: Script) -> Iterator[Guest]:
    """A running VM with an agent."""
    path = daemon.folder / "agent.sock"
    channel = Channel(path, script)
    guest.edit("</devices>", CHANNEL.format(path=path))
    guest.edit("</devices>", OVERRIDE)
    guest.domain.create()
    yield guest
    guest.domain.destroy()
    channel.close()
    path.unlink()


@pytest.fixture
def agents(daemon: PrivateLibvirt, tmp_path: Path) -> Iterator[GuestAgents]:
    """Whoever asks."""
    made = GuestAgents(
        Session(read_uri(daemon.uri)), AskedGuests(StateFolder(tmp_path / "state")), lambda _card: NVIDIA
    )
    yield made
    made.close()


def told(agents: GuestAgents, uuid: str) -> Any:
    """The answer, once it is there."""
    agents.latest(uuid, CARD)
    agents._vms[uuid].beside.settle(60)
    return agents.latest(uuid, CARD)


def test_a_vm_that_may_be_asked_tells_its_load(agents: GuestAgents, spoken: Guest):
    assert value(agents.latest(spoken.uuid, CARD)) == "load.needs-agent.ask"
    agents.let(spoken.uuid, ask=True)
    answer = told(agents, spoken.uuid)
    assert isinstance(answer, Known), answer
    assert value(answer.value.load_percent) == 37.0
    assert answer.source == "reported by the guest"


def test_a_vm_is_not_asked_more_often_than_every_five_seconds(agents: GuestAgents, spoken: Guest, script: Script):
    agents.let(spoken.uuid, ask=True)
    for _ in range(50):
        told(agents, spoken.uuid)
    assert script.asked("guest-exec") == 1


def test_an_agent_that_forbids_programs_is_blocked(agents: GuestAgents, spoken: Guest, script: Script):
    script.errors["guest-exec"] = "Command guest-exec has been disabled"
    agents.let(spoken.uuid, ask=True)
    assert silence_of(told(agents, spoken.uuid)) is Silence.BLOCKED_IN_GUEST


@pytest.mark.parametrize(
    "answer",
    [
        '{"return": {"pid": 1, "x": "' + "a" * 200_000 + '"}}',
        "hello \x1b[2J",
        '{"return": 7}',
        '{"error": {"class": "\x1b[2J", "desc": "\x1b[2J"}}',
        b"\xff\xfe\n",
        b'{"return": {"pid": 1',
    ],
    ids=["huge", "escapes", "a number", "a hostile error", "no text", "endless"],
)
def test_a_hostile_agent_is_unknown_with_a_reason_of_ours(
    agents: GuestAgents, spoken: Guest, script: Script, answer: str | bytes
):
    script.raw["guest-exec"] = answer
    agents.let(spoken.uuid, ask=True)
    silent = told(agents, spoken.uuid)
    assert silence_of(silent) is not None
    assert silent.reason.args == ()
    assert silent.reason.id.startswith("load.")


def test_a_vm_without_a_channel_says_what_is_missing(agents: GuestAgents, guest: Guest):
    guest.domain.create()
    agents.let(guest.uuid, ask=True)
    assert value(told(agents, guest.uuid)) == "load.needs-agent.no-channel"


def test_a_vm_that_is_off_does_not_run(agents: GuestAgents, guest: Guest):
    agents.let(guest.uuid, ask=True)
    assert value(told(agents, guest.uuid)) == "load.stale.not-running"


def test_a_channel_that_nobody_opened_has_no_agent(agents: GuestAgents, guest: Guest):
    channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>"
    guest.edit("</devices>", channel)
    guest.domain.create()
    assert guest.domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    agents.let(guest.uuid, ask=True)
    assert value(told(agents, guest.uuid)) == "load.needs-agent.silent"

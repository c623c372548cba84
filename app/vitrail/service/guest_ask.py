# SPDX-License-Identifier: GPL-3.0-or-later
"""The VMs that the user lets Vitrail ask, each through libvirt to its own agent, in the background.

The connection is one of its own: a VM whose agent hangs costs nobody else an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from vitrail.load.ports import GuestLoad
from vitrail.model.errors import Unreachable
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import text
from vitrail.service import libvirt_errors
from vitrail.service.asked_guests import AskedGuests
from vitrail.service.beside import Beside, Pace
from vitrail.service.deadlines import Beat
from vitrail.service.guest_agent import LATE, AgentGone, AgentRefused, Command, GuestAgent, not_connected
from vitrail.service.guest_reply import GARBLED, SEVERAL
from vitrail.service.libvirt_session import BrokenError, Session, load_libvirt

_EVERY_S, _LATE_S, _CHOICE_S = 5.0, 20.0, 5.0
_COMMAND_SECONDS = 3
_DEADLINE_S = 12.0
"""A command has libvirt's own deadline; this is for a libvirt that hangs."""
_REFUSED = "unable to execute QEMU agent command"
_NOT_ASKED = Unknown(text("load.needs-agent.ask"))
_FIRST = Unknown(text("load.stale.guest-first"))
_NO_BINDING = Unknown(text("load.unsupported.agent-binding"))
_GONE = Unknown(text("load.stale.not-running"))
_NO_CHANNEL = Unknown(text("load.needs-agent.no-channel"))

# virErrorNumber, libvirt/virterror.h
_NOT_CONNECTED, _NOT_CONFIGURED, _UNSYNCED, _TIMEOUT = 86, 74, 97, 68
_NOT_RUNNING = (55, libvirt_errors.NO_DOMAIN)

Vendor = Callable[[PciAddress], int | None]


@dataclass(slots=True)
class _Asked:
    """One VM that is asked, about one card."""

    card: PciAddress
    beside: Beside[GuestLoad]


class GuestAgents:
    """What every VM said last. For one thread, but `let` is for any."""

    def __init__(
        self, session: Session, chosen: AskedGuests, vendor: Vendor, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._chosen = chosen
        self._vendor = vendor
        self._clock = clock
        self._asks: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._vms: dict[str, _Asked] = {}

    def latest(self, uuid: str, card: PciAddress) -> Reading[GuestLoad]:
        """What this VM says of its card; never waits, never asks more often than every five seconds."""
        if uuid not in self._asked():
            return _NOT_ASKED
        known = self._vms.get(uuid)
        if known is None:
            agent = GuestAgent(self._vendor(card))
            pace = Pace(_EVERY_S, _LATE_S, _FIRST, LATE)
            known = self._vms[uuid] = _Asked(card, Beside(lambda: self._ask(uuid, agent), pace, self._clock))
        # A VM's own addresses are not this computer's, so which of two cards is which it cannot tell.
        return known.beside.latest() if known.card == card else SEVERAL

    def asks(self, uuid: str) -> bool:
        """Whether this VM may be asked."""
        return uuid in self._chosen.all()

    def let(self, uuid: str, *, ask: bool) -> None:
        """Ask this VM from now on, or no longer. Raises Unreachable where that cannot be kept."""
        self._chosen.put(uuid, asks=ask)
        self._read_at = None

    def _asked(self) -> frozenset[str]:
        now = self._clock()
        if self._read_at is None or now - self._read_at >= _CHOICE_S:
            self._read_at, self._asks = now, self._chosen.all()
        return self._asks

    def _ask(self, uuid: str, agent: GuestAgent) -> Reading[GuestLoad]:
        command = _agent_command()
        if command is None:
            return _NO_BINDING
        libvirt = load_libvirt()

        def converse(connection: Any, beat: Beat) -> Reading[GuestLoad]:
            domain = connection.lookupByUUIDString(uuid)
            return agent.ask(_command(libvirt, command, domain, beat))

        try:
            return self._session.write(converse, _DEADLINE_S)
        except BrokenError:
            return LATE
        except Unreachable as error:
            return Unknown(error.what)
        except libvirt.libvirtError as error:
            if error.get_error_code() in _NOT_RUNNING:
                return _GONE
            return Unknown(libvirt_errors.failed(self._session.address, error).what)

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()


@cache
def _agent_command() -> Any | None:
    """Libvirt's question to an agent, None where this libvirt has none."""
    try:
        import libvirt_qemu  # noqa: PLC0415 - only where a VM is asked
    except ImportError:
        return None
    return getattr(libvirt_qemu, "qemuAgentCommand", None)


def _command(libvirt: Any, ask: Any, domain: Any, beat: Beat) -> Command:
    def say(line: str) -> str:
        try:
            return str(ask(domain, line, _COMMAND_SECONDS, 0))
        except libvirt.libvirtError as error:
            raise _failure(error) from None
        except (SystemError, UnicodeDecodeError):
            # What the binding makes of an answer that is no UTF-8.
            raise AgentGone(GARBLED) from None
        finally:
            beat()

    return say


def _failure(error: Any) -> Exception:
    """What libvirt's error means; its words may be the VM's."""
    code = error.get_error_code()
    if code == _NOT_CONNECTED:
        return not_connected()
    if code == _NOT_CONFIGURED:
        return AgentGone(_NO_CHANNEL)
    if code in (_UNSYNCED, _TIMEOUT):
        return AgentGone(LATE)
    if code in _NOT_RUNNING:
        return AgentGone(_GONE)
    words = libvirt_errors.message_of(error)
    return AgentRefused(words) if _REFUSED in words else AgentGone(GARBLED)

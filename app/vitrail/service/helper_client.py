# SPDX-License-Identifier: GPL-3.0-or-later
"""The root helper, asked over the system bus: one connection a question, each with a deadline.

Every method waits, so none is for the thread that draws. Raises Refused, ApplyFailed, Unreachable and Unsettled in the
words of `helper_words`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from dbus_fast import AuthError, BusType, InvalidAddressError, Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus

from vitrail import __version__
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import (
    PROTOCOL,
    Apply,
    Facts,
    Hello,
    HostRunOutcome,
    HostRunState,
    Keep,
    Request,
    Status,
    Undo,
)
from vitrail.model.wire import WireError, from_wire, to_wire
from vitrail.service.helper_words import broken_off, late, no_bus, not_answered, not_done, other_version

_NAME = "org.vitrail.Helper1"
_PATH = "/org/vitrail/Helper1"
_SERVICE_FILES = (
    "usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service",
    "usr/share/dbus-1/system-services/org.vitrail.Helper1.service",
)
_START_SECONDS = 40.0
_READ_SECONDS = 150.0
_PROMPT_SECONDS = 660.0
_WRITE_SECONDS = 3 * 3600.0
T = TypeVar("T")
_FREE = (Hello, Status)
_WRITING = (Apply, Undo, Keep)


@dataclass(frozen=True, slots=True)
class HelperHello:
    """Which helper this computer has."""

    version: str
    protocol: int
    journal_format: int
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelperStatus:
    """Everything that the helper did here, newest first, and the runs whose journal it cannot read."""

    runs: tuple[HostRunState, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One path of the machine: `kind` is link, folder, exists, text or base64."""

    path: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class FactsPage:
    """Facts in the order of their paths; `next` is where to go on after, None at the end."""

    entries: tuple[Fact, ...]
    next: str | None


class HelperClient:
    """The verbs. `address`: another bus than the system's; `root`: where to look whether the helper is installed."""

    def __init__(self, address: str | None = None, root: Path = Path("/")) -> None:
        self._address = address
        self._root = root

    def hello(self) -> HelperHello:
        """Which helper there is; asks for no permission."""
        answer = self._answer_to(Hello())
        # A newer helper may say more than this version knows of.
        known = (
            {field.name: answer.get(field.name) for field in fields(HelperHello)} if isinstance(answer, dict) else None
        )
        return _understood(HelperHello, known, Hello())

    def status(self) -> HelperStatus:
        """What it has done, and what awaits Keep; asks for no permission."""
        return self._read(HelperStatus, Status())

    def facts(self, after: str | None = None) -> FactsPage:
        """One page of what a recording of this computer holds."""
        return self._read(FactsPage, Facts(after))

    def apply(self, plan: HostPlan) -> HostRunOutcome:
        """Carry it out. Only a helper of this very version does."""
        theirs = self.hello()
        if theirs.protocol != PROTOCOL or theirs.version != __version__:
            raise other_version(theirs.version, __version__)
        return self._read(HostRunOutcome, Apply(plan))

    def undo(
        self, plan_id: str | None = None, *, everything: bool = False, force: bool = False
    ) -> tuple[HostRunOutcome, ...]:
        """Take back a plan, the newest one, or everything. Any helper does, whatever its version."""
        return self._read(tuple[HostRunOutcome, ...], Undo(plan_id, everything, force))

    def keep(self, plan_id: str, boot_id: str) -> HostRunState:
        """The plan stays, as seen in this boot."""
        return self._read(HostRunState, Keep(plan_id, boot_id))

    def _read(self, kind: type[T], request: Request) -> T:
        return _understood(kind, self._answer_to(request), request)

    def _answer_to(self, request: Request) -> Any:
        writes = isinstance(request, _WRITING)
        seconds = _START_SECONDS + (_WRITE_SECONDS if writes else _READ_SECONDS)
        seconds += 0.0 if isinstance(request, _FREE) else _PROMPT_SECONDS
        answer = asyncio.run(self._ask(request, writes=writes, seconds=seconds))
        return _result(answer, writes=writes)

    async def _ask(self, request: Request, *, writes: bool, seconds: float) -> str:
        bus = MessageBus(bus_type=BusType.SYSTEM, bus_address=self._address)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await bus.connect()
        except (OSError, EOFError, TimeoutError, AuthError, InvalidAddressError) as error:
            raise no_bus(type(error).__name__) from error
        try:
            async with asyncio.timeout(seconds):
                reply = await bus.call(_call(request))
        except TimeoutError as error:
            raise late(writes=writes) from error
        except (OSError, EOFError) as error:
            raise broken_off(type(error).__name__, writes=writes) from error
        finally:
            if bus.connected:
                bus.disconnect()
        if reply is None or reply.message_type is MessageType.ERROR:
            name = (reply.error_name if reply is not None else None) or "?"
            raise not_answered(name, writes=writes, installed=self._is_installed())
        if reply.signature != "s":
            raise broken_off(reply.signature, writes=writes)
        return str(reply.body[0])

    def _is_installed(self) -> bool:
        return any((self._root / path).is_file() for path in _SERVICE_FILES)


def _call(request: Request) -> Message:
    members = to_wire(request)
    verb = members.pop("class").lower()
    line = {"protocol": PROTOCOL, "id": secrets.token_hex(8), "verb": verb, **members}
    return Message(
        destination=_NAME,
        path=_PATH,
        interface=_NAME,
        member="Ask",
        signature="s",
        body=[json.dumps(line, separators=(",", ":"))],
        flags=MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION,
    )


def _understood(kind: type[T], result: Any, request: Request) -> T:
    try:
        value: T = from_wire(kind, result)
    except WireError as error:
        raise broken_off(str(error)[:80], writes=isinstance(request, _WRITING)) from error
    return value


def _result(answer: str, *, writes: bool) -> Any:
    """What the helper found or did. Raises what its refusal means."""
    try:
        data = json.loads(answer)
        if data["ok"] is True:
            return data["result"]
        error = data["error"]
        kind, args = str(error["kind"]), dict(error["args"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise broken_off(type(error).__name__, writes=writes) from error
    raise not_done(kind, args, writes=writes)

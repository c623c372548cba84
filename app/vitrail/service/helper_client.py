# SPDX-License-Identifier: GPL-3.0-or-later
"""The root helper, asked over the system bus: one connection a question, each with a deadline.

Every method waits, so none is for the thread that draws. Raises Refused, ApplyFailed, Unreachable and Unsettled in the
words of `helper_words`. A change goes on by itself once it has begun; who comes back finds it with `newest_job`.
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
from vitrail.model.errors import Refused, Unsettled
from vitrail.model.host_step import HostPlan
from vitrail.model.host_story import GuardClock, HostStory
from vitrail.model.host_wire import (
    PROTOCOL,
    Apply,
    Extend,
    Facts,
    Hello,
    HostJob,
    HostJobStarted,
    HostRunOutcome,
    HostRunState,
    Job,
    Keep,
    Request,
    Status,
    Story,
    Undo,
    Watch,
)
from vitrail.model.wire import WireError, from_wire, to_wire
from vitrail.service.helper_jobs import Told, follow, recognised
from vitrail.service.helper_words import NO_JOB, broken_off, late, no_bus, not_answered, not_done, other_version

_NAME = "org.vitrail.Helper1"
_PATH = "/org/vitrail/Helper1"
_SERVICE_FILES = (
    "usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service",
    "usr/share/dbus-1/system-services/org.vitrail.Helper1.service",
)
_START_SECONDS = 40.0
_READ_SECONDS = 150.0
_PROMPT_SECONDS = 660.0
_LOOK_SECONDS = 30.0
"""A look at the machine waits no longer for what it can do without."""
T = TypeVar("T")
_FREE = (Hello, Status, Job)
_WRITING = (Apply, Undo, Keep, Extend)
Change = Apply | Undo | Keep
Changed = HostRunOutcome | tuple[HostRunOutcome, ...] | HostRunState


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


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What the kernel counts for one open file of a graphics card; `path` is proc/PID/fdinfo/NUMBER."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class WatchPage:
    """The open files of every QEMU, by process and number; `next` is where to go on after, None at the end."""

    entries: tuple[OpenFile, ...]
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
        return _understood(HelperHello, known, writes=False)

    def status(self) -> HelperStatus:
        """What it has done, and what awaits Keep; asks for no permission."""
        return self._read(HelperStatus, Status())

    def facts(self, after: str | None = None, *, prompts: bool = True) -> FactsPage:
        """One page of what a recording of this computer holds. Without `prompts` nobody is asked for a password."""
        return self._read(FactsPage, Facts(after), prompts=prompts)

    def watch(self, after: str | None = None, *, prompts: bool = True) -> WatchPage:
        """One page of what the kernel counts for the cards of every QEMU. Without `prompts` nobody is asked."""
        return self._read(WatchPage, Watch(after), prompts=prompts)

    def newest_job(self) -> HostJob | None:
        """The change that this user began last, whether or not it has ended; asks for no permission."""
        try:
            return self._read(HostJob, Job(None, -1))
        except Refused as error:
            if error.what.id == NO_JOB:
                return None
            raise

    def wait_for(self, job: HostJob, told: Told | None = None) -> Changed:
        """What comes of a change that somebody began: what its verb returns, or raises."""
        kinds: dict[str, Any] = {"apply": HostRunOutcome, "undo": tuple[HostRunOutcome, ...], "keep": HostRunState}
        value: Changed = self._settled(kinds[job.verb], job.job, told)
        return value

    def extend(self, plan_id: str, boot_id: str) -> GuardClock:
        """A quarter of an hour more for a trial that is seen to work in this boot."""
        return self._read(GuardClock, Extend(plan_id, boot_id))

    def story(self) -> HostStory:
        """Trials that nobody kept, and what this boot shows of kept plans."""
        return self._read(HostStory, Story())

    def apply(self, plan: HostPlan, told: Told | None = None) -> HostRunOutcome:
        """Carry it out; `told` hears each step as it begins. Only a helper of this very version does."""
        theirs = self.hello()
        if theirs.protocol != PROTOCOL or theirs.version != __version__:
            raise other_version(theirs.version, __version__)
        return self._change(HostRunOutcome, Apply(plan), told)

    def undo(
        self, plan_id: str | None = None, *, everything: bool = False, force: bool = False, told: Told | None = None
    ) -> tuple[HostRunOutcome, ...]:
        """Take back a plan, the newest one, or everything. Any helper does, whatever its version."""
        return self._change(tuple[HostRunOutcome, ...], Undo(plan_id, everything, force), told)

    def keep(self, plan_id: str, boot_id: str, told: Told | None = None) -> HostRunState:
        """The plan stays, as seen in this boot."""
        return self._change(HostRunState, Keep(plan_id, boot_id), told)

    def _change(self, kind: type[T], request: Change, told: Told | None) -> T:
        request_id = secrets.token_hex(8)
        try:
            answer = self._answer_to(request, request_id)
            job = _understood(HostJobStarted, answer, writes=True).job
        except Unsettled:
            # It may have begun before the connection broke.
            found = recognised(self._job, request_id)
            if found is None:
                raise
            job = found
        return self._settled(kind, job, told)

    def _settled(self, kind: type[T], job: str, told: Told | None) -> T:
        line = follow(self._job, job, told)
        return _understood(kind, _result(line, writes=True), writes=True)

    def _job(self, request: Job) -> HostJob:
        return self._read(HostJob, request)

    def _read(self, kind: type[T], request: Request, *, prompts: bool = True) -> T:
        return _understood(kind, self._answer_to(request, prompts=prompts), writes=isinstance(request, _WRITING))

    def _answer_to(self, request: Request, request_id: str | None = None, *, prompts: bool = True) -> Any:
        writes = isinstance(request, _WRITING)
        seconds = _START_SECONDS + _READ_SECONDS + (0.0 if isinstance(request, _FREE) else _PROMPT_SECONDS)
        seconds = seconds if prompts else _LOOK_SECONDS
        call = _call(request, request_id or secrets.token_hex(8), prompts=prompts)
        return _result(asyncio.run(self._ask(call, writes=writes, seconds=seconds)), writes=writes)

    async def _ask(self, call: Message, *, writes: bool, seconds: float) -> str:
        bus = MessageBus(bus_type=BusType.SYSTEM, bus_address=self._address)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await bus.connect()
        except (OSError, EOFError, TimeoutError, AuthError, InvalidAddressError) as error:
            raise no_bus(type(error).__name__) from error
        try:
            async with asyncio.timeout(seconds):
                reply = await bus.call(call)
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


def _call(request: Request, request_id: str, *, prompts: bool = True) -> Message:
    members = to_wire(request)
    verb = members.pop("class").lower()
    line = {"protocol": PROTOCOL, "id": request_id, "verb": verb, **members}
    return Message(
        destination=_NAME,
        path=_PATH,
        interface=_NAME,
        member="Ask",
        signature="s",
        body=[json.dumps(line, separators=(",", ":"))],
        flags=MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION if prompts else MessageFlag.NONE,
    )


def _understood(kind: type[T], result: Any, *, writes: bool) -> T:
    try:
        value: T = from_wire(kind, result)
    except WireError as error:
        raise broken_off(str(error)[:80], writes=writes) from error
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

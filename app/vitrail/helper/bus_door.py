# SPDX-License-Identifier: GPL-3.0-or-later
"""The D-Bus door: asks polkit about the caller, runs the core as a child for each request, and hands its answer back.

Separate from the core, and not in its file, because the core needs nothing but Python. No step is known here: a request
is looked at only as far as the permission depends on it. Messages are handled raw, so that the sender belongs to this
very call and to no other. A change is first checked by the core, then asked about, and then begun, the same bytes each
time; from there on it is a job, and needs neither its caller nor this door.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from dbus_fast import BusType, Message, MessageFlag, MessageType, NameFlag, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from vitrail.helper.core_child import Asked, answered, ask_core, check_by_core, read_request, refused
from vitrail.helper.job_runs import JobRuns
from vitrail.helper.warm_core import WarmCore
from vitrail.model.host_wire import Extend, HostJobStarted, Job, Refusal, Watch
from vitrail.model.wire import to_wire

NAME = "org.vitrail.Helper1"
PATH = "/org/vitrail/Helper1"
_ERROR = f"{NAME}.Error"
_ACTION = "org.vitrail.helper1"
_FREE = frozenset({"hello", "status", "job"})
_BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_POLKIT = (
    "org.freedesktop.PolicyKit1",
    "/org/freedesktop/PolicyKit1/Authority",
    "org.freedesktop.PolicyKit1.Authority",
)
_VANISHED = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"
_PROMPT_SECONDS = 600.0
_AT_ONCE = 8
T = TypeVar("T")


class DoorError(Exception):
    """The caller gets this D-Bus error and no answer of the core's."""

    def __init__(self, name: str, said: str = "") -> None:
        super().__init__(name)
        self.name = name if "." in name else f"{_ERROR}.{name}"
        self.said = said


class _Caller:
    """Who asked, as long as its connection is there."""

    def __init__(self) -> None:
        self.gone = False
        self.prompts: set[str] = set()
        """The questions to polkit that are open."""
        self.readers: set[asyncio.Task[Any]] = set()
        """What may be dropped when it vanishes."""


class Door:
    """One connection to the system bus, and what is under way on it."""

    def __init__(self, bus: MessageBus, core: tuple[str, ...]) -> None:
        self._bus = bus
        self._core = core
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs = JobRuns(core)
        self._warm = WarmCore(core)
        self._callers: dict[str, _Caller] = {}
        self._at_once: Counter[tuple[int, bool]] = Counter()
        self._questions = 0
        self.last = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or a change is under way."""
        return bool(self._tasks or self._jobs.tasks)

    async def open(self) -> bool:
        """Watch for callers that vanish, then take the name. False where another door has it."""
        self._bus.add_message_handler(self.on_message)
        await self._call(_BUS, "AddMatch", "s", [_VANISHED])
        reply = await self._bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)
        return reply is RequestNameReply.PRIMARY_OWNER

    async def close(self) -> None:
        """Give the name back and let everything come to its end. Who comes from now on starts another door."""
        if self._bus.connected:
            await self._bus.release_name(NAME)
        while tasks := {*self._jobs.tasks, *(self._tasks if self._bus.connected else ())}:
            await asyncio.wait(tasks)
        self._warm.leave()

    def on_message(self, message: Message) -> Message | bool | None:
        """Handler of everything that comes in."""
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.sender == _BUS[0] and not message.body[2]:
                self._vanish(message.body[0])
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        # Whoever wants no answer could not know what became of it.
        if MessageFlag.NO_REPLY_EXPECTED in message.flags:
            return True
        wrong = _wrong(message)
        if wrong:
            return Message.new_error(message, *wrong)
        caller = self._callers.setdefault(message.sender or "", _Caller())
        self._start(self._answer(caller, message))
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.last = time.monotonic()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            sys.stderr.write(f"vitrail-helper-bus: {type(error).__name__}: {error}\n")

    async def _answer(self, caller: _Caller, message: Message) -> None:
        reply = Message.new_error(message, f"{_ERROR}.Internal", "")
        try:
            reply = Message.new_method_return(message, "s", [await self._carried_out(caller, message)])
        except DoorError as error:
            reply = Message.new_error(message, error.name, error.said)
        finally:
            if not caller.gone and self._bus.connected:
                await self._bus.send(reply)

    async def _carried_out(self, caller: _Caller, message: Message) -> str:
        try:
            asked = read_request(message.body[0])
        except Refusal as refusal:
            return refused(None, refusal)
        (uid,) = await self._call(_BUS, "GetConnectionUnixUser", "s", [message.sender])
        # Who waits for a change takes no place of those who ask for one.
        place = (uid, isinstance(asked.request, Job))
        if self._at_once[place] + (0 if place[1] else self._jobs.count(uid)) >= _AT_ONCE:
            raise DoorError("org.freedesktop.DBus.Error.LimitsExceeded")
        self._at_once[place] += 1
        try:
            return await self._granted(caller, message, asked, uid)
        except Refusal as refusal:
            return refused(asked.id, refusal)
        finally:
            self._at_once[place] -= 1

    async def _granted(self, caller: _Caller, message: Message, asked: Asked, uid: int) -> str:
        if isinstance(asked.request, Job):
            return answered(asked.id, to_wire(await self._read(caller, self._jobs.follow(asked.request, uid))))
        if not asked.is_change:
            if asked.verb not in _FREE:
                await self._authorize(caller, message, asked)
            if isinstance(asked.request, Watch):
                return await self._read(caller, self._warm.ask(asked))
            asking = ask_core(self._core, asked)
            # More time for a trial is one write: it is done in a moment, and is not broken off in the middle.
            return await (asking if isinstance(asked.request, Extend) else self._read(caller, asking))
        refusal = await self._read(caller, check_by_core(self._core, asked))
        if refusal is not None:
            return refusal
        await self._authorize(caller, message, asked)
        return answered(asked.id, to_wire(HostJobStarted(self._jobs.begin(asked, uid))))

    @staticmethod
    async def _read(caller: _Caller, asking: Coroutine[Any, Any, T]) -> T:
        """What the core says, as long as the caller is there to hear it."""
        task = asyncio.create_task(asking)
        caller.readers.add(task)
        try:
            return await task
        except asyncio.CancelledError as error:
            raise DoorError("Vanished") from error
        finally:
            caller.readers.discard(task)

    async def _authorize(self, caller: _Caller, message: Message, asked: Asked) -> None:
        """Nothing, where polkit allows it. The subject is the caller's unique name, which no other can take on."""
        interactive = MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION in message.flags
        self._questions += 1
        question = f"{self._bus.unique_name}-{self._questions}"
        subject = ["system-bus-name", {"name": Variant("s", message.sender)}]
        details = {} if asked.plan_id is None else {"plan": asked.plan_id}
        body = [subject, f"{_ACTION}.{asked.verb}", details, int(interactive), question]
        caller.prompts.add(question)
        try:
            async with asyncio.timeout(_PROMPT_SECONDS):
                (result,) = await self._call(_POLKIT, "CheckAuthorization", "(sa{sv})sa{ss}us", body)
        except TimeoutError as error:
            await self._withdraw(question)
            raise DoorError("Dismissed") from error
        except DoorError as error:
            raise DoorError("NoPolkit", error.name) from error
        finally:
            caller.prompts.discard(question)
        _demand_allowed(result, interactive=interactive)
        if caller.gone:
            raise DoorError("Vanished")

    async def _withdraw(self, question: str) -> None:
        with contextlib.suppress(DoorError):
            await self._call(_POLKIT, "CancelCheckAuthorization", "s", [question])

    def _vanish(self, name: str) -> None:
        """A question that nobody waits for any more is withdrawn; what is being written goes on to its end."""
        caller = self._callers.pop(name, None)
        if caller is None:
            return
        caller.gone = True
        for question in caller.prompts:
            self._start(self._withdraw(question))
        for reader in caller.readers:
            reader.cancel()

    async def _call(self, target: tuple[str, str, str], member: str, signature: str, body: list[Any]) -> list[Any]:
        destination, path, interface = target
        call = Message(
            destination=destination, path=path, interface=interface, member=member, signature=signature, body=body
        )
        try:
            reply = await self._bus.call(call)
        except (OSError, EOFError) as error:
            raise DoorError("BusLost") from error
        if reply is None or reply.message_type is MessageType.ERROR:
            raise DoorError((reply.error_name if reply is not None else None) or "BusLost")
        return list(reply.body)


def _wrong(message: Message) -> tuple[str, str] | None:
    """The error for a call that is not the one there is."""
    known = "org.freedesktop.DBus.Error."
    if message.path != PATH:
        return f"{known}UnknownObject", PATH
    if message.interface != NAME:
        return f"{known}UnknownInterface", NAME
    if message.member != "Ask":
        return f"{known}UnknownMethod", "Ask"
    if message.signature != "s":
        return f"{known}InvalidArgs", "s"
    return None


def _demand_allowed(result: list[Any], *, interactive: bool) -> None:
    allowed, challenge, details = result
    if allowed:
        return
    if "polkit.dismissed" in details:
        raise DoorError("Dismissed")
    if challenge and not interactive:
        raise DoorError("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
    raise DoorError("NoAgent" if challenge else "Denied")


async def serve(core: tuple[str, ...], idle_seconds: float) -> None:
    """Until nobody has asked for a while, the bus is gone, or the system says so; never in the middle of a write."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    door = Door(bus, core)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gone = asyncio.create_task(_until_disconnected(bus, stop))
    if await door.open():
        await _until_idle(door, stop, idle_seconds)
        await door.close()
    gone.cancel()
    if bus.connected:
        bus.disconnect()


async def _until_idle(door: Door, stop: asyncio.Event, idle_seconds: float) -> None:
    while not stop.is_set():
        left = door.last + idle_seconds - time.monotonic()
        if left <= 0 and not door.busy:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left if left > 0 else idle_seconds):
                await stop.wait()


async def _until_disconnected(bus: MessageBus, stop: asyncio.Event) -> None:
    with contextlib.suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call] # the library left it out
    stop.set()


def main(arguments: list[str] | None = None) -> int:
    """Serve the system bus; the exit code."""
    parser = argparse.ArgumentParser(prog="vitrail-helper-bus", allow_abbrev=False)
    parser.add_argument("--core", type=Path, required=True, metavar="FILE", help="the core, a file for Python")
    parser.add_argument("--idle", type=float, default=30.0, metavar="SECONDS", help="leave after this time alone")
    chosen = parser.parse_args(arguments)
    core = ("/usr/bin/python3", "-I", "-S", str(chosen.core), "--stdio")
    asyncio.run(serve(core, chosen.idle))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""The D-Bus door: asks polkit about the caller, runs the core as a child for each request, and hands its answer back.

Separate from the core, and not in its file, because the core needs nothing but Python. No step is known here: a request
is looked at only as far as the permission depends on it. Messages are handled raw, so that the sender belongs to this
very call and to no other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbus_fast import BusType, Message, MessageFlag, MessageType, NameFlag, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from vitrail.model.host_wire import MAX_LINE_BYTES, PROTOCOL, VERBS, Apply, Keep, Kind, Undo
from vitrail.model.wire import from_wire

NAME = "org.vitrail.Helper1"
PATH = "/org/vitrail/Helper1"
ERROR = f"{NAME}.Error"
_ACTION = "org.vitrail.helper1"
_FREE = frozenset({"hello", "status"})
_WRITING = frozenset({"apply", "undo", "keep"})
_ENVELOPE = ("protocol", "id", "verb")
_BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_POLKIT = (
    "org.freedesktop.PolicyKit1",
    "/org/freedesktop/PolicyKit1/Authority",
    "org.freedesktop.PolicyKit1.Authority",
)
_VANISHED = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_MAX_ANSWER = 16 * 1024 * 1024
_PROMPT_SECONDS = 600.0
_READ_SECONDS = 120.0
_GRACE_SECONDS = 5.0
_AT_ONCE = 8


class DoorError(Exception):
    """The caller gets this D-Bus error and no answer of the core's."""

    def __init__(self, name: str, said: str = "") -> None:
        super().__init__(said)
        self.name = name if "." in name else f"{ERROR}.{name}"
        self.said = said


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str
    line: bytes
    details: tuple[tuple[str, str], ...]
    """What the question for the password may name."""


class _RefusedError(Exception):
    """Answered here as the core itself would: nobody is asked for a password for what cannot be carried out."""

    def __init__(self, kind: Kind, request_id: str | None = None, **args: str | int) -> None:
        super().__init__(kind.value)
        error = {"kind": kind.value, "args": args}
        self.answer = json.dumps({"id": request_id, "ok": False, "error": error}, separators=(",", ":"))


def read_request(words: str) -> _Request:
    """As much of a request as the permission depends on. Raises _RefusedError."""
    line = words.encode()
    if len(line) >= MAX_LINE_BYTES:
        raise _RefusedError(Kind.LINE_TOO_LONG)
    if "\n" in words or not words.strip():
        raise _RefusedError(Kind.NOT_JSON)
    try:
        data = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(Kind.NOT_JSON) from error
    if not isinstance(data, dict):
        raise _RefusedError(Kind.NOT_A_REQUEST, field="")
    request_id = data.get("id") if isinstance(data.get("id"), str) else None
    if type(data.get("protocol")) is not int or data["protocol"] != PROTOCOL:
        raise _RefusedError(Kind.PROTOCOL, request_id, newest=PROTOCOL)
    verb = data.get("verb")
    if not isinstance(verb, str) or verb not in VERBS:
        raise _RefusedError(Kind.VERB, request_id)
    try:
        request = from_wire(VERBS[verb], {name: value for name, value in data.items() if name not in _ENVELOPE})
    except (ValueError, TypeError, RecursionError) as error:
        raise _RefusedError(Kind.FIELDS, request_id) from error
    return _Request(verb, line + b"\n", _details(request))


def _details(request: object) -> tuple[tuple[str, str], ...]:
    match request:
        case Apply(plan=plan):
            return (("plan", plan.plan_id),)
        case Keep(plan_id=plan_id) | Undo(plan_id=str(plan_id)):
            return (("plan", plan_id),)
    return ()


async def ask_core(core: tuple[str, ...], request: _Request) -> str:
    """The core's answer. A core that only reads is ended when it is late; one that writes is never."""
    try:
        process = await asyncio.create_subprocess_exec(
            *core,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            limit=_MAX_ANSWER,
        )
    except OSError as error:
        raise DoorError("CoreMissing", error.strerror or "") from error
    writing = request.verb in _WRITING
    try:
        async with asyncio.timeout(None if writing else _READ_SECONDS):
            return await _converse(process, request.line)
    except TimeoutError as error:
        raise DoorError("CoreLate") from error
    except asyncio.IncompleteReadError as error:
        raise DoorError("CoreDied") from error
    except (asyncio.LimitOverrunError, UnicodeDecodeError) as error:
        raise DoorError("CoreUnintelligible") from error
    finally:
        await _end(process, kill=not writing)


async def _converse(process: asyncio.subprocess.Process, line: bytes) -> str:
    if process.stdin is None or process.stdout is None:
        raise DoorError("CoreDied")
    # A core that is gone before it has read everything is told apart by its missing answer.
    with contextlib.suppress(ConnectionError):
        process.stdin.write(line)
        await process.stdin.drain()
        process.stdin.close()
    answer = await process.stdout.readuntil(b"\n")
    return answer[:-1].decode()


async def _end(process: asyncio.subprocess.Process, *, kill: bool) -> None:
    """Wait until it is gone; one that only reads gets a short while for that."""
    if kill:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS if process.stdin and process.stdin.is_closing() else 0):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


class Door:
    """One connection to the system bus, and what is under way on it."""

    def __init__(self, bus: MessageBus, core: tuple[str, ...]) -> None:
        self._bus = bus
        self._core = core
        self._tasks: set[asyncio.Task[None]] = set()
        self._prompts: dict[str, set[str]] = {}
        """For each caller, the questions to polkit that are open."""
        self._readers: dict[str, set[asyncio.Task[str]]] = {}
        """For each caller, what may be dropped when it vanishes."""
        self._gone: set[str] = set()
        self._at_once: Counter[int] = Counter()
        self._asked = 0
        self.last = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or the core is at work."""
        return bool(self._tasks)

    async def open(self) -> bool:
        """Watch for callers that vanish, then take the name. False where another door has it."""
        self._bus.add_message_handler(self.on_message)
        await self._call(_BUS, "AddMatch", "s", [_VANISHED])
        reply = await self._bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)
        return reply is RequestNameReply.PRIMARY_OWNER

    async def finish(self) -> None:
        """Wait for everything that is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def leave(self) -> bool:
        """Give the name back; False where somebody came in at the last moment, who is answered first."""
        before = self.last
        await self._bus.release_name(NAME)
        came = self.busy or self.last != before
        await self.finish()
        return not came

    def on_message(self, message: Message) -> Message | bool | None:
        """Handler of everything that comes in."""
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.sender == _BUS[0] and not message.body[2]:
                self._vanish(message.body[0])
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.last = time.monotonic()
        # Whoever wants no answer could not know what became of it.
        if MessageFlag.NO_REPLY_EXPECTED in message.flags:
            return True
        wrong = _wrong(message)
        if wrong:
            return Message.new_error(message, *wrong)
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return True

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.last = time.monotonic()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            sys.stderr.write(f"vitrail-helper-bus: {type(error).__name__}: {error}\n")

    async def _answer(self, message: Message) -> None:
        sender = message.sender or ""
        reply = Message.new_error(message, f"{ERROR}.Internal", "")
        try:
            reply = Message.new_method_return(message, "s", [await self._carried_out(sender, message)])
        except _RefusedError as refused:
            reply = Message.new_method_return(message, "s", [refused.answer])
        except DoorError as error:
            reply = Message.new_error(message, error.name, error.said)
        finally:
            if sender not in self._gone:
                await self._bus.send(reply)
            if not self._prompts.get(sender) and not self._readers.get(sender):
                self._gone.discard(sender)

    async def _carried_out(self, sender: str, message: Message) -> str:
        request = read_request(message.body[0])
        uid = await self._uid(sender)
        if self._at_once[uid] >= _AT_ONCE:
            raise DoorError("org.freedesktop.DBus.Error.LimitsExceeded")
        self._at_once[uid] += 1
        try:
            if request.verb not in _FREE:
                interactive = MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION in message.flags
                await self._authorize(sender, request, interactive=interactive)
            return await self._ask_core(sender, request)
        finally:
            self._at_once[uid] -= 1

    async def _ask_core(self, sender: str, request: _Request) -> str:
        task = asyncio.create_task(ask_core(self._core, request))
        readers = self._readers.setdefault(sender, set())
        if request.verb not in _WRITING:
            readers.add(task)
        try:
            return await task
        except asyncio.CancelledError as error:
            raise DoorError("Vanished") from error
        finally:
            readers.discard(task)

    async def _uid(self, sender: str) -> int:
        try:
            return int((await self._call(_BUS, "GetConnectionUnixUser", "s", [sender]))[0])
        except DoorError as error:
            raise DoorError("Vanished") from error

    async def _authorize(self, sender: str, request: _Request, *, interactive: bool) -> None:
        """Nothing, where polkit allows it. The subject is the caller's unique name, which no other can take on."""
        self._asked += 1
        cancellation = f"{os.getpid()}.{self._asked}"
        prompts = self._prompts.setdefault(sender, set())
        prompts.add(cancellation)
        subject = ["system-bus-name", {"name": Variant("s", sender)}]
        body = [subject, f"{_ACTION}.{request.verb}", dict(request.details), int(interactive), cancellation]
        try:
            async with asyncio.timeout(_PROMPT_SECONDS):
                result = await self._call(_POLKIT, "CheckAuthorization", "(sa{sv})sa{ss}us", body)
        except TimeoutError as error:
            await self._cancel(cancellation)
            raise DoorError("Dismissed") from error
        except DoorError as error:
            raise DoorError("Vanished" if sender in self._gone else "NoPolkit", error.name) from error
        finally:
            prompts.discard(cancellation)
        _demand_allowed(result[0], interactive=interactive)
        if sender in self._gone:
            raise DoorError("Vanished")

    async def _cancel(self, cancellation: str) -> None:
        with contextlib.suppress(DoorError):
            await self._call(_POLKIT, "CancelCheckAuthorization", "s", [cancellation])

    def _vanish(self, name: str) -> None:
        """A question that nobody waits for any more is withdrawn; what is being written goes on to its end."""
        if name not in self._prompts and name not in self._readers:
            return
        self._gone.add(name)
        for cancellation in self._prompts.pop(name, set()):
            task = asyncio.create_task(self._cancel(cancellation))
            self._tasks.add(task)
            task.add_done_callback(self._over)
        for reader in self._readers.pop(name, set()):
            reader.cancel()

    async def _call(self, target: tuple[str, str, str], member: str, signature: str, body: list[Any]) -> list[Any]:
        destination, path, interface = target
        reply = await self._bus.call(
            Message(
                destination=destination, path=path, interface=interface, member=member, signature=signature, body=body
            )
        )
        if reply is None or reply.message_type is MessageType.ERROR:
            raise DoorError((reply.error_name if reply is not None else None) or "NoAnswer")
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
        while not stop.is_set():
            left = door.last + idle_seconds - time.monotonic()
            if left <= 0 and not door.busy:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(left, 1.0)):
                    await stop.wait()
        if bus.connected:
            await door.leave()
        await door.finish()
    gone.cancel()
    bus.disconnect()


async def _until_disconnected(bus: MessageBus, stop: asyncio.Event) -> None:
    with contextlib.suppress(OSError, EOFError):
        await bus.wait_for_disconnect()
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

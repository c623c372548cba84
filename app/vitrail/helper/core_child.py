# SPDX-License-Identifier: GPL-3.0-or-later
"""The core as the bus door sees it: a child that reads one line and answers one line.

Separate from the door, so that what does not need the bus can be read and tried without it. A request is looked at only
as far as the permission depends on it; the core looks at it again, and strictly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from typing import IO

from vitrail.helper.run import start_core
from vitrail.model.host_wire import (
    MAX_ID_LENGTH,
    MAX_LINE_BYTES,
    PROTOCOL,
    VERBS,
    Apply,
    Extend,
    Keep,
    Kind,
    Refusal,
    Request,
    Undo,
)
from vitrail.model.wire import from_wire

_ENVELOPE = ("protocol", "id", "verb")
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_LENGTH}}}", re.ASCII)
_MAX_ANSWER = 16 * 1024 * 1024
_READ_SECONDS = 120.0
_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its line as it came, and what of it the permission depends on."""

    id: str | None
    verb: str
    request: Request
    line: bytes

    @property
    def is_change(self) -> bool:
        """Whether it changes the computer, so that it is checked first and goes on without its caller."""
        return isinstance(self.request, Apply | Undo | Keep)

    @property
    def plan_id(self) -> str | None:
        """The plan that it names."""
        match self.request:
            case Apply(plan=plan):
                return plan.plan_id
            case Keep(plan_id=plan_id) | Undo(plan_id=plan_id) | Extend(plan_id=plan_id):
                return plan_id
        return None


def read_request(words: str) -> Asked:
    """What is asked. Raises Refusal, before anybody is asked for a password for what cannot be carried out."""
    line = words.encode()
    if len(line) >= MAX_LINE_BYTES:
        raise Refusal(Kind.LINE_TOO_LONG)
    if "\n" in words:
        raise Refusal(Kind.NOT_JSON)
    try:
        data = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise Refusal(Kind.NOT_JSON) from error
    if not isinstance(data, dict):
        raise Refusal(Kind.NOT_A_REQUEST, field="")
    if type(data.get("protocol")) is not int or data["protocol"] != PROTOCOL:
        raise Refusal(Kind.PROTOCOL, newest=PROTOCOL)
    verb = data.get("verb")
    if not isinstance(verb, str) or verb not in VERBS:
        raise Refusal(Kind.VERB)
    try:
        request = from_wire(VERBS[verb], {name: value for name, value in data.items() if name not in _ENVELOPE})
    except (ValueError, TypeError, RecursionError) as error:
        raise Refusal(Kind.FIELDS) from error
    given = data.get("id")
    known = given if isinstance(given, str) and _ID.fullmatch(given) else None
    return Asked(known, verb, request, line + b"\n")


def answered(request_id: str | None, result: object) -> str:
    """The core's own form of an answer, for what the door knows by itself."""
    return json.dumps({"id": request_id, "ok": True, "result": result}, separators=(",", ":"))


def refused(request_id: str | None, refusal: Refusal) -> str:
    """The core's own form of a refusal."""
    error = {"kind": refusal.kind.value, "args": refusal.args_of}
    return json.dumps({"id": request_id, "ok": False, "error": error}, separators=(",", ":"))


async def check_by_core(core: tuple[str, ...], asked: Asked) -> str | None:
    """The core's refusal of a change as things stand, None where it would begin it. Raises Refusal.

    A core that does not say has begun nothing: that is one refusal, whatever it died of.
    """
    try:
        answer = await ask_core((*core, "--check"), asked)
        data = json.loads(answer)
    except (Refusal, ValueError) as error:
        raise Refusal(Kind.CORE_MISSING) from error
    return None if isinstance(data, dict) and data.get("ok") is True else answer


async def ask_core(core: tuple[str, ...], asked: Asked) -> str:
    """The answer of a core that only reads: it is ended when it is late. Raises Refusal where there is none."""
    reading, writing = os.pipe()
    try:
        with _in_memory(asked.line) as request:
            child = Core(start_core(core, request.fileno(), writing))
    except Refusal:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    grace = 0.0
    try:
        with contextlib.closing(await Answers.of(reading)) as answers:
            answer = await answers.next()
        grace = _GRACE_SECONDS
    finally:
        await child.end(grace)
    return answer


def start_job(core: tuple[str, ...], asked: Asked, answer: int, progress: int) -> Core:
    """A core that changes the computer, as long as it takes. Raises Refusal."""
    with _in_memory(asked.line) as request:
        return Core(start_core(core, request.fileno(), answer, progress))


def _in_memory(line: bytes) -> IO[bytes]:
    """A file that nobody else has: so a long line fills no pipe, and nobody changes it between check and change."""
    file = os.fdopen(os.memfd_create("vitrail-request"), "w+b", 0)
    file.write(line)
    file.seek(0)
    return file


class Answers:
    """What a core says, line by line."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        self._reader = reader
        self._transport = transport

    @classmethod
    async def of(cls, descriptor: int) -> Answers:
        """Those that come from here, which is theirs from now on."""
        reader = asyncio.StreamReader(_MAX_ANSWER)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
        )
        return cls(reader, transport)

    async def next(self) -> str:
        """The next line. Raises Refusal where there is none, or none in time."""
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return (await self._reader.readuntil(b"\n"))[:-1].decode()
        except TimeoutError as error:
            raise Refusal(Kind.CORE_LATE) from error
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError) as error:
            raise Refusal(Kind.CORE_DIED) from error

    def close(self) -> None:
        """Nobody listens any more."""
        self._transport.close()


class Core:
    """A core that was started. `ended` is done when nothing of it is left."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._watched = os.pidfd_open(process.pid)
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._watched, self._over)

    def _over(self) -> None:
        self._loop.remove_reader(self._watched)
        os.close(self._watched)
        self._process.wait()
        self.ended.set_result(None)

    def kill(self) -> None:
        """End it and everything that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self, grace: float) -> None:
        """See it gone, after so many seconds at most; one that stays in the kernel is left to it."""
        # wait and not timeout: in a task that was cancelled, Python 3.11.2 does not keep the latter.
        if grace:
            await asyncio.wait({self.ended}, timeout=grace)
        if not self.ended.done():
            self.kill()
            await asyncio.wait({self.ended}, timeout=_GRACE_SECONDS)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The core as the bus door sees it: a child that reads one line and answers one line.

Separate from the door, so that what does not need the bus can be read and tried without it. A request is looked at only
as far as the permission depends on it; the core looks at it again, and strictly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

from vitrail.model.host_wire import MAX_LINE_BYTES, PROTOCOL, VERBS, Apply, Keep, Kind, Refusal, Undo
from vitrail.model.wire import from_wire

_WRITING = frozenset({"apply", "undo", "keep"})
_ENVELOPE = ("protocol", "id", "verb")
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_MAX_ANSWER = 16 * 1024 * 1024
_READ_SECONDS = 120.0
_GRACE_SECONDS = 5.0


class NoAnswerError(Exception):
    """The core gave none; `name` is the last word of the D-Bus error."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what the question for a password may name of it."""

    verb: str
    line: bytes
    details: tuple[tuple[str, str], ...]

    @property
    def writes(self) -> bool:
        """Whether it must never be broken off."""
        return self.verb in _WRITING


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
    return Asked(verb, line + b"\n", _details(request))


def _details(request: object) -> tuple[tuple[str, str], ...]:
    match request:
        case Apply(plan=plan):
            return (("plan", plan.plan_id),)
        case Keep(plan_id=plan_id) | Undo(plan_id=str(plan_id)):
            return (("plan", plan_id),)
    return ()


def refused(refusal: Refusal) -> str:
    """The core's own form of a refusal; no id, because the request was not taken on."""
    error = {"kind": refusal.kind.value, "args": refusal.args_of}
    return json.dumps({"id": None, "ok": False, "error": error}, separators=(",", ":"))


async def ask_core(core: tuple[str, ...], asked: Asked) -> str:
    """The core's answer. Raises NoAnswerError. One that only reads is ended when it is late; one that writes never."""
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
        raise NoAnswerError("CoreMissing") from error
    answered = False
    try:
        async with asyncio.timeout(None if asked.writes else _READ_SECONDS):
            answer = await _converse(process, asked.line)
            answered = True
            return answer
    except TimeoutError as error:
        raise NoAnswerError("CoreLate") from error
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError) as error:
        raise NoAnswerError("CoreDied") from error
    finally:
        await _end(process, _GRACE_SECONDS if answered else None if asked.writes else 0)


async def _converse(process: asyncio.subprocess.Process, line: bytes) -> str:
    if process.stdin is None or process.stdout is None:
        raise NoAnswerError("CoreMissing")
    # A core that is gone before it has read everything is known by its missing answer.
    with contextlib.suppress(ConnectionError):
        process.stdin.write(line)
        await process.stdin.drain()
        process.stdin.close()
    answer = await process.stdout.readuntil(b"\n")
    return answer[:-1].decode()


async def _end(process: asyncio.subprocess.Process, grace: float | None) -> None:
    """See it gone, after so many seconds at most; None: when it wants to."""
    # No deadline where there is none to wait for: in a task that was cancelled, Python 3.11.2 does not keep one.
    if grace:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await process.wait()
    if grace is not None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.communicate()

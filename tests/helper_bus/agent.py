# SPDX-License-Identifier: GPL-3.0-or-later
"""A polkit agent for one process that does as it is told: `agent.py ADDRESS PID MODE LANGUAGE`.

The mode is allow, deny, dismiss, hold, or a path: of a named pipe, which it reads to the end before it allows.
It runs as root, so it can say itself that somebody has authenticated; a desktop's agent has a setuid program for that.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

AUTHORITY = {
    "destination": "org.freedesktop.PolicyKit1",
    "path": "/org/freedesktop/PolicyKit1/Authority",
    "interface": "org.freedesktop.PolicyKit1.Authority",
}
AGENT = "org.freedesktop.PolicyKit1.AuthenticationAgent"


def say(*words: str) -> None:
    """One line that the test waits for."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def subject(pid: int) -> list[object]:
    """The process as polkit knows it."""
    status = Path(f"/proc/{pid}/status").read_text()
    uid = int(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1])
    start = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return ["unix-process", {"pid": Variant("u", pid), "start-time": Variant("t", start), "uid": Variant("i", uid)}]


async def call(bus: MessageBus, member: str, signature: str, body: list[object]) -> None:
    """Ask polkit; it has to agree."""
    reply = await bus.call(Message(**AUTHORITY, member=member, signature=signature, body=body))
    assert reply is not None
    assert reply.message_type is not MessageType.ERROR, reply.body


async def answer(bus: MessageBus, message: Message, mode: str) -> None:
    """What the person at the screen does."""
    if mode == "hold":
        return
    if mode == "dismiss":
        await bus.send(Message.new_error(message, "org.freedesktop.PolicyKit1.Error.Cancelled", ""))
        return
    if mode.startswith("/"):
        await asyncio.to_thread(Path(mode).read_text)
    if mode == "allow" or mode.startswith("/"):
        cookie, identities = message.body[4], message.body[5]
        await call(bus, "AuthenticationAgentResponse2", "us(sa{sv})", [0, cookie, identities[0]])
    await bus.send(Message.new_method_return(message))


async def main(address: str, pid: int, mode: str, language: str) -> None:
    """Until it is ended."""
    bus = await MessageBus(bus_type=BusType.SYSTEM, bus_address=address).connect()
    running: set[asyncio.Task[None]] = set()

    def on_message(message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != AGENT:
            return None
        if message.member == "CancelAuthentication":
            say("cancelled")
            return Message.new_method_return(message)
        say("asked", message.body[0], message.body[1])
        task = asyncio.create_task(answer(bus, message, mode))
        running.add(task)
        task.add_done_callback(running.discard)
        return True

    bus.add_message_handler(on_message)
    body = [subject(pid), language, "/org/vitrail/TestAgent"]
    await call(bus, "RegisterAuthenticationAgent", "(sa{sv})ss", body)
    say("registered")
    await bus.wait_for_disconnect()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))

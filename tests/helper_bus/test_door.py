# SPDX-License-Identifier: GPL-3.0-or-later
"""The door itself on a real bus: hostile messages, callers that vanish, cores that die, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
from typing import Any

import pytest
from dbus_fast import BusType, Message, MessageFlag, Variant
from dbus_fast.aio import MessageBus

from helper_bus.conftest import ask_raw, pid_of, wait_for
from helper_bus.private_bus import ALLOWED, ELSEWHERE

pytestmark = pytest.mark.real
NAME = "org.vitrail.Helper1"
PATH = "/org/vitrail/Helper1"
DOOR = (NAME, PATH, NAME, "Ask")
ERROR = "org.freedesktop.DBus.Error."
HELLO = '{"protocol":1,"id":"a","verb":"hello"}'


def nested(depth: int) -> Variant:
    """Variants in variants, as deep as the bus lets pass."""
    value = Variant("s", "deep")
    for _ in range(depth):
        value = Variant("v", value)
    return value


@pytest.mark.parametrize(
    ("target", "signature", "body", "error"),
    [
        ((NAME, PATH, NAME, "Apply"), "s", ["{}"], f"{ERROR}UnknownMethod"),
        ((NAME, PATH, NAME, "ask"), "s", ["{}"], f"{ERROR}UnknownMethod"),
        ((NAME, PATH, "org.vitrail.Helper2", "Ask"), "s", ["{}"], f"{ERROR}UnknownInterface"),
        ((NAME, PATH, "org.freedesktop.DBus.Properties", "GetAll"), "s", [NAME], f"{ERROR}UnknownInterface"),
        ((NAME, "/", NAME, "Ask"), "s", ["{}"], f"{ERROR}UnknownObject"),
        (DOOR, "", [], f"{ERROR}InvalidArgs"),
        (DOOR, "ss", ["{}", "{}"], f"{ERROR}InvalidArgs"),
        (DOOR, "ay", [b"{}"], f"{ERROR}InvalidArgs"),
        (DOOR, "v", [Variant("s", HELLO)], f"{ERROR}InvalidArgs"),
        (DOOR, "v", [nested(30)], f"{ERROR}InvalidArgs"),
        (DOOR, "av", [[Variant("u", number) for number in range(100_000)]], f"{ERROR}InvalidArgs"),
        (DOOR, "a{sv}", [{"x": Variant("as", ["y"] * 1000)}], f"{ERROR}InvalidArgs"),
        (DOOR, "h", [0], f"{ERROR}InvalidArgs"),
    ],
)
@pytest.mark.usefixtures("core")
def test_what_is_no_request_is_an_error_and_the_door_stays(bus, target, signature, body, error):
    assert ask_raw(bus, DOOR, HELLO).error_name is None
    door = pid_of(bus, NAME)
    assert ask_raw(bus, target, *body, signature=signature).error_name == error
    assert pid_of(bus, NAME) == door
    assert ask_raw(bus, DOOR, HELLO).error_name is None


@pytest.mark.parametrize(
    ("request_text", "kind"),
    [
        ("", "not-json"),
        ("null", "not-a-request"),
        ("[]", "not-a-request"),
        ("{", "not-json"),
        ('{"protocol":1,"id":"a","verb":"hello"}\n{"protocol":1,"id":"b","verb":"undo"}', "not-json"),
        ('{"protocol":2,"id":"a","verb":"hello"}', "protocol"),
        ('{"protocol":true,"id":"a","verb":"hello"}', "protocol"),
        ('{"protocol":1,"id":"a","verb":"install"}', "verb"),
        ('{"protocol":1,"id":"a","verb":["hello"]}', "verb"),
        ('{"protocol":1,"id":"a","verb":"hello","root":"/tmp"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"undo","plan_id":null,"everything":"yes","force":false}', "fields"),
        (
            '{"protocol":1,"id":"a","verb":"undo","plan_id":"../../etc/shadow","everything":false,"force":false}',
            "fields",
        ),
        ('{"protocol":1,"id":"a","verb":"apply","plan":{"command":"rm"}}', "fields"),
        ("[" * 200_000, "not-json"),
        ('{"protocol":1,"id":"a","verb":"hello","x":' + "[" * 100 + "]" * 100 + "}", "fields"),
        (" " * (2 * 1024 * 1024), "line-too-long"),
        ("é" * (1024 * 1024), "line-too-long"),
    ],
)
def test_a_request_that_cannot_be_carried_out_asks_nobody(bus, core, request_text, kind):
    reply = ask_raw(bus, DOOR, request_text)
    assert json.loads(reply.body[0])["error"]["kind"] == kind
    assert core.log == []


@pytest.mark.parametrize(
    ("request_text", "kind"),
    [
        ('{"protocol":1,"id":"a","id":"b","verb":"status"}', "duplicate-key"),
        ('{"protocol":1,"id":"a/b","verb":"status"}', "not-a-request"),
        ('{"protocol":1,"id":"a","verb":"status","class":"Status"}', "fields"),
    ],
)
def test_the_core_looks_again_and_strictly(bus, request_text, kind):
    assert json.loads(ask_raw(bus, DOOR, request_text).body[0])["error"]["kind"] == kind


@pytest.mark.usefixtures("core")
def test_a_file_descriptor_does_not_reach_the_door(bus):
    assert ask_raw(bus, DOOR, HELLO).error_name is None

    async def send() -> Message:
        connection = MessageBus(bus_type=BusType.SYSTEM, bus_address=bus.address, negotiate_unix_fd=True)
        await connection.connect()
        with open(os.devnull, "rb") as file:  # noqa: ASYNC230, PTH123 - any descriptor will do
            message = Message(
                destination=NAME,
                path=PATH,
                interface=NAME,
                member="Ask",
                signature="h",
                body=[0],
                unix_fds=[file.fileno()],
            )
            async with asyncio.timeout(30):
                reply = await connection.call(message)
        connection.disconnect()
        return reply

    assert asyncio.run(send()).error_name == f"{ERROR}NotSupported"
    assert ask_raw(bus, DOOR, HELLO).error_name is None


@pytest.mark.parametrize(
    "target", [("org.freedesktop.DBus.Properties", "GetAll"), (NAME, "Apply"), ("org.freedesktop.DBus.Peer", "Ping")]
)
def test_the_bus_lets_a_user_send_nothing_else(bus, target):
    command = ("dbus-send", "--system", "--print-reply", f"--dest={NAME}", PATH, ".".join(target), "string:x")
    done = subprocess.run(bus.inside(*command, user=ALLOWED), capture_output=True, text=True, check=False)
    assert "AccessDenied" in done.stderr


def test_a_user_cannot_take_the_name(bus):
    command = ("dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/")
    ask = (*command, "org.freedesktop.DBus.RequestName", f"string:{NAME}", "uint32:4")
    done = subprocess.run(bus.inside(*ask, user=ALLOWED), capture_output=True, text=True, check=False)
    assert "AccessDenied" in done.stderr


@pytest.mark.parametrize("mode", ["die", "silent", "noise"])
def test_a_core_without_an_answer_leaves_a_write_open(caller, core, mode):
    core.behave(mode)
    answer = caller(ALLOWED).asks("undo")
    assert (answer["class"], answer["id"]) == ("Unsettled", "helper.unknown")


def test_a_core_that_dies_while_reading_leaves_nothing_open(caller, core):
    core.behave("die")
    answer = caller(ALLOWED).asks("facts")
    assert (answer["class"], answer["id"]) == ("Unreachable", "helper.no-answer")


def test_a_core_that_is_killed_from_outside_is_noticed(caller, core):
    core.behave("wait")
    user = caller(ALLOWED)
    user.start("undo")
    os.kill(core.wait_until_begun(), signal.SIGKILL)
    assert json.loads(user.read())["id"] == "helper.unknown"


def test_what_is_being_written_outlives_its_caller(bus, caller, core):
    core.behave("wait")
    user = caller(ALLOWED)
    user.start("undo")
    pid = core.wait_until_begun()
    ended = os.pidfd_open(pid)
    user.end()
    # The door has seen it go once it answers someone who came later.
    core.behave("")
    assert ask_raw(bus, DOOR, HELLO).error_name is None
    core.let_go(pid)
    wait_for(ended)
    assert core.log == ["begun undo", "begun hello", "finished hello", "finished undo"]


def test_what_is_only_read_ends_with_its_caller(caller, core):
    core.behave("wait")
    user = caller(ALLOWED)
    user.start("facts")
    pid = core.wait_until_begun()
    ended = os.pidfd_open(pid)
    user.end()
    wait_for(ended)
    assert core.log == ["begun facts"]


def test_two_callers_are_served_at_once(caller, core):
    core.behave("wait")
    first, second = caller(ALLOWED), caller(ALLOWED)
    pids = []
    for user in (first, second):
        user.start("undo")
        pids.append(core.wait_until_begun())
    assert core.log == ["begun undo", "begun undo"]
    for pid in pids:
        core.let_go(pid)
    answers = [json.loads(user.read()) for user in (first, second)]
    assert answers == [{"ok": []}, {"ok": []}]


@pytest.mark.usefixtures("core")
def test_one_user_cannot_hold_every_place(caller, agent):
    users = [caller(ELSEWHERE) for _ in range(9)]
    for user in users[:8]:
        said = agent(user.pid, "hold")
        user.start("undo")
        assert said().startswith("asked")
    waiting = [user.process.stdout for user in users[:8]]
    assert [pipe.readline() for pipe in select.select(waiting, [], [], 0)[0]] == []
    assert users[8].asks("undo")["id"] == "helper.busy"
    assert caller(ALLOWED).asks("undo") == {"ok": []}


def test_who_wants_no_answer_gets_nothing_done(bus, core):
    async def send() -> None:
        connection = await MessageBus(bus_type=BusType.SYSTEM, bus_address=bus.address).connect()
        request = '{"protocol":1,"id":"a","verb":"undo","plan_id":null,"everything":true,"force":false}'
        fields: dict[str, Any] = {"destination": NAME, "path": PATH, "interface": NAME, "member": "Ask"}
        await connection.send(Message(**fields, signature="s", body=[request], flags=MessageFlag.NO_REPLY_EXPECTED))
        # In order behind it: when this one is answered, the first one was looked at.
        assert (await connection.call(Message(**fields, signature="s", body=[HELLO]))).error_name is None
        connection.disconnect()

    asyncio.run(send())
    assert core.log == ["begun hello", "finished hello"]


@pytest.mark.usefixtures("core")
def test_the_core_gets_a_clean_environment(bus):
    reply = ask_raw(bus, DOOR, '{"protocol":1,"id":"a","verb":"status"}')
    assert set(json.loads(reply.body[0])["result"]["unreadable"]) <= {"HOME", "LC_ALL", "PATH", "LC_CTYPE"}


def test_the_door_does_not_leave_in_the_middle_of_a_write(bus, caller, core):
    core.behave("wait")
    user = caller(ALLOWED)
    user.start("undo")
    pid = core.wait_until_begun()
    ended = os.pidfd_open(pid_of(bus, NAME))
    os.kill(pid_of(bus, NAME), signal.SIGTERM)
    core.let_go(pid)
    assert json.loads(user.read()) == {"ok": []}
    wait_for(ended)


@pytest.mark.usefixtures("core", "no_door")
def test_the_door_leaves_when_nobody_comes_and_is_started_again(bus):
    home = "/usr/local/lib/vitrail"
    command = ("/usr/bin/python3", "-I", f"{home}/vitrail-helper-bus", "--core", f"{home}/vitrail-helper.pyz")
    done = subprocess.run(bus.inside(*command, "--idle", "0.2"), timeout=30, check=False)
    assert done.returncode == 0
    with pytest.raises(LookupError):
        pid_of(bus, NAME)
    assert ask_raw(bus, DOOR, HELLO).error_name is None


@pytest.mark.usefixtures("core")
def test_a_second_door_leaves_at_once(bus):
    assert ask_raw(bus, DOOR, HELLO).error_name is None
    door = pid_of(bus, NAME)
    home = "/usr/local/lib/vitrail"
    command = ("/usr/bin/python3", "-I", f"{home}/vitrail-helper-bus", "--core", f"{home}/vitrail-helper.pyz")
    done = subprocess.run(bus.inside(*command), timeout=20, check=False)
    assert (done.returncode, pid_of(bus, NAME)) == (0, door)

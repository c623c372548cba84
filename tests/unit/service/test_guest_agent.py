# SPDX-License-Identifier: GPL-3.0-or-later
"""What VMs say of their cards: understood where it is a load, and nothing but a reason of ours where it is not."""

from __future__ import annotations

import json

import pytest

from fakes.looking import value
from fakes.scripted_agent import NVIDIA, Script, command_of
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import Silence, silence_of
from vitrail.service.asked_guests import AskedGuests
from vitrail.service.guest_agent import GuestAgent
from vitrail.service.guest_reply import amd_load, nvidia_load, windows_load
from vitrail.service.state import StateFolder

UUID = "5d1f0000-0000-4000-8000-000000000001"
NVIDIA_VENDOR, AMD_VENDOR = 0x10DE, 0x1002
HUGE = "1" + "0" * 30


def ask(script, vendor=NVIDIA_VENDOR, agent=None):
    return (agent or GuestAgent(vendor, _waits=(0.0, 0.0))).ask(command_of(script))


def numbers(told):
    assert isinstance(told, Known), told
    load = told.value
    return [
        value(one)
        for one in (load.load_percent, load.memory_used_mib, load.memory_total_mib, load.temperature_c, load.power_w)
    ]


def test_nvidias_own_tool_is_run_with_fixed_words_and_understood():
    script = Script()
    assert numbers(ask(script)) == [37.0, 1024, 8192, 55.0, 87.32]
    (run,) = [line["arguments"] for line in script.lines if line["execute"] == "guest-exec"]
    assert (run["path"], run["arg"][1]) == ("nvidia-smi", "--format=csv,noheader,nounits")


def test_what_it_says_is_labelled_as_the_guests():
    told = ask(Script())
    assert isinstance(told, Known)
    assert told.source == "reported by the guest"


def test_the_agent_is_asked_once_what_it_can():
    script, agent = Script(), GuestAgent(NVIDIA_VENDOR, _waits=(0.0,))
    for _ in range(3):
        ask(script, agent=agent)
    assert (script.asked("guest-info"), script.asked("guest-exec")) == (1, 3)


def test_amds_files_are_read():
    output = "".join(
        f"/sys/class/drm/card1/device/{name}:{number}\n"
        for name, number in (
            ("gpu_busy_percent", 12),
            ("mem_info_vram_used", 512 << 20),
            ("mem_info_vram_total", 8 << 30),
        )
    )
    script = Script(output)
    script.code = 2
    assert numbers(ask(script, AMD_VENDOR))[:3] == [12.0, 512, 8192]


def test_windows_counters_are_understood_in_any_language():
    output = "E,0x00000000_0x0000C8F5,0,41\r\nE,0x00000000_0x0000C8F5,1,3\r\nM,0x00000000_0x0000C8F5,1073741824\r\n"
    script = Script(output + "E,0x00000000_0x0000FFFF,0,0\r\nM,0x00000000_0x0000FFFF,0\r\n")
    script.os = "mswindows"
    assert numbers(ask(script))[:2] == [41.0, 1024]
    (run,) = [line["arguments"] for line in script.lines if line["execute"] == "guest-exec"]
    assert "typeperf" not in json.dumps(run)
    assert '"' not in run["arg"][-1]


def test_a_guest_that_forbids_programs_is_blocked_and_says_why():
    script = Script()
    script.enabled = False
    assert silence_of(ask(script)) is Silence.BLOCKED_IN_GUEST
    assert script.asked("guest-exec") == 0
    script = Script()
    script.errors["guest-exec"] = "Command guest-exec has been disabled"
    assert silence_of(ask(script)) is Silence.BLOCKED_IN_GUEST


def test_a_guest_without_the_tool_says_that_it_is_missing():
    script = Script()
    script.errors["guest-exec"] = "Failed to execute child process"
    assert value(ask(script)) == "load.needs-agent.no-tool"
    script = Script()
    script.code = 127
    assert value(ask(script)) == "load.needs-agent.no-tool"


def test_a_program_that_does_not_end_is_not_started_a_second_time():
    script, agent = Script(), GuestAgent(NVIDIA_VENDOR, _waits=(0.0, 0.0))
    script.ends = False
    for _ in range(3):
        assert value(ask(script, agent=agent)) == "load.stale.guest-late"
    assert script.asked("guest-exec") == 1
    script.ends = True
    assert isinstance(ask(script, agent=agent), Known)


def test_a_card_that_nobody_can_ask_for_cheaply_runs_nothing():
    script = Script()
    assert silence_of(ask(script, 0x8086)) is Silence.UNSUPPORTED
    assert script.asked("guest-exec") == 0


HOSTILE = {
    "no JSON": "hello",
    "nothing": "",
    "not an object": "[1]",
    "a string": '"x"',
    "null": "null",
    "deep": "[" * 5000,
    "a huge number": HUGE,
    "far too many digits": "9" * 6000,
    "huge": '{"return": {"pid": 1, "x": "' + "a" * 70_000 + '"}}',
    "no return": "{}",
    "a list for a return": '{"return": [1]}',
    "null for a return": '{"return": null}',
    "no pid": '{"return": {}}',
    "a pid of words": '{"return": {"pid": "\\u001b[2J"}}',
    "a negative pid": '{"return": {"pid": -1}}',
    "a true pid": '{"return": {"pid": true}}',
    "an endless pid": f'{{"return": {{"pid": {HUGE}}}}}',
    "NaN": '{"return": {"pid": NaN}}',
    "exited by words": '{"return": {"exited": "yes"}}',
    "output by number": '{"return": {"exited": true, "exitcode": 0, "out-data": 7}}',
    "output that is no base64": '{"return": {"exited": true, "exitcode": 0, "out-data": "%%%"}}',
    "a code by words": '{"return": {"exited": true, "exitcode": "0", "out-data": ""}}',
    "cut off": '{"return": {"exited": true, "exitcode": 0, "out-data": "MQ==", "out-truncated": true}}',
    "an error by words": '{"error": "x"}',
    "commands by number": '{"return": {"supported_commands": 7}}',
    "commands of numbers": '{"return": {"supported_commands": [7]}}',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("question", ["guest-info", "guest-get-osinfo", "guest-exec", "guest-exec-status"])
def test_a_hostile_answer_is_unknown_with_a_reason_of_ours(name, question):
    script = Script()
    script.raw[question] = HOSTILE[name]
    told = ask(script)
    if isinstance(told, Known):
        # What the system is called may be left out; then it is not Windows.
        assert question == "guest-get-osinfo"
        return
    assert silence_of(told) in (Silence.FAILED, Silence.NEEDS_AGENT, Silence.BLOCKED_IN_GUEST)
    assert told.reason.args == ()


@pytest.mark.parametrize("parse", [nvidia_load, amd_load, windows_load])
@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xfe",
        b"\x1b[2J\x1b]0;owned\x07",
        b"-1, -1, -1, -1, -1",
        f"{HUGE}, {HUGE}, {HUGE}, {HUGE}, {HUGE}".encode(),
        b"101, 99999999, 99999999, 999, 99999",
        b"nan, inf, 1e5, 0x10, 1_000",
        b"E,0x0_0x0,0,-5\nM,0x0_0x0,-1",
        f"M,0x0_0x0,{HUGE}".encode(),
        b"/sys/class/drm/card0/device/gpu_busy_percent:-1",
        b"/etc/shadow:1",
        b"1,2,3",
        b",,,,",
        b"1\n" * 100_000,
        "３７, 1, 1, 1, 1".encode(),
    ],
)
def test_output_that_is_no_load_gives_no_number(parse, said):
    told = parse(said)
    if isinstance(told, Known):
        load = told.value
        every = (load.load_percent, load.memory_used_mib, load.memory_total_mib, load.temperature_c, load.power_w)
        assert all(isinstance(one, Unknown) and one.reason.args == () for one in every)
    else:
        assert told.reason.args == ()


def test_what_the_tool_does_not_know_is_not_a_number():
    told = nvidia_load(b"[N/A], 1024, 8192, [Not Supported], [N/A]\n")
    assert numbers(told) == [
        *("load.unsupported.guest", 1024, 8192),
        *("load.unsupported.guest", "load.unsupported.guest"),
    ]


def test_two_cards_in_one_vm_are_not_told_apart():
    assert value(nvidia_load((NVIDIA * 2).encode())) == "load.unsupported.guest-several"


def test_nobody_is_asked_before_the_user_said_so_and_it_lasts(tmp_path):
    state = StateFolder(tmp_path / "state")
    assert AskedGuests(state).all() == frozenset()
    AskedGuests(state).put(UUID, asks=True)
    assert AskedGuests(state).all() == {UUID}
    AskedGuests(state).put(UUID, asks=False)
    assert AskedGuests(state).all() == frozenset()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2, "ask": []}', '{"format": 1, "ask": 7}', "[" * 9999])
def test_a_choice_that_cannot_be_read_asks_nobody(tmp_path, content):
    state = StateFolder(tmp_path)
    (tmp_path / "asked-guests.json").write_text(content, "utf-8")
    assert AskedGuests(state).all() == frozenset()

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail load`: one object a line a tick, no nulls, and a table for people."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from fakes import contract
from fakes.contract import wrong
from fakes.hosts import at
from vitrail.cli import load as command
from vitrail.cli.json_load import json_load
from vitrail.cli.json_values import print_json
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, EngineLoad, LoadSource, Sample, VmSample
from vitrail.model.text import text

WHY = Unknown(text("load.idle.asleep"))
CARD = at("01:00.0")


def known(value):
    return Known(value, "test")


def everything() -> Sample:
    """A tick with every key, one with as few as there can be, one that is not known."""
    full = CardSample(
        CARD,
        known(41.27),
        known(100),
        known(8192),
        (EngineLoad("core", 41.27),),
        known(45.04),
        known(33.0),
        known(20),
        known(1200),
        known(1905),
        known(("heat",)),
        known("16.0 GT/s PCIe x16"),
    )
    bare = CardSample(at("02:00.0"), WHY, WHY, WHY)
    share = VmSample(
        "5d1f0000-0000-4000-8000-000000000001",
        "win11",
        CARD,
        LoadSource.NVML_SHARE,
        known(25.0),
        known(100.0),
        known(3072),
        known(4096),
        (),
        known(58.0),
        known(16.5),
    )
    of_share = VmSample("5d1f0000-0000-4000-8000-000000000002", "b", CARD, LoadSource.PMU, WHY, known(40.0), WHY)
    asleep = VmSample("5d1f0000-0000-4000-8000-000000000003", "c", CARD, None, WHY, None, WHY)
    none = VmSample("5d1f0000-0000-4000-8000-000000000004", "no card")
    return Sample(1_763_640_000.4, known((full, bare)), known((share, of_share, asleep, none)))


def test_a_tick_has_the_contracts_shape_and_no_nulls(capsys):
    print_json(json_load(everything()))
    said = capsys.readouterr().out
    assert "null" not in said
    told = json.loads(said)
    assert (told["schema"], told["taken_at"]) == (1, "2025-11-20T12:00:00Z")
    assert wrong(contract.LOAD, told) == []


def test_what_applies_is_there_and_the_rest_is_left_out():
    told = json_load(everything())
    full, bare = told["gpus"]
    assert full["load_percent"] == 41.3
    assert set(bare) == {"address", "load_percent", "memory_used_mib", "memory_total_mib"}
    assert set(bare["load_percent"]) == {"unknown"}
    share, of_share, asleep, none = told["vms"]
    assert (share["load_percent"], share["of"], share["source"]) == (25.0, "card", "nvml-vgpu")
    assert (share["frame_rate_fps"], share["latency_ms"]) == (58.0, 16.5)
    assert (of_share["load_percent"], of_share["of"]) == (40.0, "share")
    assert set(asleep) == {"uuid", "name", "gpu", "load_percent", "of", "memory_used_mib"}
    assert set(none) == {"uuid", "name"}


def test_without_a_count_and_a_terminal_it_is_one_tick(vitrail, machine):
    said = vitrail("load", "--machine", machine, "--json")
    assert said.code == 0
    assert len(said.out.splitlines()) == 1
    assert wrong(contract.LOAD, said.json) == []
    assert len(said.json["gpus"]) == 2


def test_a_count_is_so_many_lines_each_whole(vitrail, machine):
    said = vitrail("load", "--machine", machine, "--json", "--count", "3", "--interval", "0.1")
    assert said.code == 0
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [wrong(contract.LOAD, line) for line in lines] == [[], [], []]


def test_the_demo_machine_says_for_every_card_why_it_is_not_measured(vitrail):
    said = vitrail("load", "--machine", "demo", "--json")
    assert said.code == 0
    assert all("recording" in card["load_percent"]["unknown"] for card in said.json["gpus"])


def test_this_computer_is_read_without_libvirt(vitrail, tmp_path):
    uri = f"qemu:///system?socket={tmp_path}/nothing"
    said = vitrail("load", "--connect", uri, "--json", "--interval", "0.1")
    assert said.code == 0
    assert set(said.json["vms"]) == {"unknown"}
    assert isinstance(said.json["gpus"], list)


def test_the_table_says_each_reason_once(vitrail, machine):
    said = vitrail("load", "--machine", machine, "--count", "1")
    assert said.code == 0
    assert said.out.count("This is a recording") == 1
    assert "unknown (1)" in said.out
    assert "\x1b" not in said.out


@pytest.mark.parametrize(
    "words",
    [
        ("--interval", "0"),
        ("--interval", "-1"),
        ("--interval", "nan"),
        ("--interval", "inf"),
        ("--interval", "x"),
        ("--count", "0"),
        ("--count", "-3"),
        ("--count", "1.5"),
        ("--lspci", "x"),
    ],
)
def test_words_that_mean_nothing_are_a_usage_error(vitrail, machine, words):
    said = vitrail("load", "--machine", machine, *words, "--json")
    assert said.code == 3
    assert wrong(contract.ERROR, said.json) == []


def test_a_machine_whose_devices_cannot_be_read_is_not_measured(vitrail, monkeypatch):
    class Blind:
        kind, measures, label = command.MachineKind.REAL, False, text("tests.blind")

        def __init__(self) -> None:
            self.host = type("Host", (), {"devices": WHY})

        def tick(self):
            return Sample(0.0, WHY, WHY)

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(command, "open_load", lambda *_: Blind())
    said = vitrail("load", "--json")
    assert said.code == 2
    assert set(said.json["gpus"]) == {"unknown"}


def test_on_a_terminal_the_table_refreshes_until_it_is_interrupted(machine, tmp_path):
    leader, follower = pty.openpty()
    environment = os.environ | {"VITRAIL_STATE_DIR": str(tmp_path), "TERM": "xterm", "LANGUAGE": "en"}
    words = [sys.executable, "-m", "vitrail", "load", "--machine", str(machine), "--interval", "0.1"]
    with subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        seen = b""
        while seen.count(b"\x1b[H\x1b[J") < 3:
            seen += os.read(leader, 65536)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                if not os.read(leader, 65536):
                    break
            except OSError:
                break
        assert process.wait() == 0
        deadline.cancel()
    os.close(leader)
    assert b"Ctrl+C" in seen


def test_a_reader_that_leaves_ends_it(machine, tmp_path):
    environment = os.environ | {"VITRAIL_STATE_DIR": str(tmp_path)}
    words = [sys.executable, "-m", "vitrail", "load", "--machine", str(machine), "--json", "--interval", "0.1"]
    with subprocess.Popen([*words, "--count", "1000000"], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"schema": 1')
        process.stdout.close()
        assert process.wait(60) == 0

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded computer whose start has to change, through every command, each in a process of its own.

Plan, apply, status, verify, history, undo: the contract to the letter, and every byte as before.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from fakes import contract
from integration.terminal import Said, vitrail

TESTS = Path(__file__).resolve().parents[1]
_ONLY_SHOWN = ("nixos", "cachyos-limine")
"""What Vitrail never writes: NixOS, and a start whose passphrase would be asked for on a dark screen."""


def _restarts(*, written: bool = True) -> list[tuple[str, str, str]]:
    """Machine, VM and card of every golden case that needs a restart."""
    table = tomllib.loads((TESTS / "cases" / "cases.toml").read_text("utf-8"))
    return [
        (machine, name.split("--")[0], case["gpu"])
        for machine, cases in table.items()
        for name, case in cases.items()
        if name.endswith("--passthrough--restart") and (machine not in _ONLY_SHOWN) is written
    ]


class Commands:
    """The commands on one recorded computer."""

    def __init__(self, machine: str, vm: str, gpu: str) -> None:
        self.place = ("--machine", str(TESTS / "machines" / machine))
        self.choice = ("--vm", vm, "--mode", "passthrough", "--gpu", gpu)

    def ask(self, command: str, *words: str, schema: object = None) -> Said:
        said = vitrail(command, *words, *self.place, "--json")
        if schema is not None:
            assert contract.wrong(schema, said.json) == []
        return said


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", _restarts(), ids=lambda where: where[0])
def test_apply_status_verify_undo_leave_every_byte_as_it_was(where, state):
    commands = Commands(*where)
    recording = _files(Path(commands.place[1]))
    planned = commands.ask("plan", *commands.choice, schema=contract.PLAN)
    plan = planned.json
    assert (planned.code, plan["needs_reboot"], plan["guard"] is not None) == (0, True, True)
    assert all(step["writable"] and step["undo"] for phase in plan["phases"] for step in phase["steps"])
    applied = commands.ask("apply", *commands.choice, "--yes", schema=contract.RUN)
    assert (applied.code, applied.json["result"], applied.json["plan_id"]) == (0, "awaiting_keep", plan["plan_id"])
    waiting = commands.ask("status", schema=contract.STATUS)
    assert (waiting.code, [one["plan_id"] for one in waiting.json["awaiting"]]) == (1, [plan["plan_id"]])
    promised = commands.ask("verify", schema=contract.VERIFY)
    assert promised.code == 2
    assert "broken" not in {one["result"] for one in promised.json["outcomes"]}
    listed = commands.ask("history", schema=contract.HISTORY)
    assert [one["state"] for one in listed.json["plans"]] == ["awaiting_keep"]
    undone = commands.ask("undo", plan["plan_id"], schema=contract.RUN)
    assert (undone.code, undone.json["result"]) == (0, "taken_back")
    assert commands.ask("status", schema=contract.STATUS).code == 0
    assert not [path for path in _files(state) if "/host/files/" in path or "/config/" in path]
    assert _files(Path(commands.place[1])) == recording


@pytest.mark.parametrize("where", _restarts(written=False), ids=lambda where: where[0])
def test_what_is_only_shown_is_refused_with_the_reason(where, state):
    commands = Commands(*where)
    assert commands.ask("plan", *commands.choice, schema=contract.PLAN).code == 0
    refused = commands.ask("apply", *commands.choice, "--yes", schema=contract.REFUSED)
    assert refused.code == 1
    assert not (state / "runs").exists()


def test_a_plans_file_is_planned_anew_and_applied(state, tmp_path):
    commands = Commands(*_restarts()[0])
    file = tmp_path / "PLAN.json"
    plan = commands.ask("plan", *commands.choice)
    document = plan.json
    for phase in document["phases"]:
        phase["steps"] = [{"kind": "write-file", "subject": "/etc/passwd"}]
    file.write_text(json.dumps(document), "utf-8")
    applied = commands.ask("apply", str(file), "--yes", schema=contract.RUN)
    assert (applied.code, applied.json["result"]) == (0, "awaiting_keep")
    assert "/etc/passwd" not in {step["subject"] for step in applied.json["steps"]}
    again = commands.ask("apply", str(file), "--yes", schema=contract.REFUSED)
    assert again.code == 1
    assert commands.ask("status").code == 1
    assert vitrail("status", "--json").json["awaiting"] == []
    assert vitrail("status", "--machine", "demo").code == 0
    assert state.exists()


def test_everything_is_taken_back_newest_first_with_one_preview(state):
    commands = Commands(*_restarts()[0])
    vm = commands.choice[1]
    commands.ask("apply", "--vm", vm, "--mode", "basic", "--yes")
    commands.ask("apply", *commands.choice, "--yes")
    shown = vitrail("undo", "--all", "--yes", *commands.place)
    assert shown.code == 0
    assert shown.out.index("/etc/") < shown.out.index(f"from {vm}")
    assert "What stays on this computer after that" in shown.out
    assert {one["state"] for one in commands.ask("history").json["plans"]} == {"taken_back"}
    assert state.exists()


def test_people_read_what_is_written_when_and_how_safe_it_is():
    commands = Commands(*_restarts()[0])
    said = vitrail("plan", *commands.choice, *commands.place)
    assert said.code == 0
    assert "If the computer does not come up as it should" in said.out
    assert "This needs a restart of this computer." in " ".join(said.out.split())
    only = vitrail("plan", "--diff", *commands.choice, *commands.place)
    assert only.out.startswith("--- ")
    assert "vitrail-guard.service" in only.out


@pytest.mark.parametrize("words", [(), ("0123456789abcdef",), ("--without-screen",), ("--more-time",)])
def test_keep_is_not_for_recorded_computers(words, state):
    commands = Commands(*_restarts()[0])
    said = commands.ask("keep", *words, schema=contract.ERROR)
    assert said.code == 3
    assert not state.exists()


def test_keep_without_anything_to_keep_is_refused(state):
    said = vitrail("keep", "--json")
    assert (said.code, contract.wrong(contract.ERROR, said.json)) == (1, [])
    assert "keep.nothing" in said.json["error"]["id"]
    assert not (state / "runs").exists()


def test_a_login_without_anything_to_answer_opens_nothing_and_drops_what_started_it(state, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    entry = tmp_path / "autostart" / "org.vitrail.Vitrail.Resume.desktop"
    entry.parent.mkdir()
    entry.write_text("[Desktop Entry]\nComment=Written by Vitrail. Take it back with: vitrail undo\n", "utf-8")
    said = vitrail("--resume")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert not entry.exists()
    assert not (state / "runs").exists()

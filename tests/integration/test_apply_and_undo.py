# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way on a real libvirtd, each verb in a process of its own."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from integration.terminal import vitrail, vitrail_killed

pytestmark = pytest.mark.real

VIRTUAL_MODES = ("virtio", "qxl", "basic")
MODEL = {"virtio": "type='virtio'", "qxl": "type='qxl'", "basic": "type='vga'"}


@pytest.fixture(autouse=True)
def _in_its_own_state(state: Path) -> Path:
    return state


def _apply(daemon: PrivateLibvirt, guest: Guest, mode: str = "virtio") -> str:
    said = vitrail("apply", "--vm", guest.name, "--mode", mode, "--yes", "--json", "--connect", daemon.uri)
    assert said.code == 0, said
    assert said.json["result"] == "applied"
    return str(said.json["plan_id"])


def _undo(daemon: PrivateLibvirt, *words: str) -> tuple[int, dict[str, object]]:
    said = vitrail("undo", *words, "--yes", "--json", "--connect", daemon.uri)
    return said.code, said.json


@pytest.mark.parametrize("mode", VIRTUAL_MODES)
def test_a_mode_is_applied_verified_and_taken_back_to_the_byte(daemon: PrivateLibvirt, guest: Guest, mode: str):
    if mode == "basic":
        guest.edit("type='vga' vram='16384'", "type='cirrus' vram='16384'")
    before = guest.text()
    plan = _apply(daemon, guest, mode)
    assert MODEL[mode] in guest.text()
    verified = vitrail("verify", plan, "--json", "--connect", daemon.uri)
    assert verified.code == 0
    assert {outcome["result"] for outcome in verified.json["outcomes"]} == {"kept"}
    code, said = _undo(daemon)
    assert (code, said["result"]) == (0, "taken_back")
    assert guest.text() == before
    taken_back = vitrail("verify", plan, "--json", "--connect", daemon.uri)
    assert {outcome["result"] for outcome in taken_back.json["outcomes"]} == {"kept"}
    history = vitrail("history", "--json", "--connect", daemon.uri).json["plans"]
    assert [(entry["plan_id"], entry["state"]) for entry in history] == [(plan, "taken_back")]


@pytest.mark.parametrize("mode", ["virtio", "basic"])
def test_the_vm_starts_with_what_was_written(daemon: PrivateLibvirt, guest: Guest, mode: str):
    if mode == "basic":
        guest.edit("type='vga' vram='16384'", "type='cirrus' vram='16384'")
    _apply(daemon, guest, mode)
    guest.domain.create()
    assert MODEL[mode] in guest.domain.XMLDesc(0)
    guest.domain.destroy()


@pytest.mark.parametrize(("moment", "result"), [("before", "nothing_to_do"), ("after", "taken_back")])
@pytest.mark.parametrize("mode", ["virtio", "qxl"])
def test_killed_at_the_write_then_undone(daemon: PrivateLibvirt, guest: Guest, moment: str, result: str, mode: str):
    before = guest.text()
    words = ("apply", "--vm", guest.name, "--mode", mode, "--yes", "--json", "--connect", daemon.uri)
    assert vitrail_killed(moment, *words) == -signal.SIGKILL
    assert (guest.text() == before) is (moment == "before")
    history = vitrail("history", "--json", "--connect", daemon.uri).json["plans"]
    assert [entry["state"] for entry in history] == ["interrupted"]
    code, said = _undo(daemon)
    assert (code, said["result"]) == (0, result)
    assert guest.text() == before
    history = vitrail("history", "--json", "--connect", daemon.uri).json["plans"]
    assert [entry["state"] for entry in history] == ["taken_back"]


def test_what_others_edited_since_stays(daemon: PrivateLibvirt, guest: Guest):
    _apply(daemon, guest)
    guest.edit("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
    code, said = _undo(daemon)
    assert (code, said["result"]) == (0, "taken_back")
    assert said["steps"][0]["result"] == "merged"  # type: ignore[index]
    assert "type='vga'" in guest.text()
    assert "<vcpu placement='static'>2<" in guest.text()


def test_force_restores_exactly_and_keeps_what_it_replaced(daemon: PrivateLibvirt, guest: Guest, state: Path):
    before = guest.text()
    _apply(daemon, guest)
    edited = guest.edit("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
    code, said = _undo(daemon, "--force")
    assert (code, said["result"]) == (0, "taken_back")
    assert guest.text() == before
    kept = re.search(rf"{state}/objects/[0-9a-f]{{64}}", str(said["steps"]))
    assert kept is not None
    assert Path(kept[0]).read_text() == edited


def test_a_plan_made_before_an_edit_is_refused(daemon: PrivateLibvirt, guest: Guest, tmp_path: Path):
    planned = vitrail("plan", "--vm", guest.name, "--mode", "virtio", "--json", "--connect", daemon.uri)
    file = tmp_path / "plan.json"
    file.write_text(planned.out)
    edited = guest.edit("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
    said = vitrail("apply", str(file), "--yes", "--json", "--connect", daemon.uri)
    assert said.code == 1
    assert guest.text() == edited


def test_the_older_plan_of_a_vm_waits_for_the_later_one(daemon: PrivateLibvirt, guest: Guest):
    before = guest.text()
    first, second = _apply(daemon, guest, "virtio"), _apply(daemon, guest, "qxl")
    code, said = _undo(daemon, first)
    assert code == 1
    assert second in str(said["error"])
    code, said = _undo(daemon, "--all")
    assert code == 0
    assert guest.text() == before


def test_a_vm_that_vanished_leaves_the_command_that_restores_it(daemon: PrivateLibvirt, guest: Guest):
    before = guest.text()
    _apply(daemon, guest)
    guest.domain.undefine()
    code, said = _undo(daemon)
    assert (code, said["result"]) == (5, "incomplete")
    line = re.search(r"virsh -c '?[^ ]+ define (\S+/objects/[0-9a-f]{64})", str(said["steps"]))
    assert line is not None
    assert Path(line[1]).read_text() == before


def test_a_daemon_that_hangs_is_unreachable_and_nothing_is_written(daemon: PrivateLibvirt, guest: Guest, state: Path):
    before = guest.text()
    daemon.pause()
    try:
        said = vitrail(
            "apply", "--vm", guest.name, "--mode", "virtio", "--yes", "--json", "--connect", daemon.uri, seconds=15
        )
    finally:
        daemon.resume()
    assert said.code == 2
    assert said.json["error"]["next"]
    assert guest.text() == before
    assert not (state / "runs").exists()


def test_what_is_so_already_is_nothing_to_do(daemon: PrivateLibvirt, guest: Guest):
    _apply(daemon, guest)
    said = vitrail("apply", "--vm", guest.name, "--mode", "virtio", "--yes", "--json", "--connect", daemon.uri)
    assert (said.code, said.json["result"]) == (0, "nothing_to_do")


def test_no_output_shows_a_password(daemon: PrivateLibvirt, guest: Guest):
    for words in (
        ("scan", "--json"),
        ("plan", "--vm", guest.name, "--mode", "virtio", "--json"),
        ("plan", "--vm", guest.name, "--mode", "virtio", "--diff"),
        ("apply", "--vm", guest.name, "--mode", "virtio", "--yes"),
        ("verify", "--json"),
        ("undo", "--yes"),
    ):
        said = vitrail(*words, "--connect", daemon.uri)
        assert "canary-8" not in said.out + said.err
    assert "canary-8" in guest.text()

# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine and its libvirt as a file, and that file as a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from vitrail.model.choice import Virtio
from vitrail.model.errors import Refused
from vitrail.model.outcome import RunResult
from vitrail.model.reading import Known, Unknown
from vitrail.service.places import open_place
from vitrail.service.record import record

pytestmark = pytest.mark.real


def test_what_was_recorded_can_be_planned_on_and_changed_in_a_copy(
    daemon: PrivateLibvirt, guest: Guest, tmp_path: Path, state: Path
):
    file = tmp_path / "machine.tar.xz"
    recorded = record(str(file), daemon.uri)
    members = recorded.members
    assert recorded.left_out == ()
    assert "machine.toml" in members
    assert b"canary-8" not in file.read_bytes()
    content = file.read_bytes()
    place = open_place(str(file), None)
    host = place.read()
    assert isinstance(host.devices, Known)
    assert isinstance(host.vms, Known)
    assert guest.name in [vm.name for vm in host.vms.value]
    vm = place.find_vm(host, guest.name)
    assert vm.uuid != guest.uuid
    plan = place.plan(host, vm, Virtio())
    assert place.apply(plan).result is RunResult.APPLIED
    assert "type='virtio'" in place.find_vm(place.read(), guest.name).text
    assert [outcome.result for outcome in place.undo()] == [RunResult.TAKEN_BACK]
    assert place.find_vm(place.read(), guest.name).text == vm.text
    assert file.read_bytes() == content
    assert (state / "simulated").is_dir()
    assert "type='vga'" in guest.text()


def test_a_file_that_is_there_stays(daemon: PrivateLibvirt, tmp_path: Path):
    file = tmp_path / "machine.tar.xz"
    file.write_text("mine")
    with pytest.raises(Refused):
        record(str(file), daemon.uri)
    assert file.read_text() == "mine"


def test_without_a_libvirt_the_machine_is_recorded_without_vms(tmp_path: Path, state: Path):
    file = tmp_path / "machine.tar.xz"
    recorded = record(str(file), f"qemu:///system?socket={tmp_path}/nothing")
    assert [one.id for one in recorded.left_out] == ["service.record.no-vms"]
    host = open_place(str(file), None).read()
    assert isinstance(host.vms, Unknown)
    assert not state.exists()


def test_another_computer_is_not_recorded(tmp_path: Path):
    with pytest.raises(Refused):
        record(str(tmp_path / "machine.tar.xz"), "qemu+ssh://host/system")

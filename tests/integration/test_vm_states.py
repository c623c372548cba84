# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that run, sleep or only exist while they run; and a daemon that stops answering in the middle of a write."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import DOMAIN, Guest
from integration.private_libvirt import PrivateLibvirt
from integration.terminal import vitrail
from vitrail.model.choice import Virtio
from vitrail.model.errors import Refused
from vitrail.model.machine import Host
from vitrail.model.outcome import PromiseResult, RunResult, RunState
from vitrail.model.reading import Known
from vitrail.model.vm import VmState
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace

pytestmark = pytest.mark.real

_HANGS_AT_DEFINE = """
import os, signal, sys
from vitrail.service import libvirt_store
from vitrail.__main__ import main
daemon, *words = sys.argv[1:]
define = libvirt_store.LibvirtStore.define
signal.signal(signal.SIGINT, signal.default_int_handler)
def hanging(self, uuid, text, *, strict):
    os.kill(int(daemon), signal.SIGSTOP)
    define(self, uuid, text, strict=strict)
libvirt_store.LibvirtStore.define = hanging
libvirt_store._DEFINE_SECONDS = 1.0
sys.exit(main(words))
"""


@pytest.fixture
def place(daemon: PrivateLibvirt, state: Path) -> Iterator[Workplace]:
    assert not state.exists()
    opened = open_place(None, daemon.uri)
    yield opened
    opened.close()


def _apply(place: Workplace, guest: Guest):
    host: Host = place.read()
    return place.apply(place.plan(host, place.find_vm(host, guest.name), Virtio()))


def test_a_running_vm_keeps_its_screen_until_its_next_start(place: Workplace, guest: Guest):
    guest.domain.create()
    vm = place.find_vm(place.read(), guest.name)
    assert vm.state == Known(VmState.RUNNING, vm.state.source)  # type: ignore[union-attr]
    (step,) = _apply(place, guest).steps
    assert step.detail is not None
    assert step.detail.id == "service.vm.at-next-start"
    assert "type='vga'" in guest.domain.XMLDesc(0)
    assert "type='virtio'" in guest.text()
    later = place.verify()
    assert {one.result for one in later} == {PromiseResult.KEPT}
    assert {one.step.id for one in later} == {"service.verify.has-later"}
    assert later[0].evidence[-1].value == "vga"
    guest.domain.destroy()
    guest.domain.create()
    assert {one.step.id for one in place.verify()} == {"service.verify.has"}
    (undone,) = place.undo()
    assert undone.result is RunResult.TAKEN_BACK
    guest.domain.destroy()


def test_a_saved_vm_is_told_that_it_wakes_with_the_old_settings(place: Workplace, guest: Guest):
    guest.domain.create()
    guest.domain.managedSave()
    vm = place.find_vm(place.read(), guest.name)
    assert vm.state == Known(VmState.SAVED, vm.state.source)  # type: ignore[union-attr]
    assert vm.has_managed_save == Known(True, vm.has_managed_save.source)  # type: ignore[union-attr]  # noqa: FBT003
    (step,) = _apply(place, guest).steps
    assert step.detail is not None
    assert step.detail.id == "service.vm.saved-image-keeps-old"
    guest.domain.managedSaveRemove()


def test_a_vm_that_exists_only_while_it_runs_is_listed_and_never_edited(place: Workplace, raw):
    domain = raw.createXML(DOMAIN.format(name="transient", uuid="00000000-0000-4000-8000-00000000beef"))
    try:
        host = place.read()
        vm = place.find_vm(host, "transient")
        assert not vm.persistent
        before = domain.XMLDesc(0)
        with pytest.raises(Refused):
            place.apply(place.plan(host, vm, Virtio()))
        assert domain.XMLDesc(0) == before
        assert not domain.isPersistent()
    finally:
        domain.destroy()


def test_a_write_without_an_answer_is_unknown_and_undo_settles_it(
    daemon: PrivateLibvirt, guest: Guest, place: Workplace
):
    before = guest.text()
    words = ["apply", "--vm", guest.name, "--mode", "virtio", "--yes", "--json", "--connect", daemon.uri]
    try:
        said = subprocess.run(
            [sys.executable, "-c", _HANGS_AT_DEFINE, str(daemon.pid), *words],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        daemon.resume()
    assert said.returncode == 5, said
    assert [entry.state for entry in place.history()] == [RunState.INTERRUPTED]
    (outcome,) = place.undo()
    assert outcome.result in (RunResult.TAKEN_BACK, RunResult.NOTHING_TO_DO)
    assert guest.text() == before


def test_an_apply_that_the_user_stops_can_be_undone(daemon: PrivateLibvirt, guest: Guest):
    before = guest.text()
    words = ["apply", "--vm", guest.name, "--mode", "virtio", "--yes", "--json", "--connect", daemon.uri]
    stopped = "SIGSTOP); os.kill(os.getpid(), signal.SIGINT"
    script = _HANGS_AT_DEFINE.replace("SIGSTOP", stopped).replace("= 1.0", "= 20.0")
    try:
        said = subprocess.run(
            [sys.executable, "-c", script, str(daemon.pid), *words], capture_output=True, timeout=10, check=False
        )
    finally:
        daemon.resume()
    assert said.returncode not in (0, -signal.SIGKILL)
    assert vitrail("undo", "--yes", "--connect", daemon.uri).code == 0
    assert guest.text() == before

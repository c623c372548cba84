# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load beside a real libvirtd: QEMU is found by its UUID, libvirt's counters move, a VM that comes is noticed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.strict_openmetrics import parse
from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from integration.terminal import vitrail
from vitrail.load.processes import VmProcesses
from vitrail.model.reading import Known
from vitrail.service.domain_stats import LibvirtStats
from vitrail.service.libvirt_session import Session
from vitrail.service.uri import read_uri
from vitrail.source.root import FolderRoot

pytestmark = pytest.mark.real


def test_a_running_qemu_is_found_by_the_uuid_of_its_vm(guest: Guest):
    guest.domain.create()
    processes = VmProcesses(FolderRoot("/"))
    processes.refresh()
    found = processes.of(guest.uuid)
    assert found
    words = FolderRoot("/").read_bytes(f"proc/{found[0]}/cmdline")
    assert guest.uuid.encode() in words
    guest.domain.destroy()
    processes.refresh()
    assert processes.of(guest.uuid) == ()


def test_libvirts_counters_of_a_running_vm(daemon: PrivateLibvirt, guest: Guest):
    guest.domain.create()
    session = Session(read_uri(daemon.uri))
    stats = LibvirtStats(session)
    told = stats._ask()
    assert isinstance(told, Known)
    counters = told.value[guest.uuid]
    assert counters.vcpus == 1
    assert counters.cpu_ns > 0
    assert counters.taken_at <= time.monotonic()
    session.close()


def test_the_command_lists_the_vms_that_run(daemon: PrivateLibvirt, guest: Guest, state):
    words = ("load", "--connect", daemon.uri, "--json", "--interval", "0.1")
    before = json.loads(vitrail(*words).out)
    assert guest.uuid not in [vm["uuid"] for vm in before["vms"]]
    guest.domain.create()
    after = json.loads(vitrail(*words).out)
    assert {"uuid": guest.uuid, "name": guest.name} in after["vms"]
    assert not state.exists()


def test_metrics_are_told_until_the_command_is_ended(daemon: PrivateLibvirt, guest: Guest, tmp_path: Path):
    guest.domain.create()
    path = tmp_path / "vitrail.prom"
    words = ("load", "--connect", daemon.uri, "--openmetrics", str(path), "--interval", "0.2", "--json")
    with subprocess.Popen([sys.executable, "-m", "vitrail", *words], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [json.loads(running.stdout.readline()) for _ in range(2)]
        found = parse(path.read_bytes())
        running.send_signal(signal.SIGTERM)
        running.stdout.read()
        assert running.wait(60) == 0
    assert lines[0]["schema"] == 1
    assert ("vitrail_sample_timestamp_seconds", frozenset()) in found
    assert not path.exists()


def test_a_vm_is_asked_only_once_the_user_said_so(daemon: PrivateLibvirt, guest: Guest, state: Path):
    words = ("load", "--connect", daemon.uri, "--vm", guest.name, "--ask-guest")
    assert not state.exists()
    said = vitrail(*words, "yes")
    assert (said.code, guest.name in said.out) == (0, True)
    assert guest.uuid in (state / "asked-guests.json").read_text("utf-8")
    assert vitrail(*words, "no", "--json").json["ask_guest"] is False
    assert guest.uuid not in (state / "asked-guests.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--vm", "x"), 3),
        (("--ask-guest", "yes"), 3),
        (("--openmetrics", ""), 3),
        (("--machine", "demo", "--openmetrics", "x"), 1),
        (("--machine", "demo", "--vm", "win11", "--ask-guest", "yes"), 1),
    ],
)
def test_words_that_mean_nothing_here_are_refused(words: tuple[str, ...], code: int):
    assert vitrail("load", *words).code == code

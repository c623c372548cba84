# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load beside a real libvirtd: QEMU is found by its UUID, libvirt's counters move, a VM that comes is noticed."""

from __future__ import annotations

import json
import time

import pytest

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

# SPDX-License-Identifier: GPL-3.0-or-later
"""A watched place: what it tells, and that nothing of it stays behind but libvirt's own event thread."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest

from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from vitrail.service.happening import Happening, HappeningKind
from vitrail.service.places import open_place

pytestmark = pytest.mark.real


def _ours() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("vitrail")}


def test_a_start_and_a_stop_of_a_vm_are_told_with_its_uuid(daemon: PrivateLibvirt, guest: Guest, state: Path):
    assert not state.exists()
    heard: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    place = open_place(None, daemon.uri)
    place.watch(heard.put)
    assert isinstance(place.read().read_at, float)
    guest.domain.create()
    guest.domain.destroy()
    happening = heard.get(timeout=30)
    while happening.subject != guest.uuid:
        happening = heard.get(timeout=30)
    assert happening.kind is HappeningKind.DOMAIN
    place.close()
    for thread in threading.enumerate():
        if thread.name in ("vitrail-libvirt-feed", "vitrail-hotplug"):
            thread.join(10)
    assert _ours() <= {"vitrail-libvirt-events"}


def test_watching_where_no_libvirt_is_tells_that_it_is_lost(tmp_path: Path, state: Path):
    assert not state.exists()
    heard: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    place = open_place(None, f"qemu:///system?socket={tmp_path}/nothing")
    place.watch(heard.put)
    assert heard.get(timeout=30) == Happening(HappeningKind.LOST)
    place.close()

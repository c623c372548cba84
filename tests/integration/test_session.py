# SPDX-License-Identifier: GPL-3.0-or-later
"""The session against a real daemon that hangs, dies and returns."""

from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from vitrail.model.errors import Unreachable
from vitrail.service.happening import Happening, HappeningKind
from vitrail.service.libvirt_session import Session
from vitrail.service.libvirt_store import LibvirtStore
from vitrail.service.uri import read_uri

pytestmark = pytest.mark.real

_LIST_AND_LEAVE = """
import os, signal, sys
from vitrail.model.errors import Unreachable
from vitrail.service.libvirt_session import Session
from vitrail.service.libvirt_store import LibvirtStore
from vitrail.service.uri import read_uri
store = LibvirtStore(Session(read_uri(sys.argv[1])))
if sys.argv[2] == "watch-first":
    store.watch(lambda happening: None)
if sys.argv[2] != "hang-first":
    store.list()
    print("listed", flush=True)
    sys.stdin.readline()
try:
    store.list()
except Unreachable as error:
    print(error.what.id, flush=True)
if sys.argv[3] == "close":
    store.close()
"""


@pytest.fixture
def store(daemon: PrivateLibvirt) -> Iterator[LibvirtStore]:
    opened = LibvirtStore(Session(read_uri(daemon.uri)))
    yield opened
    opened.close()


def test_domains_are_listed_with_text_state_and_flags(store: LibvirtStore, guest: Guest):
    (found,) = [domain for domain in store.list() if domain.uuid == guest.uuid]
    assert found.name == guest.name
    assert found.persistent
    assert found == store.read(guest.uuid)
    assert found.text.value == guest.text()  # type: ignore[union-attr]


def test_a_domain_that_is_not_there_is_none(store: LibvirtStore):
    assert store.read("00000000-1111-2222-3333-444444444444") is None


@pytest.mark.parametrize("first", ["open-first", "hang-first", "watch-first"])
@pytest.mark.parametrize("last", ["close", "leave"])
def test_a_daemon_that_hangs_is_unreachable_in_seconds_and_the_process_ends(
    daemon: PrivateLibvirt, first: str, last: str
):
    child = subprocess.Popen(
        [sys.executable, "-c", _LIST_AND_LEAVE, daemon.uri, first, last],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        if first != "hang-first":
            assert child.stdout.readline() == "listed\n"
        daemon.pause()
        try:
            started = time.monotonic()
            child.stdin.write("\n")
            child.stdin.close()
            assert child.stdout.readline() == "service.libvirt.late\n"
            assert child.wait(10) == 0
            assert time.monotonic() - started < 9
        finally:
            daemon.resume()


def test_a_session_survives_a_restart_of_the_daemon(daemon: PrivateLibvirt, store: LibvirtStore, guest: Guest):
    assert store.read(guest.uuid) is not None
    daemon.stop()
    with pytest.raises(Unreachable) as caught:
        store.list()
    assert caught.value.what.id == "service.libvirt.not-running"
    daemon.start()
    assert store.read(guest.uuid) is not None


def _next(heard: queue.SimpleQueue[Happening], kind: HappeningKind) -> Happening:
    while (happening := heard.get(timeout=30)).kind is not kind:
        pass
    return happening


def test_events_come_and_come_again_after_a_restart(daemon: PrivateLibvirt, guest: Guest):
    heard: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    session = Session(read_uri(daemon.uri))
    store = LibvirtStore(session)
    store.watch(heard.put)
    store.list()
    text = guest.text()
    store.define(guest.uuid, text.replace("<vcpu placement='static'>1<", "<vcpu placement='static'>2<"), strict=True)
    assert _next(heard, HappeningKind.DOMAIN).subject == guest.uuid
    daemon.stop()
    assert _next(heard, HappeningKind.LOST)
    daemon.start()
    assert _next(heard, HappeningKind.BACK)
    store.define(guest.uuid, text, strict=True)
    assert _next(heard, HappeningKind.DOMAIN).subject == guest.uuid
    store.close()

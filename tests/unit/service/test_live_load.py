# SPDX-License-Identifier: GPL-3.0-or-later
"""The join: libvirt's counters through a real connection, and the load of a place as it changes."""

from __future__ import annotations

import threading

import pytest

from fakes.domains import PLAIN_UUID, domain
from fakes.hosts import AMD, VGA
from fakes.sysfs import Tree
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import Silence, silence_of
from vitrail.service.domain_stats import LibvirtStats
from vitrail.service.libvirt_session import Session
from vitrail.service.live_load import LiveLoad
from vitrail.service.place import find_place
from vitrail.service.uri import read_uri


@pytest.fixture
def session():
    opened = []

    def make(uri):
        opened.append(Session(read_uri(uri)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_libvirt_tells_its_counters_or_that_it_has_none(session):
    told = LibvirtStats(session("test:///default"))._ask()
    # The test driver of older libvirts has no counters at all.
    if isinstance(told, Known):
        assert all(counters.vcpus >= 1 for counters in told.value.values())
    else:
        assert "support" in str(dict(told.reason.args).values())


def test_a_question_never_waits_for_its_answer(session, tmp_path):
    stats = LibvirtStats(session(f"qemu:///system?socket={tmp_path}/nothing"))
    assert silence_of(stats.counters()) is Silence.STALE
    stats._beside.settle(30)
    assert isinstance(stats.counters(), Unknown)


@pytest.fixture
def recording(tmp_path):
    folder = tmp_path / "machine"
    tree = Tree(folder / "root").kernel()
    tree.pci("0000:03:00.0", VGA, AMD, 0x744C, driver="amdgpu")
    (folder / "machine.toml").write_text("format = 1\n", "utf-8")
    (folder / "libvirt" / "domains").mkdir(parents=True)
    (folder / "libvirt" / "domains" / "plain.xml").write_text(domain("plain", PLAIN_UUID), "utf-8")
    (folder / "libvirt" / "domains.toml").write_text('[plain]\nstate = "running"\n', "utf-8")
    return folder


@pytest.fixture
def load(recording, tmp_path):
    opened = LiveLoad(find_place(str(recording), None, state_folder=tmp_path / "state"))
    yield opened
    opened.close()


def test_a_recordings_cards_and_running_vms_are_listed_and_not_measured(load):
    sample = load.tick()
    assert not load.measures
    assert isinstance(sample.cards, Known)
    assert isinstance(sample.vms, Known)
    assert [silence_of(card.load_percent) for card in sample.cards.value] == [Silence.UNSUPPORTED]
    assert [vm.uuid for vm in sample.vms.value] == [PLAIN_UUID]


def test_a_recording_has_no_history_on_disk(load, tmp_path):
    assert isinstance(load.history().kept, Unknown)
    assert not (tmp_path / "state" / "load").exists()


def test_the_machine_is_looked_at_again_only_when_something_happened(load, monkeypatch):
    looks = []
    really = load._view.read
    monkeypatch.setattr(load._view, "read", lambda: looks.append(1) or really())
    load.tick()
    load.tick()
    assert len(looks) == 1
    load._changed.set()
    load.tick()
    if load._looking is not None:
        load._looking.result(30)
    assert len(looks) == 2


def test_somebody_elses_look_serves_too(load, monkeypatch):
    load.know(load._view.read())
    monkeypatch.setattr(load._view, "read", pytest.fail)
    assert isinstance(load.tick().cards, Known)


def test_a_look_that_hangs_delays_no_tick(load, monkeypatch):
    before = load.host
    goes_on = threading.Event()
    really = load._view.read
    monkeypatch.setattr(load._view, "read", lambda: goes_on.wait(30) and really())
    load._changed.set()
    load.tick()
    load.tick()
    assert load.host is before
    goes_on.set()
    load._looking.result(30)
    load.tick()
    assert load.host is not before

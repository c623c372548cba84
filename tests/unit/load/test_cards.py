# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards: the driver's files, sleep, vanishing, and cards that nobody here can see into."""

from __future__ import annotations

from errno import EIO, ENODEV

import pytest

from fakes.hosts import UNREAD, at, given, host
from fakes.looking import card_of, sampler_of, value, vm_of
from fakes.roots import BrokenRoot, NotingRoot
from vitrail.load.ports import GuestLoad
from vitrail.load.sampler import LoadSampler
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import LoadSource, Silence, silence_of

CARD = "03:00.0"


def test_an_amd_card_tells_its_load_memory_and_sensors(machine):
    machine.amd(CARD, busy=37, vram_mib=512)
    sample = card_of(sampler_of(machine).tick())
    told = (sample.load_percent, sample.memory_used_mib, sample.memory_total_mib, sample.temperature_c)
    assert [value(one) for one in told] == [37.0, 512, 8192, 45.0]
    assert [value(one) for one in (sample.power_w, sample.fan_rpm, sample.fan_percent)] == [33.0, 1200, 20]


def test_a_value_that_changed_is_read_through_the_open_file(machine):
    machine.amd(CARD, busy=37)
    sampler = sampler_of(machine)
    sampler.tick()
    machine.card_file(CARD, "gpu_busy_percent", 99)
    assert value(card_of(sampler.tick()).load_percent) == 99.0


def test_a_card_without_a_fan_has_none_and_is_not_unknown(machine):
    machine.card(CARD, "amdgpu", gpu_busy_percent=1)
    sample = card_of(sampler_of(machine).tick())
    assert sample.fan_rpm is None
    assert silence_of(sample.memory_used_mib) is Silence.UNSUPPORTED


def test_a_sleeping_card_is_not_touched(machine):
    machine.amd(CARD)
    machine.card_file(CARD, "power/runtime_status", "suspended")
    root = NotingRoot(machine.folder)
    opened = []
    root.open = lambda path, kept=root.open: opened.append(path) or kept(path)
    sampler = LoadSampler(root, clock=machine.clock, wall=machine.clock)
    sampler.know(machine.host())
    sample = card_of(sampler.tick())
    assert silence_of(sample.load_percent) is Silence.IDLE
    assert sample.temperature_c is None
    assert [path.rpartition("/")[2] for path in opened] == ["runtime_status"]


def test_an_idle_card_that_may_sleep_is_left_alone_for_a_while(machine):
    machine.amd(CARD, busy=0)
    machine.tree.file(f"{machine.tree.place_of('0000:' + CARD)}/power/control", "auto")
    sampler = sampler_of(machine)
    seen = []
    for _ in range(36):
        seen.append(value(card_of(sampler.tick()).load_percent))
        machine.now += 1.0
    assert seen[:11] == [0.0] * 11
    assert seen[11:30] == ["load.idle.left-alone"] * 19
    assert seen[31:] == [0.0] * 5


@pytest.mark.parametrize(("control", "lit"), [("on", False), ("auto", True)])
def test_an_idle_card_that_never_sleeps_is_measured_all_the_time(machine, control, lit):
    machine.amd(CARD, busy=0)
    machine.lit = lit
    machine.tree.file(f"{machine.tree.place_of('0000:' + CARD)}/power/control", control)
    sampler = sampler_of(machine)
    for _ in range(30):
        assert value(card_of(sampler.tick()).load_percent) == 0.0
        machine.now += 1.0


def test_a_card_that_vanishes_says_so_and_stops_nothing(machine):
    machine.amd(CARD, busy=10)
    machine.amd("04:00.0", busy=20)
    gone = []
    root = BrokenRoot(machine.folder, lambda path: bool(gone) and CARD in path, ENODEV)
    root.open = lambda _path: None
    sampler = LoadSampler(root, clock=machine.clock, wall=machine.clock)
    sampler.know(machine.host())
    sampler.tick()
    gone.append(True)
    sample = sampler.tick()
    assert silence_of(card_of(sample).load_percent) is Silence.FAILED
    assert value(card_of(sample, 1).load_percent) == 20.0


@pytest.mark.parametrize(("number", "silence"), [(EIO, Silence.FAILED), (13, Silence.NEEDS_HELPER)])
def test_a_file_that_cannot_be_read_is_unknown_and_never_zero(machine, number, silence):
    machine.amd(CARD, busy=10)
    root = BrokenRoot(machine.folder, lambda path: path.endswith("gpu_busy_percent"), number)
    root.open = lambda _path: None
    sampler = LoadSampler(root, clock=machine.clock, wall=machine.clock)
    sampler.know(machine.host())
    sample = card_of(sampler.tick())
    assert silence_of(sample.load_percent) is silence
    assert value(sample.memory_total_mib) == 8192


def test_words_where_a_number_should_be_are_unknown(machine):
    machine.amd(CARD)
    machine.card_file(CARD, "gpu_busy_percent", "N/A")
    assert value(card_of(sampler_of(machine).tick()).load_percent) == "load.failed.garbled"


@pytest.mark.parametrize(("driver", "silence"), [("vfio-pci", Silence.NEEDS_AGENT), ("ast", Silence.UNSUPPORTED)])
def test_a_card_that_nobody_here_sees_into_says_who_could(machine, driver, silence):
    machine.card(CARD, driver)
    assert silence_of(card_of(sampler_of(machine).tick()).load_percent) is silence


def test_a_vm_with_a_whole_card_is_told_by_its_agent_or_not_at_all(machine):
    machine.card(CARD, "vfio-pci")
    machine.vm(1, *given(CARD))
    assert silence_of(vm_of(sampler_of(machine).tick()).card_percent) is Silence.NEEDS_AGENT

    class Guests:
        def latest(self, _uuid, _card):
            number = Known(55.0, "guest")
            return Known(GuestLoad(number, Known(100, "guest"), Known(200, "guest"), number, number), "guest")

    sample = vm_of(sampler_of(machine, guests=Guests()).tick())
    assert (value(sample.card_percent), sample.source) == (55.0, LoadSource.GUEST)


def test_a_vm_without_a_card_has_no_load_instead_of_none(machine):
    machine.vm(1)
    sample = vm_of(sampler_of(machine).tick())
    assert (sample.load, sample.gpu, sample.memory_used_mib) == (None, None, None)


def test_cards_and_vms_that_could_not_be_listed_are_unknown(machine):
    sampler = LoadSampler(machine.root, clock=machine.clock, wall=machine.clock)
    assert silence_of(sampler.tick().cards) is Silence.STALE
    sampler.know(host(gpus=UNREAD, vms=UNREAD))
    sample = sampler.tick()
    assert isinstance(sample.cards, Unknown)
    assert isinstance(sample.vms, Unknown)


def test_a_recording_measures_nothing_and_says_that_it_is_one(machine):
    machine.amd(CARD, busy=10)
    machine.vm(1, drawn_on=CARD)
    sampler = sampler_of(machine, silent=UNREAD)
    sample = sampler.tick()
    assert card_of(sample).load_percent == UNREAD
    assert vm_of(sample).card_percent == UNREAD


def test_a_card_that_stays_keeps_what_was_measured_of_it(machine):
    machine.amd(CARD)
    machine.vm(1, drawn_on=CARD)
    machine.process(100, number=1)
    machine.client(100, 20, CARD, 5, "drm-engine-gfx:\t0 ns")
    sampler = sampler_of(machine)
    sampler.tick()
    machine.now += 1.0
    machine.client(100, 20, CARD, 5, "drm-engine-gfx:\t100000000 ns")
    sampler.know(machine.host())
    assert value(vm_of(sampler.tick()).card_percent) == 10.0
    assert vm_of(sampler.tick()).gpu == at(CARD)

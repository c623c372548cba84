# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's cards, vGPUs and processes through the real pynvml and a library in C: whose load it is and of what."""

from __future__ import annotations

import pynvml
import pytest

from fakes.hosts import at
from fakes.live_machine import uuid_of
from fakes.looking import card_of, sampler_of, value, vm_of
from vitrail.model.machine import MediatedDevice
from vitrail.model.reading import Known
from vitrail.model.sample import LoadSource, Silence, silence_of
from vitrail.model.vm import Hostdev
from vitrail.source.nvml_live import NvmlLive

CARD, BUS = "01:00.0", "0000:01:00.0"
MDEV = "aa618089-8b16-4d01-a136-25a0f3c73123"
BEST_EFFORT, EQUAL, FIXED = 1, 2, 3


def live():
    return NvmlLive(pynvml)


@pytest.fixture
def sampler(machine, nvidia):
    """Made at the test's wish, closed at its end."""
    made = []

    def make():
        made.append(sampler_of(machine, live))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert nvidia.open == 0


def test_a_card_tells_everything_that_the_library_knows(machine, nvidia, sampler):
    machine.card(CARD, "nvidia", current_link_speed="16.0 GT/s PCIe", current_link_width=16)
    said = {"gpu": 80, "memory_busy": 20, "used": 6 << 30, "total": 24 << 30, "heat": 71, "power": 212500}
    nvidia.card(BUS, **said, fan=45, clock=1905, reasons=0x24)
    sample = card_of(sampler().tick())
    numbers = (sample.load_percent, sample.memory_used_mib, sample.memory_total_mib, sample.temperature_c)
    assert [value(one) for one in numbers] == [80.0, 6144, 24576, 71.0]
    more = (sample.power_w, sample.fan_percent, sample.clock_mhz, sample.slowed_by, sample.pcie_link)
    assert [value(one) for one in more] == [212.5, 45, 1905, ("power limit", "heat"), "16.0 GT/s PCIe x16"]
    parts = {engine.name: engine.percent for engine in sample.engines}
    assert parts == {"core": 80.0, "memory": 20.0, "encode": 7.0, "decode": 3.0}


def test_a_card_without_a_fan_has_none(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS, fanless=1)
    assert card_of(sampler().tick()).fan_percent is None


def test_a_divided_card_has_memory_and_no_load(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS, mig=1, used=1 << 30, total=40 << 30)
    sample = card_of(sampler().tick())
    assert value(sample.load_percent) == "load.unsupported.mig"
    assert value(sample.memory_used_mib) == 1024


def test_a_lost_card_says_so_and_is_asked_again(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    machine.card("02:00.0", "nvidia")
    lost = nvidia.card(BUS, gpu=5)
    nvidia.card("0000:02:00.0", gpu=6)
    sampling = sampler()
    sampling.tick()
    nvidia.set(lost, fails=15)
    sample = sampling.tick()
    assert value(card_of(sample).load_percent) == "load.failed.nvml-lost"
    assert value(card_of(sample, 1).load_percent) == 6.0
    nvidia.set(lost, fails=0)
    assert value(card_of(sampling.tick()).load_percent) == 5.0


@pytest.mark.parametrize(("result", "reason"), [(18, "load.failed.nvml-mismatch"), (9, "load.unsupported.nvml-driver")])
def test_a_library_that_does_not_open_is_not_asked_every_second(machine, nvidia, sampler, result, reason):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS, gpu=5)
    nvidia.fails_to_open(result)
    sampling = sampler()
    assert value(card_of(sampling.tick()).load_percent) == reason
    nvidia.fails_to_open(0)
    machine.now += 10
    assert value(card_of(sampling.tick()).load_percent) == reason
    machine.now += 30
    assert value(card_of(sampling.tick()).load_percent) == 5.0


def test_without_pynvml_the_card_says_what_is_missing(machine):
    machine.card(CARD, "nvidia")
    assert value(card_of(sampler_of(machine).tick()).load_percent) == "load.unsupported.nvml-wrapper"


def test_a_sleeping_card_is_not_attached_beside_one_that_is_awake(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    machine.card("02:00.0", "nvidia")
    machine.card_file("02:00.0", "power/runtime_status", "suspended")
    nvidia.card(BUS, gpu=5)
    asleep = nvidia.card("0000:02:00.0")
    sample = sampler().tick()
    assert value(card_of(sample).load_percent) == 5.0
    assert silence_of(card_of(sample, 1).load_percent) is Silence.IDLE
    assert nvidia.attached(asleep) == 0


def test_a_card_that_falls_asleep_is_let_go_of(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS)
    sampling = sampler()
    sampling.tick()
    assert nvidia.open == 1
    machine.card_file(CARD, "power/runtime_status", "suspended")
    sampling.tick()
    assert nvidia.open == 0


def test_the_poller_steps_aside_while_cards_change_hands(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS, gpu=5)
    sampling = sampler()
    sampling.tick()
    sampling.step_aside()
    assert nvidia.open == 0
    assert value(card_of(sampling.tick()).load_percent) == "load.stale.stepped-aside"
    assert nvidia.open == 0
    sampling.resume()
    assert value(card_of(sampling.tick()).load_percent) == 5.0


def shared(machine, nvidia, rule=FIXED):
    """A card of 16 GiB with two vGPUs of 4, of VM 1 and VM 2."""
    machine.card(CARD, "nvidia")
    machine.functions(CARD, 2)
    card = nvidia.card(BUS, rule=rule)
    machine.vm(1, Hostdev("pci", pci=at("01:00.1")))
    machine.vm(2, Hostdev("pci", pci=at("01:00.2")))
    return [nvidia.share(10 + number, card, uuid_of(number)) for number in (1, 2)]


@pytest.mark.parametrize(("rule", "of_share"), [(FIXED, 100.0), (EQUAL, 50.0), (BEST_EFFORT, 25.0)])
def test_a_vgpus_load_is_of_the_card_and_of_its_share(machine, nvidia, sampler, rule, of_share):
    first, _ = shared(machine, nvidia, rule)
    nvidia.load(first, 1000, 25, 10, 5, 0)
    nvidia.set_share(
        first, framebuffer=3 << 30, sessions=1, fps=58, latency=16500, encoders=2, licence_state=5, expiry=4
    )
    sample = vm_of(sampler().tick())
    assert (value(sample.card_percent), value(sample.share_percent)) == (25.0, of_share)
    assert (value(sample.memory_used_mib), value(sample.memory_share_mib)) == (3072, 4096)
    assert (value(sample.frame_rate_fps), value(sample.latency_ms), value(sample.encoder_sessions)) == (58.0, 16.5, 2)
    assert (sample.source, value(sample.licence), sample.gpu) == (LoadSource.NVML_SHARE, "licensed", at(CARD))


def test_a_share_whose_rule_is_not_known_has_a_load_of_the_card_only(machine, nvidia, sampler):
    first, _ = shared(machine, nvidia, rule=0)
    nvidia.load(first, 1000, 25)
    sample = vm_of(sampler().tick())
    assert value(sample.card_percent) == 25.0
    assert silence_of(sample.share_percent) is Silence.UNSUPPORTED


def test_without_new_samples_a_load_holds_three_seconds_and_then_is_idle(machine, nvidia, sampler):
    first, _ = shared(machine, nvidia)
    nvidia.load(first, 1000, 25)
    sampling = sampler()
    seen = []
    for _ in range(6):
        seen.append(value(vm_of(sampling.tick()).card_percent))
        machine.now += 1.0
    assert seen == [25.0, 25.0, 25.0, 25.0, "load.idle.no-samples", "load.idle.no-samples"]
    nvidia.load(first, 2000, 30)
    assert value(vm_of(sampling.tick()).card_percent) == 30.0


def test_a_vgpu_that_ended_and_one_that_began_are_noticed(machine, nvidia, sampler):
    _, second = shared(machine, nvidia)
    nvidia.load(second, 1000, 40)
    sampling = sampler()
    assert value(vm_of(sampling.tick(), 1).card_percent) == 40.0
    nvidia.end_last_share()
    assert value(vm_of(sampling.tick(), 1).card_percent) == "load.stale.no-share"
    again = nvidia.share(99, 0, uuid_of(2))
    nvidia.load(again, 2000, 15)
    assert value(vm_of(sampling.tick(), 1).card_percent) == 15.0


def test_a_mediated_vgpu_is_found_by_its_device_where_the_vm_has_no_uuid(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    card = nvidia.card(BUS, rule=FIXED)
    machine.vm(1, Hostdev("mdev", mdev_uuid=MDEV))
    nvidia.load(nvidia.share(7, card, "4711", vm_type=0, mdev=MDEV.upper()), 1000, 33)
    sampling = sampler()
    sampling.know(machine.host(mediated_devices=(MediatedDevice(MDEV, "nvidia-232", at(CARD)),)))
    assert value(vm_of(sampling.tick()).card_percent) == 33.0


def test_a_share_that_is_not_there_yet_says_so(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS)
    machine.vm(1, Hostdev("mdev", mdev_uuid=MDEV))
    assert value(vm_of(sampler().tick()).card_percent) == "load.stale.no-share"


def test_the_processes_of_a_vm_that_is_drawn_for_are_counted_together(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    card = nvidia.card(BUS)
    machine.vm(1, drawn_on=CARD)
    machine.process(100, number=1)
    machine.process(101, name="virgl_render_se", parent=100)
    machine.client(100, 20, CARD, 5, driver="nvidia-drm")
    nvidia.process(card, 100, 1000, 10, 100)
    nvidia.process(card, 101, 1000, 20, 400)
    nvidia.process(card, 999, 1000, 50, 900)
    sampling = sampler()
    sampling.tick()
    sample = vm_of(sampling.tick())
    assert (value(sample.card_percent), value(sample.memory_used_mib)) == (30.0, 500)
    assert (sample.source, sample.share_percent) == (LoadSource.NVML_PROCESS, None)


def test_what_nobody_asks_for_costs_no_question(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.card(BUS)
    sampling = sampler()
    sampling.tick()
    before = nvidia.calls
    sampling.tick()
    assert nvidia.calls - before == 4, "utilization, memory, temperature, power"


def test_handles_are_asked_for_once(machine, nvidia, sampler):
    shared(machine, nvidia)
    sampling = sampler()
    for _ in range(20):
        sampling.tick()
        machine.now += 1.0
    assert nvidia.attached(0) == 1


def test_the_shares_vm_that_libvirt_does_not_know_is_nobodys(machine, nvidia, sampler):
    machine.card(CARD, "nvidia")
    nvidia.share(7, nvidia.card(BUS), uuid_of(77))
    machine.vm(1)
    sample = sampler().tick()
    assert isinstance(sample.vms, Known)
    assert [one.uuid for one in sample.vms.value] == [uuid_of(1)]

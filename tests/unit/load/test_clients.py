# SPDX-License-Identifier: GPL-3.0-or-later
"""What QEMU draws, by the kernel's account of its open files: counted once, never backwards, for the right VM."""

from __future__ import annotations

from errno import EACCES
from pathlib import Path

import pytest

from fakes.hosts import at
from fakes.looking import sampler_of, value, vm_of
from fakes.roots import BrokenRoot
from vitrail.load.ports import RawClient
from vitrail.load.sampler import LoadSampler
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import LoadOf, LoadSource, Silence, silence_of
from vitrail.model.text import text

CARD = "03:00.0"


@pytest.fixture
def drawing(machine):
    """A VM that draws on an AMD card through one client."""
    machine.amd(CARD)
    machine.vm(1, drawn_on=CARD)
    machine.process(100, number=1)
    machine.client(100, 20, CARD, 5, "drm-engine-gfx:\t0 ns", "drm-memory-vram:\t2048 KiB")
    return machine


def test_load_is_busy_time_over_passed_time(drawing):
    sampler = sampler_of(drawing)
    assert silence_of(vm_of(sampler.tick()).card_percent) is Silence.STALE
    drawing.now += 2.0
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t500000000 ns", "drm-memory-vram:\t3 MiB")
    sample = vm_of(sampler.tick())
    assert sample.load == (Known(25.0, "/proc/PID/fdinfo"), LoadOf.CARD)
    assert (sample.gpu, sample.source, value(sample.memory_used_mib)) == (at(CARD), LoadSource.FDINFO, 3)


def test_a_client_that_does_nothing_is_at_zero_which_was_measured(drawing):
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    assert value(vm_of(sampler.tick()).card_percent) == 0.0


def test_one_client_in_several_descriptors_and_processes_counts_once(drawing):
    drawing.client(100, 21, CARD, 5, "drm-engine-gfx:\t0 ns")
    drawing.process(101, name="virgl_render_se", parent=100)
    drawing.join(101, 1)
    drawing.client(101, 7, CARD, 5, "drm-engine-gfx:\t0 ns")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    for pid, descriptor in ((100, 20), (100, 21), (101, 7)):
        drawing.client(pid, descriptor, CARD, 5, "drm-engine-gfx:\t400000000 ns")
    assert value(vm_of(sampler.tick()).card_percent) == 40.0


@pytest.mark.parametrize("joins", [True, False], ids=["by control group", "by parent"])
def test_the_render_server_beside_qemu_counts_for_its_vm(drawing, joins):
    drawing.process(101, name="virgl_render_se", parent=100)
    if joins:
        drawing.join(101, 1)
    drawing.client(101, 7, CARD, 6, "drm-engine-gfx:\t0 ns")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(101, 7, CARD, 6, "drm-engine-gfx:\t300000000 ns")
    assert value(vm_of(sampler.tick()).card_percent) == 30.0


def test_a_counter_that_falls_is_not_negative_load_and_waits_until_it_caught_up(drawing):
    sampler = sampler_of(drawing)
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t900000000 ns")
    sampler.tick()
    seen = []
    for counter in (100_000_000, 800_000_000, 1_000_000_000):
        drawing.now += 1.0
        drawing.client(100, 20, CARD, 5, f"drm-engine-gfx:\t{counter} ns")
        seen.append(value(vm_of(sampler.tick()).card_percent))
    assert seen == [0.0, 0.0, 10.0]


def test_an_engine_of_several_counts_by_its_capacity(drawing):
    lines = ("drm-engine-capacity-video:\t2", "drm-engine-video:\t{} ns")
    drawing.client(100, 20, CARD, 5, lines[0], lines[1].format(0), driver="i915")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 5, lines[0], lines[1].format(1_000_000_000), driver="i915")
    assert value(vm_of(sampler.tick()).card_percent) == 50.0


def test_xe_counts_in_ticks_of_its_own(drawing):
    lines = "drm-cycles-rcs:\t{}\ndrm-total-cycles-rcs:\t{}\ndrm-resident-vram0:\t7 MiB\ndrm-resident-system:\t9 MiB"
    drawing.client(100, 20, CARD, 5, lines.format(100, 1000), driver="xe")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 5, lines.format(160, 1200), driver="xe")
    sample = vm_of(sampler.tick())
    assert value(sample.card_percent) == 30.0
    assert value(sample.memory_used_mib) == 7


def test_what_clients_share_is_counted_once(drawing):
    for descriptor, client in ((20, 5), (21, 6)):
        words = ("drm-engine-gfx:\t1 ns", "drm-resident-vram:\t10 MiB", "drm-shared-vram:\t4 MiB")
        drawing.client(100, descriptor, CARD, client, *words)
    assert value(vm_of(sampler_of(drawing).tick()).memory_used_mib) == 6 + 6 + 4


def test_a_driver_that_counts_nothing_is_not_idle(drawing):
    drawing.client(100, 20, CARD, 5, "drm-memory-vram:\t1 MiB", driver="nouveau")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    assert silence_of(vm_of(sampler.tick()).card_percent) is Silence.UNSUPPORTED


def test_private_keys_and_other_files_are_passed_over(drawing):
    link = drawing.folder / "proc/100/fd/30"
    link.symlink_to("/dev/dri/renderD128")
    drawing.tree.file("proc/100/fdinfo/30", "pos:\t0\nflags:\t02\n")
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t0 ns", "amdgpu-evicted-vram:\t99 KiB", "drm-engine-odd:\tx ns")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t1000000 ns", "amdgpu-evicted-vram:\t99 KiB")
    assert [engine.name for engine in vm_of(sampler.tick()).engines] == ["gfx"]


def test_a_descriptor_that_became_another_client_starts_anew(drawing):
    sampler = sampler_of(drawing)
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t100 ns")
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 99, "drm-engine-gfx:\t900000000 ns")
    assert value(vm_of(sampler.tick()).card_percent) == "load.idle.draws-nothing"


def test_a_process_that_ended_is_dropped_without_an_error(drawing):
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.end(100)
    drawing.now += 6.0
    assert value(vm_of(sampler.tick()).card_percent) == "load.stale.no-process"


def test_a_new_client_is_found_within_five_seconds(drawing):
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.client(100, 22, CARD, 8, "drm-engine-compute:\t0 ns")
    for _ in range(6):
        drawing.now += 1.0
        sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 22, CARD, 8, "drm-engine-compute:\t700000000 ns")
    assert value(vm_of(sampler.tick()).card_percent) == 70.0


def forbidden(machine, feed=None):
    """A sampler of somebody who may not look into QEMU."""
    root = BrokenRoot(machine.folder, lambda path: path.startswith("proc/100/fd"), EACCES)
    sampler = LoadSampler(root, feed=feed, clock=machine.clock, wall=machine.clock)
    sampler.know(machine.host())
    return sampler


def test_what_only_root_sees_says_that_the_helper_is_needed(drawing):
    assert silence_of(vm_of(forbidden(drawing).tick()).card_percent) is Silence.NEEDS_HELPER


class Feed:
    """The helper, which sees these texts."""

    def __init__(self, machine) -> None:
        self.machine = machine
        self.asked = []
        self.told_at = None

    def drm_clients(self, pids):
        self.asked.append(pids)
        content = (self.machine.folder / "proc/100/fdinfo/20").read_bytes()
        at = self.machine.now if self.told_at is None else self.told_at
        return Known((RawClient(100, 20, content, at), RawClient(100, 21, content, at)), "helper")

    def counters(self, _asked):
        return Unknown(text("tests.unread"))


def test_what_the_helper_sees_is_counted_the_same_way(drawing):
    feed = Feed(drawing)
    sampler = forbidden(drawing, feed)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t600000000 ns", "drm-memory-vram:\t2 MiB")
    sample = vm_of(sampler.tick())
    assert (value(sample.card_percent), value(sample.memory_used_mib)) == (60.0, 2)
    assert feed.asked == [(100,), (100,)]


def test_an_answer_that_is_told_twice_keeps_its_load(drawing):
    feed = Feed(drawing)
    sampler = forbidden(drawing, feed)
    sampler.tick()
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t1000000000 ns")
    drawing.now += 2.0
    feed.told_at = drawing.now
    loads = []
    for _ in range(2):
        loads.append(value(vm_of(sampler.tick()).card_percent))
        drawing.now += 1.0
    assert loads == [50.0, 50.0]


def test_clients_of_two_vms_with_the_same_number_on_two_cards_are_two(drawing):
    drawing.amd("04:00.0")
    drawing.vm(2, drawn_on="04:00.0")
    drawing.process(200, number=2)
    drawing.client(200, 20, "04:00.0", 5, "drm-engine-gfx:\t0 ns")
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    drawing.client(100, 20, CARD, 5, "drm-engine-gfx:\t100000000 ns")
    drawing.client(200, 20, "04:00.0", 5, "drm-engine-gfx:\t200000000 ns")
    sample = sampler.tick()
    assert [value(vm_of(sample, place).card_percent) for place in (0, 1)] == [10.0, 20.0]


def test_files_are_let_go_of_at_the_end(drawing):
    before = len(tuple(Path("/proc/self/fd").iterdir()))
    sampler = sampler_of(drawing)
    sampler.tick()
    drawing.now += 1.0
    sampler.tick()
    assert len(tuple(Path("/proc/self/fd").iterdir())) > before
    sampler.close()
    assert len(tuple(Path("/proc/self/fd").iterdir())) == before

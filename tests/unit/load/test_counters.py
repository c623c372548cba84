# SPDX-License-Identifier: GPL-3.0-or-later
"""Intel's cards by the kernel's counters: of the card, of each virtual function, and where they are not permitted."""

from __future__ import annotations

import os
from errno import EACCES, EINVAL, ENOENT, ENOSYS, EPERM

import pytest

from fakes.hosts import at, given
from fakes.looking import card_of, sampler_of, value, vm_of
from vitrail.load import card_source
from vitrail.load.counters import CardCounters
from vitrail.model.reading import Known
from vitrail.model.sample import LoadOf, LoadSource, Silence, silence_of
from vitrail.source.perf_event import open_counter, read_counter

CARD = "03:00.0"
UNIT = "sys/bus/event_source/devices/xe_0000_03_00.0"
RENDER, COPY = 0, 1
ACTIVE, TOTAL = 2, 3
_NOT_HERE = (EACCES, EPERM, ENOSYS, ENOENT)


class Counters:
    """The kernel's counters of an xe card that has a 3D and a copy engine, by function."""

    def __init__(self, error: int | None = None) -> None:
        self.error = error
        self.numbers: dict[tuple[int, int, int], int] = {}
        self.opened: dict[int, tuple[int, int, int]] = {}

    def open(self, pmu_type: int, config: int, cpu: int) -> int:
        """As perf_event_open answers."""
        assert (pmu_type, cpu) == (31, 0)
        event, engine, instance = config & 0xFFF, config >> 20 & 0xFF, config >> 12 & 0xFF
        function, gt = config >> 44 & 0xFFFF, config >> 60
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        if engine not in (RENDER, COPY) or instance or gt:
            raise OSError(EINVAL, os.strerror(EINVAL))
        descriptor = os.open(os.devnull, os.O_RDONLY)
        self.opened[descriptor] = (event, engine, function)
        return descriptor

    def read(self, descriptor: int) -> int:
        """As far as it has counted."""
        return self.numbers.get(self.opened[descriptor], 0)

    def counters(self, asked):
        """The same, told by the helper."""
        return Known(
            tuple(
                self.numbers.get((one.config & 0xFFF, one.config >> 20 & 0xFF, one.config >> 44 & 0xFFFF))
                if not one.config >> 12 & 0xFF and not one.config >> 60
                else None
                for one in asked
            ),
            "helper",
        )

    def drm_clients(self, _pids):
        """Nothing draws."""
        return Known((), "helper")


@pytest.fixture
def intel(machine):
    """An xe card with two virtual functions, the second of which VM 1 has."""
    machine.card(CARD, "xe")
    machine.functions(CARD, 2)
    machine.vm(1, *given("03:00.2"))
    machine.tree.file(f"{UNIT}/type", "31").file(f"{UNIT}/cpumask", "0")
    machine.tree.file(f"{UNIT}/events/engine-active-ticks", "event=0x02")
    machine.tree.file(f"{UNIT}/events/engine-total-ticks", "event=0x03")
    formats = {"event": "0-11", "engine_instance": "12-19", "engine_class": "20-27", "function": "44-59", "gt": "60-63"}
    for name, bits in formats.items():
        machine.tree.file(f"{UNIT}/format/{name}", f"config:{bits}")
    return machine


@pytest.fixture
def with_counters(monkeypatch):
    """Let cards count with these counters."""

    def use(counters):
        def make(root, address, driver, feed):
            return CardCounters(root, address, driver, feed, opens=counters.open, reads=counters.read)

        monkeypatch.setattr(card_source, "CardCounters", make)
        return counters

    return use


def test_the_busiest_engine_is_the_load_of_the_card(intel, with_counters):
    counters = with_counters(Counters())
    sampler = sampler_of(intel)
    assert silence_of(card_of(sampler.tick()).load_percent) is Silence.STALE
    intel.now += 1.0
    counters.numbers = {
        (ACTIVE, RENDER, 0): 300,
        (TOTAL, RENDER, 0): 1000,
        (ACTIVE, COPY, 0): 50,
        (TOTAL, COPY, 0): 1000,
    }
    sample = card_of(sampler.tick())
    assert value(sample.load_percent) == 30.0
    assert {engine.name: engine.percent for engine in sample.engines} == {"render": 30.0, "copy": 5.0}
    sampler.close()


def test_a_virtual_functions_load_is_of_its_share(intel, with_counters):
    counters = with_counters(Counters())
    sampler = sampler_of(intel)
    sampler.tick()
    intel.now += 1.0
    counters.numbers = {(ACTIVE, RENDER, 2): 40, (TOTAL, RENDER, 2): 100}
    sample = vm_of(sampler.tick())
    assert sample.load == (Known(40.0, "perf_event"), LoadOf.SHARE)
    assert (sample.source, sample.gpu) == (LoadSource.PMU, at(CARD))
    assert silence_of(sample.memory_used_mib) is Silence.UNSUPPORTED
    sampler.close()


def test_without_the_permission_it_says_who_may(intel, with_counters):
    with_counters(Counters(EACCES))
    sample = sampler_of(intel).tick()
    assert silence_of(card_of(sample).load_percent) is Silence.NEEDS_HELPER
    assert silence_of(vm_of(sample).card_percent) is Silence.NEEDS_HELPER


def test_the_helper_reads_what_the_user_may_not(intel, with_counters):
    counters = with_counters(Counters(EACCES))
    counters.numbers = {(ACTIVE, RENDER, 2): 0, (TOTAL, RENDER, 2): 0}
    sampler = sampler_of(intel, feed=counters)
    sampler.tick()
    intel.now += 1.0
    counters.numbers = {(ACTIVE, RENDER, 2): 25, (TOTAL, RENDER, 2): 100}
    assert value(vm_of(sampler.tick()).share_percent) == 25.0


def test_a_kernel_without_the_counters_says_so(machine):
    machine.card(CARD, "xe")
    assert value(card_of(sampler_of(machine).tick()).load_percent) == "load.unsupported.counters"


def test_a_function_of_another_driver_is_not_counted(machine):
    machine.card(CARD, "i915")
    machine.functions(CARD, 1)
    machine.vm(1, *given("03:00.1"))
    assert silence_of(vm_of(sampler_of(machine).tick()).card_percent) is Silence.UNSUPPORTED


def test_i915_counts_nanoseconds(machine):
    unit = "sys/bus/event_source/devices/i915"
    machine.card("00:02.0", "i915")
    machine.tree.file(f"{unit}/type", "30").file(f"{unit}/events/rcs0-busy", "config=0x0")
    machine.tree.file(f"{unit}/events/rcs0-busy.unit", "ns").file(f"{unit}/events/interrupts", "config=0x100002")
    numbers = iter((1_000, 250_001_000))
    counters = CardCounters(
        machine.root,
        at("00:02.0"),
        "i915",
        opens=lambda *_: os.open(os.devnull, os.O_RDONLY),
        reads=lambda _: next(numbers),
    )
    counters.tick(0, 10.0)
    counted = counters.tick(0, 11.0)
    assert isinstance(counted, Known)
    assert counted.value.percent == 25.0
    counters.close()


def test_every_counter_is_closed(intel, with_counters):
    counters = with_counters(Counters())
    sampler = sampler_of(intel)
    sampler.tick()
    assert counters.opened
    sampler.close()
    for descriptor in counters.opened:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(descriptor)


def test_the_real_kernel_counts_or_says_why_not():
    software, task_clock = 1, 1
    try:
        descriptor = open_counter(software, task_clock)
    except OSError as error:
        refused = error.errno
    else:
        refused = None if read_counter(descriptor) >= 0 else EINVAL
        os.close(descriptor)
    assert refused in (None, *_NOT_HERE)


def test_an_event_that_no_kernel_has_is_refused():
    with pytest.raises(OSError, match=r"."):
        open_counter(0x7FFFFFFF, 0)

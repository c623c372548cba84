# SPDX-License-Identifier: GPL-3.0-or-later
"""What else slows a VM down: libvirt's counters, compared at the times that they are of."""

from __future__ import annotations

from fakes.hosts import UNREAD
from fakes.live_machine import uuid_of
from fakes.looking import sampler_of, value, vm_of
from vitrail.load.ports import DomainCounters
from vitrail.model.reading import Known
from vitrail.service.domain_stats import counters_of


class Stats:
    """libvirt, as a test lets it answer."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def counters(self):
        """The next answer."""
        return self.answers.pop(0)


def told(at: float, cpu: int, wait: int | None, disk: int | None):
    return Known({uuid_of(1): DomainCounters(at, cpu, 4, wait, disk)}, "test")


def test_processors_and_waiting_are_percentages_of_the_time(machine):
    machine.vm(1)
    stats = Stats(told(0.0, 0, 0, 0), told(2.0, 3_000_000_000, 800_000_000, 500_000_000))
    sampler = sampler_of(machine, stats=stats)
    first = vm_of(sampler.tick()).context
    assert first is not None
    assert value(first.cpu_percent) == "load.stale.first-look"
    context = vm_of(sampler.tick()).context
    assert context is not None
    numbers = (context.cpu_percent, context.vcpu_wait_percent, context.disk_wait_percent)
    assert [value(one) for one in numbers] == [150.0, 10.0, 25.0]


def test_the_last_comparison_stays_until_libvirt_answers_anew(machine):
    machine.vm(1)
    same = told(2.0, 2_000_000_000, None, None)
    sampler = sampler_of(machine, stats=Stats(told(0.0, 0, None, None), same, same))
    for _ in range(2):
        sampler.tick()
    context = vm_of(sampler.tick()).context
    assert context is not None
    assert value(context.cpu_percent) == 100.0
    assert value(context.vcpu_wait_percent) == "load.unsupported.libvirt"


def test_a_daemon_that_does_not_answer_is_unknown_and_no_zero(machine):
    machine.vm(1)
    context = vm_of(sampler_of(machine, stats=Stats(UNREAD)).tick()).context
    assert context is not None
    assert context.cpu_percent == UNREAD


def test_libvirts_many_names_become_four_numbers():
    numbers = {
        "cpu.time": 5,
        "vcpu.current": 2,
        "vcpu.0.wait": 10,
        "vcpu.0.delay": 7,
        "vcpu.1.wait": 20,
        "block.count": 2,
        "block.0.rd.times": 1,
        "block.1.wr.times": 2,
        "block.1.fl.times": 4,
    }
    assert counters_of(numbers, 3.0) == DomainCounters(3.0, 5, 2, 27, 7)
    assert counters_of({}, 3.0) == DomainCounters(3.0, 0, 1, None, None)

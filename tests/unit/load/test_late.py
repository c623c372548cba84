# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver that hangs: the tick goes on without it, its cards say so, and it is asked again once it is back."""

from __future__ import annotations

import os
import threading

import pynvml
import pytest

from fakes.looking import card_of, sampler_of, value
from vitrail.load.nvidia_turn import OwnThread
from vitrail.model.sample import Silence, silence_of
from vitrail.source.nvml_live import NvmlLive


class Hanging:
    """The library as it hangs and comes back."""

    def __init__(self, nvidia) -> None:
        self._nvidia = nvidia
        self._ends: list[int] = []

    def begin(self) -> None:
        """Hang from the next question on."""
        read, write = os.pipe()
        self._ends += [read, write]
        self._nvidia.hold(read)

    def end(self) -> None:
        """Come back."""
        os.write(self._ends[-1], b"x")

    def close(self) -> None:
        """Nobody hangs here any more."""
        for end in self._ends:
            os.close(end)


@pytest.fixture
def hanging(nvidia):
    made = Hanging(nvidia)
    yield made
    made.close()


@pytest.fixture
def sampler(machine, nvidia):
    machine.card("01:00.0", "nvidia")
    machine.amd("02:00.0", busy=7)
    nvidia.card("0000:01:00.0", gpu=55)
    made = sampler_of(machine, lambda: NvmlLive(pynvml), patience_s=0.5)
    made.tick()
    yield made
    made.close()


def loads(machine, sampler):
    machine.now += 1.0
    sample = sampler.tick()
    return [value(card_of(sample, place).load_percent) for place in (0, 1)]


def returned(sampler) -> None:
    """Wait until the question that hung has ended."""
    last = sampler._turn._thread._last
    assert last is not None
    assert last.wait(30)


def test_the_others_are_measured_while_a_library_hangs(machine, sampler, hanging):
    assert loads(machine, sampler) == [55.0, 7.0]
    hanging.begin()
    assert loads(machine, sampler) == ["load.stale.nvml-late", 7.0]
    assert silence_of(card_of(sampler.tick()).load_percent) is Silence.STALE
    hanging.end()
    returned(sampler)


def test_a_library_that_hangs_is_not_asked_again_before_it_came_back(machine, sampler, nvidia, hanging):
    hanging.begin()
    loads(machine, sampler)
    asked = nvidia.calls
    for _ in range(5):
        loads(machine, sampler)
    assert nvidia.calls == asked
    hanging.end()
    returned(sampler)


def test_one_that_came_back_is_measured_again_after_a_pause(machine, sampler, hanging):
    hanging.begin()
    loads(machine, sampler)
    hanging.end()
    returned(sampler)
    assert loads(machine, sampler)[0] == "load.stale.nvml-late"
    assert loads(machine, sampler)[0] == 55.0


def test_one_that_hangs_again_is_left_alone_for_longer(machine, sampler, hanging):
    pauses = []
    for _ in range(3):
        hanging.begin()
        loads(machine, sampler)
        hanging.end()
        returned(sampler)
        loads(machine, sampler)
        pauses.append(sampler._turn._again_at - machine.now)
        machine.now += pauses[-1]
    assert pauses == [1.0, 2.0, 4.0]


def test_closing_waits_for_nobody_who_hangs(machine, sampler, nvidia, hanging):
    hanging.begin()
    loads(machine, sampler)
    sampler.close()
    assert nvidia.open == 1
    hanging.end()
    for thread in threading.enumerate():
        if thread.name == "vitrail-nvml":
            thread.join(30)


def test_stepping_aside_lets_go_once_the_library_is_back(machine, sampler, nvidia, hanging, monkeypatch):
    monkeypatch.setattr("vitrail.load.nvidia_turn._FAREWELL_S", 0.05)
    hanging.begin()
    loads(machine, sampler)
    sampler.step_aside()
    assert nvidia.open == 1
    hanging.end()
    returned(sampler)
    assert nvidia.open == 0
    machine.now += 10.0
    assert loads(machine, sampler)[0] in ("load.stale.stepped-aside", "load.stale.nvml-late")
    sampler.resume()
    machine.now += 40.0
    assert loads(machine, sampler)[0] == 55.0


def test_a_fault_of_a_job_is_raised_where_it_was_given():
    thread = OwnThread("vitrail-test")

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        thread.run(fail, 30)
    done = []
    assert thread.run(lambda: done.append(1), 30)
    thread.close()
    assert done == [1]

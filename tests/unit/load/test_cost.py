# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tick costs, counted and not timed: system calls, open files, memory over 10,000 ticks."""

from __future__ import annotations

import os
import tracemalloc
from collections import Counter
from pathlib import Path

import pynvml
import pytest

from fakes.hosts import at
from fakes.live_machine import uuid_of
from fakes.looking import sampler_of
from vitrail.load.history import History
from vitrail.model.vm import Hostdev
from vitrail.source.kept_files import KeptFiles
from vitrail.source.nvml_live import NvmlLive

CALLS = ("open", "close", "read", "pread", "readlink", "listdir", "fstat", "stat")


@pytest.fixture
def counted(monkeypatch):
    """How often each call of `os` is made."""
    calls = Counter()

    def counting(name, really):
        def count(*words: object, **named: object) -> object:
            calls[name] += 1
            return really(*words, **named)

        return count

    for name in CALLS:
        monkeypatch.setattr(os, name, counting(name, getattr(os, name)))
    return calls


def crowd(machine, vms: int, cards: int) -> None:
    """So many AMD cards, and VMs that draw on them, each through a QEMU and a render server."""
    for card in range(cards):
        machine.amd(f"{card + 1:02x}:00.0")
    for number in range(vms):
        card = f"{number % cards + 1:02x}:00.0"
        machine.vm(number, drawn_on=card)
        pid = 1000 + 2 * number
        machine.process(pid, number=number)
        machine.process(pid + 1, name="virgl_render_se", parent=pid)
        machine.client(pid, 20, card, 2 * number, "drm-engine-gfx:\t0 ns", "drm-memory-vram:\t1 MiB")
        machine.client(pid + 1, 7, card, 2 * number, "drm-engine-gfx:\t0 ns", "drm-memory-vram:\t1 MiB")


def test_a_tick_reads_each_number_with_one_call_and_opens_nothing(machine, counted):
    crowd(machine, 10, 2)
    sampler = sampler_of(machine)
    for _ in range(2):
        sampler.tick()
        machine.now += 0.01
    counted.clear()
    sampler.tick()
    # Of each card its sleep and seven numbers; of each client, which two processes have open, one.
    assert counted == {"pread": 2 * 8 + 10}
    sampler.close()


def test_finding_files_is_spread_over_the_ticks(machine, counted):
    crowd(machine, 10, 2)
    sampler = sampler_of(machine)
    sampler.tick()
    machine.now += 1.0
    sampler.tick()
    most = 0
    for _ in range(10):
        machine.now += 1.0
        counted.clear()
        sampler.tick()
        most = max(most, counted["listdir"])
    # Two VMs of ten in one tick, two processes each, and sometimes /proc itself.
    assert most <= 5
    sampler.close()


def test_more_files_than_may_be_open_are_read_all_the_same(machine):
    machine.amd("03:00.0", busy=5)
    files = KeptFiles(machine.root, most_open=1)
    folder = "sys/bus/pci/devices/0000:03:00.0"
    for _ in range(2):
        assert files.read(f"{folder}/gpu_busy_percent") == b"5\n"
        assert files.read(f"{folder}/hwmon/hwmon3/pwm1") == b"51\n"
    assert len(files) == 1
    files.close()


@pytest.mark.timeout(200)
def test_ten_thousand_ticks_leave_nothing_behind(machine, nvidia):
    machine.card("0a:00.0", "nvidia")
    machine.functions("0a:00.0", 1)
    machine.amd("0b:00.0")
    card = nvidia.card("0000:0a:00.0", rule=3)
    machine.vm(1, Hostdev("pci", pci=at("0a:00.1")))
    machine.vm(2, drawn_on="0b:00.0")
    machine.process(100, number=2)
    share = nvidia.share(7, card, uuid_of(1))
    sampler = sampler_of(machine, lambda: NvmlLive(pynvml))
    history = History(None, machine.now)

    def ticks(count: int) -> None:
        for tick in range(count):
            machine.now += 1.0
            if tick % 10 == 0:
                # Clients come and go, and so do counters.
                machine.client(100, 20, "0b:00.0", tick // 100, f"drm-engine-gfx:\t{tick * 1000} ns")
                nvidia.load(share, int(machine.now * 1e6), tick % 100)
            history.add(sampler.tick())

    # History fills up first; what grows after that is a leak.
    ticks(4000)
    files = len(list(Path("/proc/self/fd").iterdir()))
    tracemalloc.start()
    ticks(500)
    before, _ = tracemalloc.get_traced_memory()
    ticks(6000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(list(Path("/proc/self/fd").iterdir())) <= files + 1
    # A minute's row in 60 ticks is what history keeps on purpose: 100 rows of three names.
    assert after - before < 400_000
    sampler.close()
    assert nvidia.open == 0

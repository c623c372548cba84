# SPDX-License-Identifier: GPL-3.0-or-later
"""Load for the desktop's tests: the real sampler on a machine whose numbers move, with a clock that a test turns."""

from __future__ import annotations

import math
import threading
from pathlib import Path

from fakes.live_machine import LiveMachine
from vitrail.load.history import History
from vitrail.load.ports import DomainCounters
from vitrail.load.sampler import LoadSampler
from vitrail.model.errors import VitrailError
from vitrail.model.machine import Host
from vitrail.model.reading import Known
from vitrail.model.sample import Sample

NOON = 1_763_640_000.0
_MIB = 1 << 20


class Counters:
    """Libvirt's counters of a VM whose processors and disks wait more and more."""

    def __init__(self, machine: LiveMachine, *uuids: str) -> None:
        self._machine, self._uuids = machine, uuids
        self.waits = 0.0
        self._waited = 0.0
        self._last = machine.now

    def counters(self) -> Known[dict[str, DomainCounters]]:
        passed, self._last = self._machine.now - self._last, self._machine.now
        self._waited += passed * self.waits
        busy = round((self._machine.now - 1000) * 0.9e9)
        waited = round(self._waited * 1e9)
        return Known(
            {uuid: DomainCounters(self._machine.now, busy, 4, waited, waited // 3) for uuid in self._uuids}, "libvirt"
        )


class MovingLoad:
    """What a Workplace's live load answers, with every tick one second later than the last."""

    def __init__(self, machine: LiveMachine, folder: Path | None = None, stats: Counters | None = None) -> None:
        self.machine = machine
        self.folder = folder
        self.seconds = 1.0
        self.closed = False
        self.fails: VitrailError | None = None
        self.aside: list[str] = []
        self.asked: list[str] = []
        self.threads: set[str] = set()
        self.host = machine.host()
        self.sampler = LoadSampler(machine.root, clock=machine.clock, wall=self._wall, stats=stats)
        self.sampler.know(self.host)
        self._busy: dict[int, int] = {}

    def _wall(self) -> float:
        return NOON + self.machine.now - 1000

    def draw(self, number: int, pid: int, card: str, share: float, size: int = 410) -> None:
        """A VM's process was busy for this part of the time since the last tick, and holds so many MiB."""
        self._busy[number] = self._busy.get(number, 0) + round(share * self.seconds * 1e9)
        lines = (f"drm-engine-gfx:\t{self._busy[number]} ns", f"drm-memory-vram:\t{size} MiB")
        self.machine.client(pid, 20, card, number, *lines)

    def folder_of(self, address: str) -> Path:
        """Where the files of a card are."""
        return self.machine.folder / self.machine.tree.place_of(f"0000:{address}")

    def know(self, host: Host) -> None:
        self.host = host
        self.sampler.know(host)

    def tick(self) -> Sample:
        self.threads.add(threading.current_thread().name)
        if self.fails is not None:
            raise self.fails
        self.machine.now += self.seconds
        self.move()
        return self.sampler.tick()

    def move(self) -> None:
        """What changes with a tick; a test may put something else here."""
        now = self.machine.now
        self.machine.card_file("03:00.0", "gpu_busy_percent", round(50 + 30 * math.sin(now / 7)))
        self.machine.card_file("03:00.0", "mem_info_vram_used", (3000 + round(now)) * _MIB)
        self.draw(1, 100, "03:00.0", 0.42 + 0.2 * math.sin(now / 7))
        self.draw(2, 200, "03:00.0", 0.10 + 0.05 * math.sin(now / 3), size=round(now / 4))

    def permit_root(self) -> None:
        self.asked.append("permit")

    def let_guest(self, uuid: str, *, ask: bool) -> None:
        self.asked.append(f"{uuid} {ask}")

    def step_aside(self) -> None:
        self.aside.append("aside")
        self.sampler.step_aside()

    def resume(self) -> None:
        self.aside.append("back")
        self.sampler.resume()

    def history(self) -> History:
        return History(self.folder, self._wall())

    def close(self) -> None:
        self.closed = True
        self.sampler.close()


def moving(folder: Path, *, waits: bool = False, **said: str) -> MovingLoad:
    """Two cards, a share of one that this computer cannot see into, and four VMs."""
    machine = LiveMachine(folder)
    machine.amd("03:00.0", busy=40, vram_mib=3000)
    machine.card("09:00.0", "xe")
    machine.vm(1, drawn_on="03:00.0", name=said.get("name", "cad-studio"))
    machine.vm(2, drawn_on="03:00.0", name="fedora-desk")
    machine.vm(3, name="old-xp")
    for number in (1, 2):
        machine.process(number * 100, number=number)
    machine.names = {"03:00.0": "Radeon RX 7600", "09:00.0": "Arc Pro B50"}
    stats = Counters(machine, *(vm.uuid for vm in machine.host().vms.value)) if waits else None  # type: ignore[union-attr]
    return MovingLoad(machine, stats=stats)

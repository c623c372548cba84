# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load of one place: looks at the machine when something changed, then samples as often as it is asked.

Apart from the view because it stays: it holds files, counters and NVIDIA's library until it is closed.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from vitrail.load.history import History
from vitrail.load.ports import GuestAsk, RootFeed
from vitrail.load.sampler import LoadSampler
from vitrail.model.errors import Refused, VitrailError
from vitrail.model.machine import Host, MachineKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Unknown
from vitrail.model.sample import Sample
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.service.asked_guests import AskedGuests
from vitrail.service.deadlines import LateError, Task
from vitrail.service.domain_stats import LibvirtStats
from vitrail.service.guest_ask import GuestAgents, Vendor
from vitrail.service.libvirt_session import Session
from vitrail.service.place import Place, find_place
from vitrail.service.root_feed import HelperFeed
from vitrail.service.view import View
from vitrail.source import nvml
from vitrail.source.nvml_live import NvmlLive

_LOOK_AGAIN_S = 30.0
_LOOK_WAIT_S = 0.2
"""How long a tick waits for a new look, so that what came or went is in it where nothing hangs."""


def open_load(machine: str | None, connect: str | None) -> LiveLoad:
    """The load of what `--machine` or `--connect` names, else of this computer. Raises Unreadable."""
    return LiveLoad(find_place(machine, connect))


class LiveLoad:
    """The load of one place. `tick` is for one thread; `step_aside` and `resume` are for that thread too."""

    def __init__(
        self, place: Place, view: View | None = None, *, feed: RootFeed | None = None, guests: GuestAsk | None = None
    ) -> None:
        self._place = place
        self._own_view = view is None
        self._view = view or View(place)
        self._changed = threading.Event()
        self._host: Host | None = None
        self._looked_at = 0.0
        self._looking: Task[Host] | None = None
        self._guests = guests if guests is not None else _guests(place, self._vendor)
        self._feed = feed if feed is not None else _feed(place)
        self.sampler = LoadSampler(
            place.root,
            _library,
            feed=self._feed,
            guests=self._guests,
            stats=_stats(place),
            silent=_silent(place.kind),
        )

    @property
    def kind(self) -> MachineKind:
        """Whether this is the machine itself, a recording, the demo or another computer."""
        return self._place.kind

    @property
    def label(self) -> Text:
        """What the user calls this place."""
        return self._place.label

    @property
    def measures(self) -> bool:
        """Whether there is anything to measure here; a recording does nothing."""
        return self._place.kind is MachineKind.REAL

    @property
    def host(self) -> Host:
        """The machine as it was looked at last."""
        return self._host if self._host is not None else self._look()

    def find_vm(self, name_or_uuid: str) -> Vm:
        """The VM with this name or UUID. Raises Refused, Unreachable."""
        return self._view.find_vm(self.host, name_or_uuid)

    def follow(self) -> None:
        """Hear of VMs and devices that come and go, so that the next tick knows them."""
        self._view.watch(lambda _happening: self._changed.set())

    def know(self, host: Host) -> None:
        """The machine as somebody else has just read it."""
        self._host, self._looked_at = host, time.monotonic()
        self.sampler.know(host)

    def tick(self) -> Sample:
        """What every card and VM does now. Only the first look at the machine is waited for."""
        late = time.monotonic() - self._looked_at > _LOOK_AGAIN_S
        if self._host is None:
            self._look()
        elif self._looking is None and (self._changed.is_set() or (late and self.measures)):
            self._changed.clear()
            self._looking = Task(lambda _beat: self._view.read())
            self._see(_LOOK_WAIT_S)
        else:
            self._see(0.0)
        return self.sampler.tick()

    def _look(self) -> Host:
        self._changed.clear()
        host = self._view.read()
        self.know(host)
        return host

    def _see(self, seconds: float) -> None:
        """Take what a look found, once it did; a libvirt that hangs makes no tick wait for it."""
        if self._looking is None:
            return
        try:
            host = self._looking.result(seconds)
        except LateError:
            return
        except VitrailError:
            # As it was known before; it is looked at again later.
            self._looking, self._looked_at = None, time.monotonic()
            return
        self._looking = None
        self.know(host)

    def permit_root(self) -> None:
        """Let the helper be asked, with a password dialog where polkit wants one; waits for it. Raises VitrailError."""
        if isinstance(self._feed, HelperFeed):
            self._feed.permit()

    def asks_guest(self, uuid: str) -> bool:
        """Whether this VM is asked what the card does that it has whole."""
        return isinstance(self._guests, GuestAgents) and self._guests.asks(uuid)

    def let_guest(self, uuid: str, *, ask: bool) -> None:
        """Ask this VM from now on, or no longer; kept in the state folder. Raises Refused, Unreachable."""
        if not isinstance(self._guests, GuestAgents):
            raise Refused(text("service.load.no-guests"))
        self._guests.let(uuid, ask=ask)

    def _vendor(self, card: PciAddress) -> int | None:
        gpu = None if self._host is None else self._host.gpu_at(card)
        return None if gpu is None else gpu.device.identity.vendor_id

    def step_aside(self) -> None:
        """Let go of every card, because one of them is about to change hands; until `resume`."""
        self.sampler.step_aside()

    def resume(self) -> None:
        """Look at the machine anew and measure on."""
        self.sampler.resume()
        self._changed.set()

    def history(self) -> History:
        """What the load of this place was; kept in its state folder where there is something to measure."""
        folder: Path | None = self._place.state.path / "load" if self.measures else None
        return History(folder, time.time())

    def close(self) -> None:
        """Let go of everything."""
        self.sampler.close()
        if isinstance(self._guests, GuestAgents):
            self._guests.close()
        if self._own_view:
            self._view.close()


def _library() -> NvmlLive | None:
    found = nvml.library()
    return None if found is None else NvmlLive(found)


def _silent(kind: MachineKind) -> Unknown | None:
    match kind:
        case MachineKind.REAL:
            return None
        case MachineKind.REMOTE:
            return Unknown(text("load.unsupported.remote"))
    return Unknown(text("load.unsupported.recorded"))


def _guests(place: Place, vendor: Vendor) -> GuestAgents | None:
    """Only where VMs can be asked, and where something is measured besides."""
    if place.kind is not MachineKind.REAL:
        return None
    from vitrail.service.libvirt_store import LibvirtStore  # noqa: PLC0415 - only where there is a libvirt

    if not isinstance(place.store, LibvirtStore):
        return None
    return GuestAgents(Session(place.store.session.address), AskedGuests(place.state), vendor)


def _feed(place: Place) -> RootFeed | None:
    """Whoever asks as root sees everything already."""
    return HelperFeed(place.root) if place.kind is MachineKind.REAL and os.geteuid() != 0 else None


def _stats(place: Place) -> LibvirtStats | None:
    if place.kind not in (MachineKind.REAL, MachineKind.REMOTE):
        return None
    from vitrail.service.libvirt_store import LibvirtStore  # noqa: PLC0415 - only where there is a libvirt

    return LibvirtStats(place.store.session) if isinstance(place.store, LibvirtStore) else None

# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the user named (a recording, a libvirt URI, nothing) to the place where the verbs work.

Only what the place needs is imported: a recording is read without libvirt, a machine without the recordings' reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vitrail.model.boots import LastBoot
from vitrail.model.errors import Unreadable
from vitrail.model.machine import MachineKind
from vitrail.model.text import Text, text
from vitrail.service.state import StateFolder, find_state_folder
from vitrail.service.stores import DomainStore
from vitrail.service.uri import DEFAULT, Address, read_uri
from vitrail.source.names import Names
from vitrail.source.nvml import Nvml, NvmlSource
from vitrail.source.root import AbsentRoot, FolderRoot, Root

if TYPE_CHECKING:
    from vitrail.service.host_port import HostPort
    from vitrail.service.simulated_files import SimulatedFiles
    from vitrail.service.user_files import UserFiles

DEMO = "demo"
_HELPER_SERVICES = (
    "usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service",
    "usr/share/dbus-1/system-services/org.vitrail.Helper1.service",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the verbs work: facts from `root`, domains from `store`, Vitrail's own files in `state`.

    `host`: another port to the computer than the place's kind has. `simulation`: a recording's files as they would be.
    """

    kind: MachineKind
    connection: str
    label: Text
    root: Root
    names: Names
    nvml: NvmlSource | None
    store: DomainStore
    state: StateFolder
    host: HostPort | None = None
    simulation: SimulatedFiles | None = None
    boots: tuple[LastBoot, ...] = ()
    """The last starts of a recorded computer."""

    @property
    def root_now(self) -> Root:
        """Where facts are read: for a recording with what was simulated on it."""
        return self.root if self.simulation is None else self.simulation.root

    @property
    def may_have_host_runs(self) -> bool:
        """Whether the computer may have been changed by somebody whose journal is not here."""
        return self.kind is MachineKind.REAL and (self.host is not None or helper_is_installed(self.root))

    def open_host(self, files: Callable[[], Root] | None = None) -> HostPort:
        """The door through which this computer is changed; `files`: its files, with those that only root reads."""
        if self.host is not None:
            return self.host
        if self.simulation is not None:
            from vitrail.service.host_simulated import HostSimulated  # noqa: PLC0415 - only where it is changed

            return HostSimulated(self.simulation, self.state)
        if self.kind is MachineKind.REAL:
            from vitrail.service.host_here import HostHere  # noqa: PLC0415 - likewise

            return HostHere(self.root, files=files)
        from vitrail.service.host_port import no_host  # noqa: PLC0415 - likewise

        return no_host()

    def open_user_files(self) -> UserFiles:
        """The user's own configuration; for a recording a copy that lies with what was simulated."""
        from vitrail.service.user_files import UserFiles  # noqa: PLC0415 - likewise

        if self.simulation is None:
            return UserFiles()
        return UserFiles(self.state.path.joinpath(*self.simulation.simulation, "config"))


def helper_is_installed(root: Root) -> bool:
    """Whether this computer has a root helper to ask."""
    return any(root.exists(path) for path in _HELPER_SERVICES)


def find_place(machine: str | None, connect: str | None, *, state_folder: Path | None = None) -> Place:
    """The place of `--machine` or `--connect`; without either, this computer and its system libvirt.

    Opens no connection yet. Raises Unreadable for a recording or URI that is not one.
    """
    if machine is not None and connect is not None:
        raise Unreadable(text("service.place.two-places"), text("service.place.name-one"))
    state = StateFolder(state_folder or find_state_folder())
    if machine is not None:
        return _recording(machine, state)
    return _daemon(read_uri(connect if connect is not None else DEFAULT), state, told=connect is not None)


def _daemon(address: Address, state: StateFolder, *, told: bool) -> Place:
    from vitrail.service.libvirt_session import Session  # noqa: PLC0415 - only for a libvirt
    from vitrail.service.libvirt_store import LibvirtStore  # noqa: PLC0415 - likewise

    root = FolderRoot("/") if address.local else AbsentRoot()
    kind = MachineKind.REAL if address.local else MachineKind.REMOTE
    if not address.local:
        label = text("service.place.remote", uri=address.uri)
    else:
        label = text("service.place.daemon", uri=address.uri) if told else text("service.place.here")
    store = LibvirtStore(Session(address))
    # Opened only while a card's driver is NVIDIA's and no such card sleeps.
    nvml = Nvml() if address.local else None
    return Place(kind, address.uri, label, root, Names(root), nvml, store, state)


def _recording(machine: str, state: StateFolder) -> Place:
    from vitrail.service.recording_store import RecordingStore  # noqa: PLC0415 - only for recordings
    from vitrail.service.simulated_files import SimulatedFiles  # noqa: PLC0415 - likewise
    from vitrail.source.recording import open_recording  # noqa: PLC0415 - likewise
    from vitrail.source.resources import demo_path  # noqa: PLC0415 - likewise

    is_demo = machine == DEMO
    path = demo_path() if is_demo else Path(machine)
    recording = open_recording(path)
    real_path = str(path.resolve())
    # The demo machine moves with every installation; its changes stay with its name.
    connection = f"machine:{DEMO}" if is_demo else f"machine:{real_path}"
    label = text("service.place.demo") if is_demo else text("service.place.recording", path=real_path)
    kind = MachineKind.DEMO if is_demo else MachineKind.RECORDING
    store = RecordingStore(recording, state, connection)
    names = Names(recording.root, recording.names)
    simulation = SimulatedFiles(recording.root, state, connection)
    facts = (recording.root, names, recording.nvml, store, state)
    return Place(kind, connection, label, *facts, simulation=simulation, boots=recording.boots)

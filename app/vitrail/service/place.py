# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the user named (a recording, a libvirt URI, nothing) to the place where the verbs work.

Only what the place needs is imported: a recording is read without libvirt, a machine without the recordings' reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vitrail.model.errors import Unreadable
from vitrail.model.machine import MachineKind
from vitrail.model.text import Text, text
from vitrail.service.state import StateFolder, find_state_folder
from vitrail.service.stores import DomainStore
from vitrail.service.uri import DEFAULT, Address, read_uri
from vitrail.source.names import Names
from vitrail.source.nvml import Nvml, NvmlSource
from vitrail.source.root import AbsentRoot, FolderRoot, Root

DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the verbs work: facts from `root`, domains from `store`, Vitrail's own files in `state`."""

    kind: MachineKind
    connection: str
    label: Text
    root: Root
    names: Names
    nvml: NvmlSource | None
    store: DomainStore
    state: StateFolder


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
    return Place(kind, connection, label, recording.root, names, recording.nvml, store, state)

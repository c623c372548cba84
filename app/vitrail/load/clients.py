# SPDX-License-Identifier: GPL-3.0-or-later
"""What each VM draws, from the kernel's account of every open file of a graphics card (DRM fdinfo).

One client may be open in several descriptors and several processes (QEMU hands them to its render server): it is read
and counted once. Finding the files is spread over several ticks, reading them is one call each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from errno import EACCES, EPERM

from vitrail.load.ports import RootFeed
from vitrail.load.processes import VmProcesses
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import EngineLoad
from vitrail.model.text import text
from vitrail.source.fdinfo import DrmCounters, DrmIdentity, read_counters, read_identity
from vitrail.source.kept_files import KeptFiles
from vitrail.source.root import Root

_MIB = 1024 * 1024
_EVERY_S = 5.0
"""How old the list of a VM's files may be."""
_MOST_PERCENT = 100.0

Key = tuple[PciAddress | None, int]

FIRST_LOOK = Unknown(text("load.stale.first-look"))
_SOURCE = "/proc/PID/fdinfo"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What one VM did on one card since the last tick: its busiest part, every part, the memory it has."""

    percent: Reading[float]
    engines: tuple[EngineLoad, ...]
    memory_mib: int


@dataclass(slots=True)
class _Client:
    """One client of one card: where it is read, what was read last."""

    path: str
    identity: DrmIdentity
    content: bytes
    counters: DrmCounters
    read_at: float
    busy: dict[str, float] = field(default_factory=dict)
    """Percent of each part at the last tick."""
    fresh: bool = True
    """Whether it was read only once so far."""


@dataclass(slots=True)
class _Files:
    """The open card files of one VM: which client each path is, when that was looked at, what forbade it."""

    targets: dict[str, str] = field(default_factory=dict)
    clients: dict[Key, _Client] = field(default_factory=dict)
    pids: tuple[int, ...] = ()
    looked_at: float | None = None
    forbidden: tuple[int, ...] = ()


class ClientSampler:
    """The DRM clients of every VM that draws on this machine."""

    def __init__(self, root: Root, files: KeptFiles, processes: VmProcesses, feed: RootFeed | None) -> None:
        self._root = root
        self._files = files
        self._processes = processes
        self._feed = feed
        self._of: dict[str, _Files] = {}

    def tick(self, uuids: Iterable[str], now: float) -> dict[str, Reading[Mapping[PciAddress | None, Drawing]]]:
        """For each of these VMs what it draws, by card."""
        wanted = tuple(dict.fromkeys(uuids))
        for gone in self._of.keys() - set(wanted):
            self._drop(self._of.pop(gone))
        self._look_at_some(wanted, now)
        return {uuid: self._drawings(self._of[uuid], now) for uuid in wanted}

    def _look_at_some(self, uuids: tuple[str, ...], now: float) -> None:
        """Renew the oldest lists: all in `_EVERY_S`, so that no tick has to renew many."""
        due = []
        for uuid in uuids:
            files = self._of.setdefault(uuid, _Files())
            pids = self._processes.of(uuid)
            if files.looked_at is None or pids != files.pids:
                self._look(files, pids, now)
            elif now - files.looked_at >= _EVERY_S:
                due.append(files)
        due.sort(key=lambda files: files.looked_at or 0.0)
        for files in due[: max(1, -(-len(uuids) // int(_EVERY_S)))]:
            self._look(files, files.pids, now)

    def _look(self, files: _Files, pids: tuple[int, ...], now: float) -> None:
        files.looked_at, files.pids, files.forbidden = now, pids, ()
        targets: dict[str, str] = {}
        for pid in pids:
            try:
                targets |= self._card_files(pid)
            except OSError as error:
                if error.errno in (EACCES, EPERM):
                    files.forbidden += (pid,)
                else:
                    self._processes.forget(pid)
        gone = {path for path, target in files.targets.items() if targets.get(path) != target}
        files.targets = targets
        lost = [key for key, client in files.clients.items() if client.path in gone]
        for path in gone:
            self._files.forget(path)
        for key in lost:
            del files.clients[key]
        # A client whose first descriptor is gone may live on in another one.
        self._meet(files, targets if lost else targets.keys() - gone, now)

    def _card_files(self, pid: int) -> dict[str, str]:
        found = {}
        for name in self._root.names(f"proc/{pid}/fd"):
            try:
                target = self._root.link(f"proc/{pid}/fd/{name}")
            except FileNotFoundError:
                continue
            if target.startswith("/dev/dri/"):
                found[f"proc/{pid}/fdinfo/{name}"] = target
        return found

    def _meet(self, files: _Files, paths: Iterable[str], now: float) -> None:
        known = {client.path for client in files.clients.values()}
        for path in paths:
            if path in known:
                continue
            try:
                content = self._root.read_bytes(path)
            except OSError:
                continue
            self._add(files, path, content, now)

    def _add(self, files: _Files, path: str, content: bytes, now: float) -> _Client | None:
        identity = read_identity(content)
        if identity is None:
            return None
        key = (identity.card, identity.client)
        if key not in files.clients:
            files.clients[key] = _Client(path, identity, content, read_counters(content), now)
        return files.clients[key]

    def _drawings(self, files: _Files, now: float) -> Reading[Mapping[PciAddress | None, Drawing]]:
        if not files.pids:
            return Unknown(text("load.stale.no-process"))
        for key, client in list(files.clients.items()):
            if client.path and not self._read(client, now):
                del files.clients[key]
        if files.forbidden:
            refused = self._from_root(files, now)
            if refused is not None:
                return refused
        return Known(_by_card(files.clients.values()), _SOURCE)

    def _read(self, client: _Client, now: float) -> bool:
        try:
            content = self._files.read(client.path)
        except OSError:
            return False
        return _compare(client, content, now)

    def _from_root(self, files: _Files, now: float) -> Unknown | None:
        """What the helper sees of the processes that this user may not look into."""
        if self._feed is None:
            return Unknown(text("load.needs-helper.fdinfo"))
        told = self._feed.drm_clients(files.forbidden)
        if isinstance(told, Unknown):
            return told
        present = set()
        for raw in told.value:
            identity = read_identity(raw.text)
            if identity is None or (identity.card, identity.client) in present:
                continue
            key = (identity.card, identity.client)
            present.add(key)
            client = files.clients.get(key)
            if client is None or client.path or not _compare(client, raw.text, now):
                files.clients.pop(key, None)
                self._add(files, "", raw.text, now)
        for key in [key for key, client in files.clients.items() if not client.path and key not in present]:
            del files.clients[key]
        return None

    def _drop(self, files: _Files) -> None:
        for path in files.targets:
            self._files.forget(path)

    def close(self) -> None:
        """Let go of every file."""
        for files in self._of.values():
            self._drop(files)
        self._of = {}


def _compare(client: _Client, content: bytes, now: float) -> bool:
    """Work out what a client did since the last reading. False where the descriptor is another client's now."""
    passed = now - client.read_at
    if passed <= 0:
        return True
    client.fresh = False
    client.read_at = now
    if content == client.content:
        if client.busy:
            client.busy = dict.fromkeys(client.busy, 0.0)
        return True
    if client.identity.line not in content:
        return False
    before, counters = client.counters, read_counters(content)
    busy: dict[str, float] = {}
    for name, ns in counters.busy_ns.items():
        done = ns - before.busy_ns.get(name, ns)
        if done < 0:
            # Drivers add up contexts that come and go; a counter that fell waits until it has caught up.
            counters.busy_ns[name] = before.busy_ns[name]
        busy[name] = _percent(done, passed * 1e9, counters.capacity.get(name, 1))
    for name, (cycles, ticks) in counters.ticks.items():
        last, last_ticks = before.ticks.get(name, (cycles, ticks))
        if cycles < last or ticks < last_ticks:
            counters.ticks[name] = (max(cycles, last), max(ticks, last_ticks))
        busy[name] = _percent(cycles - last, ticks - last_ticks, counters.capacity.get(name, 1))
    client.busy, client.content, client.counters = busy, content, counters
    return True


def _percent(done: float, possible: float, capacity: int) -> float:
    if done <= 0 or possible <= 0:
        return 0.0
    return min(_MOST_PERCENT, 100.0 * done / possible / max(1, capacity))


def _by_card(clients: Iterable[_Client]) -> dict[PciAddress | None, Drawing]:
    cards: dict[PciAddress | None, list[_Client]] = {}
    for client in clients:
        cards.setdefault(client.identity.card, []).append(client)
    return {card: _together(of_card) for card, of_card in cards.items()}


def _together(clients: list[_Client]) -> Drawing:
    busy: dict[str, float] = {}
    for client in clients:
        for name, percent in client.busy.items():
            busy[name] = busy.get(name, 0.0) + percent
    engines = tuple(EngineLoad(name, min(_MOST_PERCENT, busy[name])) for name in sorted(busy))
    return Drawing(_busiest(clients, engines), engines, _memory(clients) // _MIB)


def _busiest(clients: list[_Client], engines: tuple[EngineLoad, ...]) -> Reading[float]:
    if not any(client.counters.busy_ns or client.counters.ticks for client in clients):
        return Unknown(text("load.unsupported.no-engines", driver=clients[0].identity.driver))
    if all(client.fresh for client in clients):
        return FIRST_LOOK
    return Known(max((engine.percent for engine in engines), default=0.0), _SOURCE)


def _memory(clients: list[_Client]) -> int:
    if len(clients) == 1:
        return clients[0].counters.card_bytes
    # What several have together is counted once, with the one that says the most of it.
    shared = [client.counters.shared_bytes for client in clients]
    own = sum(max(0, client.counters.card_bytes - part) for client, part in zip(clients, shared, strict=True))
    return own + max(shared, default=0)

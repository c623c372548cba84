# SPDX-License-Identifier: GPL-3.0-or-later
"""What each VM draws, from the kernel's account of every open file of a graphics card (DRM fdinfo).

One client may be open in several descriptors and several processes (QEMU hands them to its render server): it is read
and counted once. Finding the files is spread over several ticks, reading them is one call each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from errno import EACCES, EPERM
from functools import lru_cache
from itertools import compress, count

from vitrail.load.ports import RootFeed
from vitrail.load.processes import VmProcesses
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import EngineLoad
from vitrail.model.text import text
from vitrail.source.fdinfo import DrmCounters, DrmIdentity, Engine, read_identity
from vitrail.source.kept_files import KeptFiles
from vitrail.source.root import Root

_MIB = 1024 * 1024
_EVERY_S = 5.0
"""How old the list of a VM's files may be."""
_TARGETS_S = 30.0
"""How old the targets of files may be whose names have not changed: a number may lead to another file."""
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


Drawings = tuple[tuple[PciAddress | None, Drawing], ...]
"""What a VM did on each card; the card is None where its driver does not tell which it is."""


@dataclass(slots=True)
class _Client:
    """One client of one card: where it is read, what it had used at the last tick, how busy it was since."""

    path: str
    identity: DrmIdentity
    counters: DrmCounters
    read_at: float
    before: list[int]
    busy: list[float] | None = None
    """Percent of each part at the last tick, None for nothing at all."""
    fresh: bool = True
    """Whether it was read only once so far."""


@dataclass(slots=True)
class _Files:
    """The open card files of one VM: which client each path is, when that was looked at, what forbade it."""

    targets: dict[str, str] = field(default_factory=dict)
    names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """The names of every open file of each process, at the last look."""
    read_at: float = 0.0
    """When the names' targets were last read, all of them."""
    clients: dict[Key, _Client] = field(default_factory=dict)
    by_card: dict[PciAddress | None, list[_Client]] | None = None
    """The clients by card, None where that has to be worked out anew."""
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

    def tick(self, uuids: Iterable[str], now: float) -> dict[str, Reading[Drawings]]:
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
            files = self._of.get(uuid)
            if files is None:
                files = self._of[uuid] = _Files()
            pids = self._processes.of(uuid)
            if files.looked_at is None or pids != files.pids:
                self._look(files, pids, now)
            elif now - files.looked_at >= _EVERY_S:
                due.append(files)
        due.sort(key=lambda files: files.looked_at or 0.0)
        for files in due[: max(1, -(-len(uuids) // int(_EVERY_S)))]:
            self._look(files, files.pids, now)

    def _look(self, files: _Files, pids: tuple[int, ...], now: float) -> None:
        files.looked_at = now
        if pids == files.pids and now - files.read_at < _TARGETS_S and self._same_names(files):
            return
        files.pids, files.forbidden, files.names, files.read_at = pids, (), {}, now
        targets: dict[str, str] = {}
        for pid in pids:
            try:
                targets |= self._card_files(files, pid)
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
        files.by_card = None
        # A client whose first descriptor is gone may live on in another one.
        self._meet(files, targets if lost else targets.keys() - gone, now)

    def _same_names(self, files: _Files) -> bool:
        """Whether every process has the same files open, as far as their numbers tell."""
        try:
            return all(self._root.names(f"proc/{pid}/fd") == files.names.get(pid) for pid in files.pids)
        except OSError:
            return False

    def _card_files(self, files: _Files, pid: int) -> dict[str, str]:
        """Which of its files are a card's."""
        names, folder = self._root.names(f"proc/{pid}/fd"), f"proc/{pid}/fdinfo/"
        files.names[pid] = names
        found = {}
        for name in names:
            try:
                target = self._root.link(f"proc/{pid}/fd/{name}")
            except FileNotFoundError:
                continue
            if target.startswith("/dev/dri/"):
                found[folder + name] = target
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
            counters = DrmCounters(content)
            files.clients[key] = _Client(path, identity, counters, now, counters.values.copy())
            files.by_card = None
        return files.clients[key]

    def _drawings(self, files: _Files, now: float) -> Reading[Drawings]:
        if not files.pids:
            return Unknown(text("load.stale.no-process"))
        self._read(files, now)
        if files.forbidden:
            refused = self._from_root(files)
            if refused is not None:
                return refused
        if files.by_card is None:
            files.by_card = _by_card(files.clients.values())
        # Pairs and no mapping: an address is slow to hash, and there is one card, hardly ever two.
        return Known(tuple([(card, _together(clients)) for card, clients in files.by_card.items()]), _SOURCE)

    def _read(self, files: _Files, now: float) -> None:
        gone, read = [], self._files.read
        for key, client in files.clients.items():
            if client.path:
                try:
                    content = read(client.path)
                except OSError:
                    gone.append(key)
                    continue
                if content == client.counters.content and now > client.read_at:
                    # Most clients do nothing most of the time.
                    client.busy, client.fresh, client.read_at = None, False, now
                elif not _compare(client, content, now):
                    gone.append(key)
        if gone:
            _forget(files, gone)

    def _from_root(self, files: _Files) -> Unknown | None:
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
            # It compares with the time of its own reading: an answer that is told twice is not two of them.
            if client is None or client.path or not _compare(client, raw.text, raw.taken_at):
                _forget(files, [key])
                self._add(files, "", raw.text, raw.taken_at)
        _forget(files, [key for key, client in files.clients.items() if not client.path and key not in present])
        return None

    def _drop(self, files: _Files) -> None:
        for path in files.targets:
            self._files.forget(path)

    def close(self) -> None:
        """Let go of every file."""
        for files in self._of.values():
            self._drop(files)
        self._of = {}


def _forget(files: _Files, keys: list[Key]) -> None:
    for key in keys:
        files.clients.pop(key, None)
    # Its number may be another client's now, so everything is looked at.
    files.by_card, files.names = None, {}


def _compare(client: _Client, content: bytes, now: float) -> bool:
    """Work out what a client did since the last reading. False where the descriptor is another client's now."""
    passed = now - client.read_at
    if passed <= 0:
        return True
    counters, engines = client.counters, client.counters.engines
    same = counters.read(content)
    if same is None:
        return False
    client.read_at, client.fresh = now, False
    if not same:
        _find_again(client, engines)
    changed = counters.changed if same else tuple(range(len(counters.values)))
    client.busy = _busy(client, changed, passed * 1e9) if changed else None
    return True


def _find_again(client: _Client, engines: tuple[Engine, ...]) -> None:
    """A part came or went, as a driver leaves out what was never used: the others go on from where they were."""
    counters, before = client.counters, client.before
    client.before = counters.values.copy()
    old = {engine.name: engine for engine in engines}
    for engine in counters.engines:
        known = old.get(engine.name)
        if known is not None:
            client.before[engine.busy] = before[known.busy]
            if engine.passed is not None and known.passed is not None:
                client.before[engine.passed] = before[known.passed]


def _busy(client: _Client, changed: tuple[int, ...], passed_ns: float) -> list[float]:
    counters, before, values = client.counters, client.before, client.counters.values
    engines, by_slot = counters.engines, counters.by_slot
    busy = [0.0] * len(engines)
    for slot in changed:
        place, done = by_slot.get(slot), values[slot] - before[slot]
        if place is None or done <= 0:
            continue
        engine = engines[place]
        possible = passed_ns if engine.passed is None else values[engine.passed] - before[engine.passed]
        if possible > 0:
            percent = 100.0 * done / possible / engine.capacity
            busy[place] = min(_MOST_PERCENT, percent)
    for slot in changed:
        # Drivers add up contexts that come and go; a counter that fell waits until it has caught up.
        if values[slot] > before[slot]:  # noqa: PLR1730 - a call for each number of each client
            before[slot] = values[slot]
    return busy


def _by_card(clients: Iterable[_Client]) -> dict[PciAddress | None, list[_Client]]:
    cards: dict[PciAddress | None, list[_Client]] = {}
    for client in clients:
        cards.setdefault(client.identity.card, []).append(client)
    return cards


def _together(clients: list[_Client]) -> Drawing:
    told = [client for client in clients if client.busy is not None]
    names = (told or clients)[0].counters.names
    busy: list[float]
    if len(told) == 1:
        busy = told[0].busy or []
    elif any(client.counters.names != names for client in told):
        names, busy = _by_name(clients)
    else:
        busy = [sum(parts) for parts in zip(*(client.busy or () for client in told), strict=True)]
    engines = _all_at_rest(names)
    if busy:
        parts = list(engines)
        for place in compress(count(), busy):
            parts[place] = EngineLoad(names[place], min(busy[place], _MOST_PERCENT))
        engines = tuple(parts)
    return Drawing(_busiest(clients, busy), engines, _memory(clients) // _MIB)


def _by_name(clients: list[_Client]) -> tuple[tuple[str, ...], list[float]]:
    busy: dict[str, float] = {}
    for client in clients:
        for name, percent in zip(client.counters.names, client.busy or (), strict=False):
            busy[name] = busy.get(name, 0.0) + percent
    names = tuple(sorted(busy))
    return names, [busy[name] for name in names]


@lru_cache(maxsize=256)
def _all_at_rest(names: tuple[str, ...]) -> tuple[EngineLoad, ...]:
    """Most parts of most cards do nothing most of the time: said once and shared."""
    return tuple(EngineLoad(name, 0.0) for name in names)


def _busiest(clients: list[_Client], busy: list[float]) -> Reading[float]:
    if not busy and not any(client.counters.engines for client in clients):
        return Unknown(text("load.unsupported.no-engines", driver=clients[0].identity.driver))
    if clients[0].fresh and all(client.fresh for client in clients):
        return FIRST_LOOK
    return Known(min(max(busy, default=0.0), _MOST_PERCENT), _SOURCE)


def _memory(clients: list[_Client]) -> int:
    if len(clients) == 1:
        return clients[0].counters.card_bytes
    # What several have together is counted once, with the one that says the most of it.
    own = most = 0
    for client in clients:
        counters = client.counters
        shared = counters.shared_bytes
        if counters.card_bytes > shared:
            own += counters.card_bytes - shared
        if shared > most:  # noqa: PLR1730 - a call for each client of each VM
            most = shared
    return own + most

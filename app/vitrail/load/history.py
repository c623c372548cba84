# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load was: every tick of the last 15 minutes, and each minute of the last 7 days, also after a restart.

Only what was known is kept; a gap stays a gap. Without a folder, or where it cannot be written, history lives as long
as the program and says why.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from vitrail.load.segments import Row, Segments, Values, Writer
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import LoadPoint, Sample
from vitrail.model.text import text

FINE_S = 15 * 60
CONDENSED_S = 7 * 24 * 3600
_MINUTE_S = 60
_MOST_FINE = 4 * FINE_S
_WRITE_EVERY_S = 10.0
_MIB = 1024 * 1024
_NO_FOLDER = Unknown(text("load.unsupported.no-folder"))


def card_key(address: PciAddress) -> str:
    """Under what name a card's numbers are kept."""
    return f"card:{address}"


def vm_key(uuid: str, card: PciAddress | None) -> str:
    """Under what name a VM's numbers on one card are kept."""
    return f"vm:{uuid}:{card or '-'}"


@dataclass(slots=True)
class _Minute:
    """The ticks of the minute that is not over yet."""

    number: int
    loads: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


class History:
    """The past of one machine. For one thread."""

    def __init__(self, folder: Path | None, now: float) -> None:
        self._fine: deque[Row] = deque(maxlen=_MOST_FINE)
        self._minutes: deque[Row] = deque(maxlen=CONDENSED_S // _MINUTE_S)
        self._minute: _Minute | None = None
        self._unwritten: list[Row] = []
        self._writer: Writer | None = None
        self.kept: Reading[Path] = _NO_FOLDER
        """Where it is kept, or why it is not."""
        if folder is not None:
            self._begin(folder, now)

    def _begin(self, folder: Path, now: float) -> None:
        self._fine_files = Segments(folder, "fine", span_s=300, keep_s=FINE_S, most_bytes=16 * _MIB)
        self._minute_files = Segments(folder, "minutes", span_s=24 * 3600, keep_s=CONDENSED_S, most_bytes=96 * _MIB)
        self._fine.extend(self._fine_files.rows(now))
        self._minutes.extend(self._minute_files.rows(now))
        try:
            self._writer = Writer(folder)
            self.kept = Known(folder, str(folder))
        except BlockingIOError:
            self.kept = Unknown(text("load.unsupported.kept-by-another", path=str(folder)))
        except OSError as error:
            self.kept = _cannot(folder, error)

    def add(self, sample: Sample) -> None:
        """Keep what a tick told."""
        row = Row(sample.taken_at, _values(sample))
        self._fine.append(row)
        while self._fine and self._fine[0].at <= row.at - FINE_S:
            self._fine.popleft()
        done = self._condense(row)
        if self._writer is not None:
            self._unwritten.append(row)
            if done is not None or row.at - self._unwritten[0].at >= _WRITE_EVERY_S:
                self._write(done)

    def _condense(self, row: Row) -> Row | None:
        """The minute that is over with this tick."""
        number, done = int(row.at) // _MINUTE_S, None
        minute = self._minute
        if minute is None or minute.number != number:
            done = None if minute is None else _condensed(minute)
            minute = self._minute = _Minute(number)
        for key, (load, memory) in row.values.items():
            if load is not None:
                minute.loads.setdefault(key, []).append(load)
            if memory is not None:
                minute.memory[key] = memory
        if done is not None:
            self._minutes.append(done)
        return done

    def _write(self, minute: Row | None) -> None:
        rows, self._unwritten = self._unwritten, []
        try:
            self._fine_files.append(rows)
            if minute is not None:
                self._minute_files.append([minute])
        except OSError as error:
            # What cannot be kept now will not be tried every second.
            folder = self.kept.value if isinstance(self.kept, Known) else Path()
            self.kept = _cannot(folder, error)
            self.close()

    def keys(self) -> tuple[str, ...]:
        """Everything that anything is known of."""
        return tuple(sorted({key for rows in (self._fine, self._minutes) for row in rows for key in row.values}))

    def fine(self, key: str) -> tuple[LoadPoint, ...]:
        """The last 15 minutes of one card or VM, oldest first."""
        return tuple(
            LoadPoint(row.at, load, load, None if memory is None else int(memory))
            for row in self._fine
            for load, memory in (row.values.get(key, (None, None)),)
        )

    def condensed(self, key: str) -> tuple[LoadPoint, ...]:
        """The last 7 days of one card or VM, a point a minute, oldest first; minutes without it are left out."""
        return tuple(_point(row.at, row.values[key]) for row in self._minutes if key in row.values)

    def close(self) -> None:
        """Write what is left, and let others write."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            if self._unwritten and isinstance(self.kept, Known):
                self._write(None)
            writer.close()


def _cannot(folder: Path, error: OSError) -> Unknown:
    return Unknown(text("load.failed.history", path=str(folder), error=error.strerror or type(error).__name__))


def _values(sample: Sample) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for card in sample.cards.value if isinstance(sample.cards, Known) else ():
        _put(found, card_key(card.address), card.load_percent, card.memory_used_mib)
    for vm in sample.vms.value if isinstance(sample.vms, Known) else ():
        if vm.load is not None:
            _put(found, vm_key(vm.uuid, vm.gpu), vm.load[0], vm.memory_used_mib)
    return found


def _put(found: dict[str, Values], key: str, load: Reading[float], memory: Reading[int] | None) -> None:
    percent = load.value if isinstance(load, Known) else None
    mib = float(memory.value) if isinstance(memory, Known) else None
    if percent is not None or mib is not None:
        found[key] = (percent, mib)


def _condensed(minute: _Minute) -> Row:
    values: dict[str, Values] = {}
    for key in minute.loads.keys() | minute.memory.keys():
        loads = minute.loads.get(key)
        mean, highest = (sum(loads) / len(loads), max(loads)) if loads else (None, None)
        values[key] = (mean, highest, minute.memory.get(key))
    return Row(float(minute.number * _MINUTE_S), values)


def _point(at: float, values: Values) -> LoadPoint:
    mean, highest, memory = (*values, None, None, None)[:3]
    return LoadPoint(at, mean, highest, None if memory is None else int(memory))

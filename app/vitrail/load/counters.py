# SPDX-License-Identifier: GPL-3.0-or-later
"""Intel's cards by the kernel's counters: the whole card (i915, xe), and each virtual function of an xe card.

The counters belong to the whole machine, so the kernel wants a permission that few users have; where it is refused the
helper is asked, and where there is none that is said. Which events a card has is looked up once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from errno import EACCES, EPERM

from vitrail.load.ports import CounterAsked, RootFeed
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import EngineLoad
from vitrail.model.text import text
from vitrail.source.perf_event import open_counter, read_counter
from vitrail.source.root import Root

_UNITS = "sys/bus/event_source/devices"
_ENGINES = ("render", "copy", "video", "video-enhance", "compute")
"""By DRM_XE_ENGINE_CLASS_*."""
_MOST_INSTANCES = 4
_I915_BUSY = re.compile(r"([a-z]+)\d+-busy")
_I915_NAMES = {"rcs": "render", "bcs": "copy", "vcs": "video", "vecs": "video-enhance", "ccs": "compute"}
_SOURCE = "perf_event"
_NEEDS = Unknown(text("load.needs-helper.counters"))
_FIRST = Unknown(text("load.stale.first-look"))

Opens = Callable[[int, int, int], int]
Reads = Callable[[int], int]


@dataclass(slots=True)
class _Meter:
    """One engine: its event, the event of the time that passed for it (None: nanoseconds), where they stood."""

    engine: str
    busy: CounterAsked
    passed: CounterAsked | None
    descriptors: tuple[int, ...] = ()
    before: tuple[int, int] | None = None


@dataclass(slots=True)
class _Group:
    """Every engine of a card, or of one virtual function of it."""

    meters: list[_Meter]
    refused: bool = False
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The busiest engine and all of them, in percent."""

    percent: float
    engines: tuple[EngineLoad, ...]


@dataclass(slots=True)
class CardCounters:
    """The counters of one Intel card."""

    root: Root
    address: PciAddress
    driver: str
    feed: RootFeed | None = None
    opens: Opens = open_counter
    reads: Reads = read_counter
    _groups: dict[int, _Group] = field(default_factory=dict)
    _unit: str | Unknown | None = None

    def tick(self, function: int, now: float) -> Reading[Counted]:
        """What ran since the last tick: of the card for 0, of its n-th virtual function for n.

        A function's percentage is of the time slices that are its own.
        """
        unit = self._find_unit()
        if isinstance(unit, Unknown):
            return unit
        group = self._groups.get(function)
        if group is None:
            group = self._groups[function] = self._begin(unit, function)
        if not group.meters:
            return Unknown(text("load.unsupported.counters", driver=self.driver))
        try:
            numbers = self._from_root(group) if group.refused else self._own(group)
        except OSError as error:
            self.close()
            return Unknown(text("load.failed.counters", error=error.strerror or type(error).__name__))
        return numbers if isinstance(numbers, Unknown) else _compare(group, numbers.value, now)

    def _find_unit(self) -> str | Unknown:
        if self._unit is None:
            own = f"{_UNITS}/{self.driver}_{str(self.address).replace(':', '_')}"
            places = (own, f"{_UNITS}/i915") if self.driver == "i915" else (own,)
            found = next((place for place in places if self.root.exists(f"{place}/type")), None)
            self._unit = found or Unknown(text("load.unsupported.counters", driver=self.driver))
        return self._unit

    def _begin(self, unit: str, function: int) -> _Group:
        try:
            kind = int(self.root.read(f"{unit}/type"))
            cpu = _first_cpu(self.root, unit)
            if self.driver == "i915":
                meters = _i915_meters(self.root, unit, kind, cpu) if function == 0 else []
                return self._open(_Group(meters))
            return self._open(_Group(_xe_meters(self.root, unit, (kind, cpu, function))))
        except (OSError, ValueError):
            return _Group([])

    def _open(self, group: _Group) -> _Group:
        kept = []
        for meter in group.meters:
            asked = (meter.busy,) if meter.passed is None else (meter.busy, meter.passed)
            opened: list[int] = []
            try:
                for one in asked:
                    opened.append(self.opens(one.pmu_type, one.config, one.cpu))  # noqa: PERF401 - closed if one fails
            except OSError as error:
                for descriptor in opened:
                    os.close(descriptor)
                if error.errno in (EACCES, EPERM):
                    # Which of them the card has, only who may open them sees.
                    return _Group(group.meters, refused=True)
                continue
            meter.descriptors = tuple(opened)
            kept.append(meter)
        return _Group(kept)

    def _own(self, group: _Group) -> Reading[list[tuple[int | None, int | None]]]:
        found: list[tuple[int | None, int | None]] = []
        for meter in group.meters:
            busy = self.reads(meter.descriptors[0])
            found.append((busy, self.reads(meter.descriptors[1]) if meter.passed else None))
        return Known(found, _SOURCE)

    def _from_root(self, group: _Group) -> Reading[list[tuple[int | None, int | None]]]:
        if self.feed is None:
            return _NEEDS
        asked = [one for meter in group.meters for one in (meter.busy, meter.passed) if one is not None]
        told = self.feed.counters(tuple(asked))
        if isinstance(told, Unknown):
            return told
        by_event = dict(zip(asked, told.value, strict=False))
        return Known(
            [(by_event.get(one.busy), by_event.get(one.passed) if one.passed else None) for one in group.meters],
            _SOURCE,
        )

    def close(self) -> None:
        """Let go of every counter; the next tick begins anew."""
        for group in self._groups.values():
            for meter in group.meters:
                for descriptor in meter.descriptors:
                    os.close(descriptor)
        self._groups = {}


def _compare(group: _Group, numbers: list[tuple[int | None, int | None]], now: float) -> Reading[Counted]:
    since, group.at = group.at, now
    done: dict[str, int] = {}
    possible: dict[str, int] = {}
    for meter, (busy, passed) in zip(group.meters, numbers, strict=True):
        if busy is None or (meter.passed is not None and passed is None):
            continue
        before, meter.before = meter.before, (busy, passed or 0)
        if before is None or since is None:
            continue
        ran = (passed or 0) - before[1] if meter.passed is not None else int((now - since) * 1e9)
        done[meter.engine] = done.get(meter.engine, 0) + max(0, busy - before[0])
        possible[meter.engine] = possible.get(meter.engine, 0) + max(0, ran)
    if not any(possible.values()):
        return _FIRST
    engines = tuple(
        EngineLoad(name, min(100.0, 100.0 * done[name] / possible[name])) for name in done if possible[name]
    )
    return Known(Counted(max(engine.percent for engine in engines), engines), _SOURCE)


def _first_cpu(root: Root, unit: str) -> int:
    try:
        return int(re.split(r"[-,]", root.read(f"{unit}/cpumask"))[0])
    except (OSError, ValueError):
        return 0


def _event(root: Root, path: str) -> int:
    """The number in `event=0x02` or `config=0x10`."""
    return int(root.read(path).rpartition("=")[2], 0)


def _shift(root: Root, unit: str, field_name: str) -> int:
    """Where a part of the event's number begins: `config:44-59`."""
    return int(re.split(r"[:-]", root.read(f"{unit}/format/{field_name}"))[1])


def _xe_meters(root: Root, unit: str, asked: tuple[int, int, int]) -> list[_Meter]:
    kind, cpu, function = asked
    events = (_event(root, f"{unit}/events/engine-active-ticks"), _event(root, f"{unit}/events/engine-total-ticks"))
    names = ("event", "engine_class", "engine_instance", "function", "gt")
    at = {name: _shift(root, unit, name) for name in names}
    meters = []
    for gt in (0, 1):
        for number, engine in enumerate(_ENGINES):
            for instance in range(_MOST_INSTANCES):
                where = gt << at["gt"] | number << at["engine_class"] | instance << at["engine_instance"]
                where |= function << at["function"]
                active, total = (CounterAsked(kind, where | event << at["event"], cpu) for event in events)
                meters.append(_Meter(engine, active, total))
    return meters


def _i915_meters(root: Root, unit: str, kind: int, cpu: int) -> list[_Meter]:
    meters = []
    for name in root.names(f"{unit}/events"):
        match = _I915_BUSY.fullmatch(name)
        if match:
            engine = _I915_NAMES.get(match[1], match[1])
            meters.append(_Meter(engine, CounterAsked(kind, _event(root, f"{unit}/events/{name}"), cpu), None))
    return meters

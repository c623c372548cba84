# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load's past tells: memory that only grows, a card with no room left, a share that nobody uses.

Separate from the other judgements because its facts are points in time, and because none of it stops anything: these
are warnings, each with what it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.sample import LoadPoint
from vitrail.model.text import Text, text

_LEAST_GROWTH_S = 300
_LEAST_POINTS = 30
_LEAST_FIT = 0.9
_LEAST_SLOPE_MIB_H = 30.0
_SOON_S = 24 * 3600
_GIVES_BACK = 0.02
"""Memory that falls by more of itself than this was given back: it does not only grow."""
_FULL = 0.98
_BUSY_PERCENT = 95.0
_BUSY_S = 60.0
_UNUSED_PERCENT = 1.0
_UNUSED_S = 24 * 3600
_GAP_S = 180.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory that only grows: how fast, and how long until nothing is left; None where that is not known."""

    mib_an_hour: float
    seconds_left: float | None


def growth_of(points: tuple[LoadPoint, ...], total_mib: int | None) -> Growth | None:
    """Whether the memory only grows over these points; None where it does not, or nothing can be said."""
    known = [(point.taken_at, point.memory_mib) for point in points if point.memory_mib is not None]
    if len(known) < _LEAST_POINTS or known[-1][0] - known[0][0] < _LEAST_GROWTH_S or _gave_back(known):
        return None
    slope, fit = _line_through(known)
    if fit < _LEAST_FIT or slope * 3600 < _LEAST_SLOPE_MIB_H:
        return None
    left = None if total_mib is None else max(0.0, (total_mib - known[-1][1]) / slope)
    return Growth(slope * 3600, left)


def judge_growth(vm: str, points: tuple[LoadPoint, ...], total_mib: int | None) -> Finding | None:
    """A VM whose graphics memory only grows, long before it is full."""
    growth = growth_of(points, total_mib)
    if growth is None or (growth.seconds_left is not None and growth.seconds_left > _SOON_S):
        return None
    if growth.seconds_left is None:
        title = text("judge.trouble.grows", vm=vm, rate=round(growth.mib_an_hour))
    else:
        title = text(
            "judge.trouble.grows-until", vm=vm, rate=round(growth.mib_an_hour), left=_span(growth.seconds_left)
        )
    return _warning("load.memory-grows", title, _memory_seen(points, total_mib), text("judge.trouble.grows.remedy"))


def judge_full(vm: str, points: tuple[LoadPoint, ...], total_mib: int | None) -> Finding | None:
    """A VM that has no graphics memory left."""
    last = next((point.memory_mib for point in reversed(points) if point.memory_mib is not None), None)
    if last is None or not total_mib or last < total_mib * _FULL:
        return None
    title = text("judge.trouble.full", vm=vm, used=last, total=total_mib)
    return _warning("load.memory-full", title, _memory_seen(points, total_mib), text("judge.trouble.grows.remedy"))


def judge_saturation(card: str, points: tuple[LoadPoint, ...]) -> Finding | None:
    """A card that has been busy all the time for a while."""
    since = _busy_since(points)
    if since is None or points[-1].taken_at - since < _BUSY_S:
        return None
    for_s = points[-1].taken_at - since
    title = text("judge.trouble.saturated", card=card, span=_span(for_s))
    seen = Evidence("load", f"{_BUSY_PERCENT:.0f} % .. 100 %, {for_s:.0f} s")
    return _warning("load.saturated", title, (seen,), text("judge.trouble.saturated.remedy"))


def judge_unused(vm: str, minutes: tuple[LoadPoint, ...]) -> Finding | None:
    """A share of a card that its VM never used while it ran, from points of a minute each."""
    known = [point for point in minutes if point.highest_percent is not None]
    watched_s = 60.0 * len(known)
    if watched_s < _UNUSED_S:
        return None
    highest = max(point.highest_percent or 0.0 for point in known)
    if highest >= _UNUSED_PERCENT:
        return None
    title = text("judge.trouble.unused", vm=vm, span=_span(watched_s))
    seen = Evidence("load", f"{highest:.1f} %, {watched_s:.0f} s")
    return Finding("load.unused", Status.FAIL, Severity.INFO, title, (seen,), text("judge.trouble.unused.remedy"))


def _gave_back(known: list[tuple[float, int]]) -> bool:
    highest = known[0][1]
    for _, mib in known:
        if mib < highest - max(1.0, highest * _GIVES_BACK):
            return True
        highest = max(highest, mib)
    return False


def _line_through(known: list[tuple[float, int]]) -> tuple[float, float]:
    """The slope of the best line in MiB a second, and how well it fits (1: exactly)."""
    start, count = known[0][0], len(known)
    times = [at - start for at, _ in known]
    sizes = [float(mib) for _, mib in known]
    mean_time, mean_size = sum(times) / count, sum(sizes) / count
    spread = sum((at - mean_time) ** 2 for at in times)
    varied = sum((size - mean_size) ** 2 for size in sizes)
    both = sum((at - mean_time) * (size - mean_size) for at, size in zip(times, sizes, strict=True))
    if not spread or not varied:
        return 0.0, 0.0
    return both / spread, both * both / (spread * varied)


def _busy_since(points: tuple[LoadPoint, ...]) -> float | None:
    since, last = None, None
    for point in reversed(points):
        is_gap = last is not None and last - point.taken_at > _GAP_S
        if point.load_percent is None or point.load_percent < _BUSY_PERCENT or is_gap:
            break
        since = last = point.taken_at
    return since


def _memory_seen(points: tuple[LoadPoint, ...], total_mib: int | None) -> tuple[Evidence, ...]:
    known = [point for point in points if point.memory_mib is not None]
    span = known[-1].taken_at - known[0].taken_at
    of = "" if total_mib is None else f" / {total_mib} MiB"
    return (Evidence("memory", f"{known[0].memory_mib} MiB -> {known[-1].memory_mib} MiB{of}, {span:.0f} s"),)


def _span(seconds: float) -> Text:
    minutes = round(seconds / 60)
    if minutes < 120:  # noqa: PLR2004 - two hours are said in hours
        return text("judge.trouble.minutes", count=max(1, minutes))
    return text("judge.trouble.hours", count=round(seconds / 3600))


def _warning(finding_id: str, title: Text, evidence: tuple[Evidence, ...], remedy: Text) -> Finding:
    return Finding(finding_id, Status.FAIL, Severity.WARNS, title, evidence, remedy)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stretch of time the curves show: its length, and where it ends. Pure, so that zooming can be tested alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from vitrail.load.history import CONDENSED_S, FINE_S

_LEAST_S = 5.0
_LEAST_CONDENSED_S = 600.0


class Range(Enum):
    """The stretches that have a button, in seconds."""

    MINUTE = 60.0
    QUARTER = float(FINE_S)
    WEEK = float(CONDENSED_S)


@dataclass(frozen=True, slots=True)
class Span:
    """`seconds` up to `end`; without an end it moves on with the time."""

    chosen: Range = Range.MINUTE
    seconds: float = Range.MINUTE.value
    end: float | None = None

    @property
    def condensed(self) -> bool:
        """Whether it is shown from a point a minute."""
        return self.chosen is Range.WEEK

    @property
    def zoomed(self) -> bool:
        """Whether it is not the whole of what was chosen."""
        return self.end is not None or self.seconds != self.chosen.value

    def edges(self, now: float) -> tuple[float, float]:
        """From when to when."""
        end = now if self.end is None else self.end
        return end - self.seconds, end

    def whole(self) -> Span:
        """All of what was chosen."""
        return Span(self.chosen, self.chosen.value)

    def between(self, one: float, other: float) -> Span:
        """From one moment to the other, not shorter than can be seen."""
        least = _LEAST_CONDENSED_S if self.condensed else _LEAST_S
        start, end = min(one, other), max(one, other)
        if end - start < least:
            middle = (start + end) / 2
            start, end = middle - least / 2, middle + least / 2
        return replace(self, seconds=end - start, end=end)

    def zoom(self, factor: float, around: float, now: float) -> Span:
        """So much shorter (or longer, with a factor over 1), with `around` staying where it is."""
        start, end = self.edges(now)
        seconds = (end - start) * factor
        if seconds >= self.chosen.value:
            return self.whole()
        at = (around - start) / (end - start)
        left = around - at * seconds
        wanted = self.between(left, left + seconds)
        return replace(wanted, end=now) if wanted.end is not None and wanted.end > now else wanted

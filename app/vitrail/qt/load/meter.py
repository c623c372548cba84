# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler's thread holds: the load of the place, its past, and what is wrong with it. Knows no Qt.

The first call opens everything, so that whoever never looks at load pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vitrail.model.machine import Host
from vitrail.model.reading import Reading
from vitrail.model.sample import LoadPoint, Sample

if TYPE_CHECKING:
    from vitrail.load.history import History
    from vitrail.service.live_load import LiveLoad
    from vitrail.service.load_findings import Trouble

_JUDGE_EVERY_S = 20.0
Past = dict[str, tuple[LoadPoint, ...]]


@dataclass(frozen=True, slots=True)
class Beat:
    """One tick as it comes home. `past`: the last 15 minutes, with the first tick only; `troubles`: where judged."""

    sample: Sample
    kept: Reading[Path]
    past: Past | None = None
    troubles: tuple[Trouble, ...] | None = None


class Meter:
    """For the sampler's thread; `close` once that has ended."""

    def __init__(self, open_load: Callable[[], LiveLoad]) -> None:
        self._open = open_load
        self._load: LiveLoad | None = None
        self._history: History | None = None
        self._judged_at: float | None = None

    def tick(self, host: Host | None) -> Beat:
        """Measure once; `host` is the machine where it was read anew since. Raises VitrailError."""
        load, history, first = self._opened()
        if host is not None:
            load.know(host)
        sample = load.tick()
        past = {key: history.fine(key) for key in history.keys()} if first else None  # noqa: SIM118 - not a dict
        history.add(sample)
        return Beat(sample, history.kept, past, self._troubles(sample, history, load))

    def _opened(self) -> tuple[LiveLoad, History, bool]:
        first = self._load is None or self._history is None
        if self._load is None:
            self._load = self._open()
        if self._history is None:
            self._history = self._load.history()
        return self._load, self._history, first

    def _troubles(self, sample: Sample, history: History, load: LiveLoad) -> tuple[Trouble, ...] | None:
        if self._judged_at is not None and 0 <= sample.taken_at - self._judged_at < _JUDGE_EVERY_S:
            return None
        from vitrail.service.load_findings import troubles_of_load  # noqa: PLC0415 - once there is something to judge

        self._judged_at = sample.taken_at
        return troubles_of_load(sample, history, load.host)

    def week(self) -> Past:
        """The last 7 days of everything, a point a minute."""
        _, history, _ = self._opened()
        return {key: history.condensed(key) for key in history.keys()}  # noqa: SIM118 - not a dict

    def permit_root(self) -> None:
        """Let the helper be asked. Raises VitrailError."""
        self._opened()[0].permit_root()

    def let_guest(self, uuid: str, *, ask: bool) -> None:
        """Ask this VM from now on, or no longer. Raises VitrailError."""
        self._opened()[0].let_guest(uuid, ask=ask)

    def step_aside(self) -> None:
        """Let go of every card."""
        if self._load is not None:
            self._load.step_aside()

    def resume(self) -> None:
        """Measure on."""
        if self._load is not None:
            self._load.resume()

    def close(self) -> None:
        """Write what is left of the past, let go of everything."""
        if self._history is not None:
            self._history.close()
        if self._load is not None:
            self._load.close()

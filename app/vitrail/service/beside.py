# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that is asked again and again beside whoever wants its answer: nobody ever waits for it.

One is under way at most. A source that fails is asked less often, up to twice a minute; one that is late is not asked
again before it has answered, and what it told before is no longer passed on as if it were new.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vitrail.model.errors import VitrailError
from vitrail.model.reading import Reading, Unknown
from vitrail.service.deadlines import LateError, Task

T = TypeVar("T")
_MOST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it is asked, after how long an answer is overdue, and what is said before the first and when late."""

    every_s: float
    late_s: float
    first: Unknown
    late: Unknown


class Beside(Generic[T]):
    """The newest answer. For one thread; `ask` runs in threads of its own, one at a time."""

    def __init__(self, ask: Callable[[], Reading[T]], pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._pace = pace
        self._clock = clock
        self._task: Task[Reading[T]] | None = None
        self._latest: Reading[T] = pace.first
        self._asked_at: float | None = None
        self._every_s = pace.every_s

    def latest(self) -> Reading[T]:
        """What was told last; the next question is on its way."""
        now = self._clock()
        if self._task is not None and self._task.over:
            self._take(self._task)
        if self._task is None and (self._asked_at is None or now - self._asked_at >= self._every_s):
            self._asked_at = now
            ask = self._ask
            self._task = Task(lambda _beat: ask())
        overdue = self._task is not None and self._asked_at is not None and now - self._asked_at > self._pace.late_s
        return self._pace.late if overdue else self._latest

    def _take(self, task: Task[Reading[T]]) -> None:
        self._task = None
        try:
            self._latest = task.result(0)
        except LateError:
            self._latest = self._pace.late
        except VitrailError as error:
            self._latest = Unknown(error.what)
        slower = min(_MOST_SECONDS, self._every_s * 2)
        self._every_s = slower if isinstance(self._latest, Unknown) else self._pace.every_s

    def again(self) -> None:
        """Ask with the next look, however lately it was asked: what made it fail is gone."""
        self._asked_at, self._every_s = None, self._pace.every_s

    @property
    def asks(self) -> bool:
        """Whether a question is under way."""
        return self._task is not None and not self._task.over

    def settle(self, seconds: float) -> None:
        """Wait for the question that is under way. Raises LateError."""
        if self._task is not None:
            self._task.result(seconds)

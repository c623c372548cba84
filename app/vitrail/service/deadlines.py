# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that may never return, each in a daemon thread with a deadline.

No libvirt call has a timeout and none can be cancelled. A call that is late keeps its thread and everything that it
uses; nothing waits for it, not even the end of the process.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Beat = Callable[[], None]


class LateError(Exception):
    """The deadline passed; what the call did or will still do is not known."""


class Task(Generic[T]):
    """A job that runs in its own daemon thread from now on; whoever wants its result may wait for a while."""

    def __init__(self, job: Callable[[Beat], T]) -> None:
        self._over = threading.Event()
        self._last_beat = time.monotonic()
        self._result: list[T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, args=(job,), name="vitrail-call", daemon=True).start()

    def _run(self, job: Callable[[Beat], T]) -> None:
        try:
            self._result.append(job(self._beat))
        except BaseException as error:  # noqa: BLE001 - carried to the thread that asked
            # What the job held must be let go of here, not where the error ends up.
            traceback.clear_frames(error.__traceback__)
            self._error = error
        self._over.set()

    def _beat(self) -> None:
        self._last_beat = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the job has ended, well or not."""
        return self._over.is_set()

    def result(self, seconds: float) -> T:
        """What the job returned or raised. Raises LateError once nothing was heard of it for `seconds`."""
        waiting_since = time.monotonic()
        while not self._over.is_set():
            left = max(self._last_beat, waiting_since) + seconds - time.monotonic()
            if left <= 0:
                raise LateError
            self._over.wait(left)
        if self._error is not None:
            raise self._error
        return self._result[0]


def call_within(seconds: float, job: Callable[[Beat], T]) -> T:
    """Run `job`; it calls its argument after each part, and the deadline counts from the last such beat."""
    return Task(job).result(seconds)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The turn of NVIDIA's library in a tick: on a thread of its own, because a driver that hangs never comes back.

The tick waits for a moment only. While the library is late nothing that it fills is looked at; its cards say so, and
all others are measured on. Once it has answered it is left alone for a while, longer each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from vitrail.load.card_source import CardSource
from vitrail.load.nvidia import Nvidia
from vitrail.load.tenancy import Way
from vitrail.model.reading import Unknown
from vitrail.model.text import text

PATIENCE_S = 0.25
_OPENING_S = 3.0
"""Opening the library takes seconds where no other program holds the cards."""
_FAREWELL_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
LATE = Unknown(text("load.stale.nvml-late"))

Job = Callable[[], None]


class OwnThread:
    """Jobs one after the other on one daemon thread; whoever gives one waits as long as it likes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[tuple[Job, threading.Event] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._last: threading.Event | None = None
        self._errors: list[BaseException] = []

    @property
    def busy(self) -> bool:
        """Whether a job is under way or waits."""
        return self._last is not None and not self._last.is_set()

    def run(self, job: Job, seconds: float) -> bool:
        """Whether the job ended within this time; else it goes on. Raises what a job raised, this one or an earlier."""
        over = self._last = threading.Event()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._jobs.put((job, over))
        ended = over.wait(seconds)
        if ended and self._errors:
            raise self._errors.pop()
        return ended

    def _work(self) -> None:
        while True:
            given = self._jobs.get()
            if given is None:
                return
            job, over = given
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - carried to the thread that asked
                self._errors.append(error)
            over.set()

    def close(self) -> None:
        """End the thread, once what hangs in it has come back; nobody waits for that."""
        if self._thread is not None:
            self._jobs.put(None)
            if not self.busy:
                self._thread.join()
            self._thread = self._last = None


class NvidiaTurn:
    """All of NVIDIA's cards, tick after tick."""

    def __init__(self, nvidia: Nvidia, patience_s: float) -> None:
        self._nvidia = nvidia
        self._patience_s = patience_s
        self._thread = OwnThread("vitrail-nvml")
        self._late = False
        self._pause_s = _FIRST_PAUSE_S
        self._again_at = 0.0

    def take(self, cards: Sequence[tuple[CardSource, set[Way]]], now: float) -> None:
        """Ask every card that is awake; each is told whether it was, and why not."""
        awake = [(card, ways) for card, ways in cards if card.silent is None]
        leaves = [card for card, _ in cards if card.silent is not None and card.asked]
        if not awake and not leaves:
            return
        if not self._is_due(now):
            _say_late(awake)
            return
        if self._thread.run(lambda: self._ask(awake, leaves, now), self._seconds()):
            self._pause_s = _FIRST_PAUSE_S
            return
        self._late = True
        _say_late(awake)

    def _is_due(self, now: float) -> bool:
        if self._thread.busy:
            return False
        if self._late:
            self._late = False
            self._again_at, self._pause_s = now + self._pause_s, min(_LONGEST_PAUSE_S, self._pause_s * 2)
        return now >= self._again_at

    def _seconds(self) -> float:
        return self._patience_s if self._nvidia.is_open else max(self._patience_s, _OPENING_S)

    def _ask(self, awake: list[tuple[CardSource, set[Way]]], leaves: list[CardSource], now: float) -> None:
        if leaves:
            # An open library holds a card awake; the others are asked for anew.
            self._nvidia.release()
            for card in leaves:
                card.asked = False
        for card, ways in awake:
            card.ask_library(ways, now)

    def step_aside(self) -> None:
        """Let go of every card, as soon as the library answers; nothing is asked until `resume`."""
        self._nvidia.stay_away()
        if self._thread.busy or self._nvidia.is_open:
            self._thread.run(self._nvidia.release, _FAREWELL_S)

    def resume(self) -> None:
        """Ask the cards again."""
        self._nvidia.resume()

    def close(self) -> None:
        """Let go of the library; one that hangs is left to the end of the process."""
        if not self._thread.busy and self._nvidia.is_open:
            self._thread.run(self._nvidia.release, _FAREWELL_S)
        self._thread.close()


def _say_late(awake: list[tuple[CardSource, set[Way]]]) -> None:
    for card, _ in awake:
        card.silent = LATE

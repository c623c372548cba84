# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the desktop's work is done: one thread that reads, one that changes, one that samples, one way home.

The window never waits. Results, failures and progress come back as one kind of parcel through one queued signal of
one long-lived object that belongs to the window's thread; a worker never owns an object whose signal it emits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

from vitrail.model.errors import Unsettled, VitrailError
from vitrail.model.text import text

T = TypeVar("T")
Failed = Callable[[VitrailError], object]

_log = logging.getLogger(__name__)


class Ticket:
    """The right to an answer: `drop` gives it up, and the answer is thrown away when it comes."""

    __slots__ = ("dropped", "owner")

    def __init__(self, owner: QObject) -> None:
        self.owner = owner
        self.dropped = False

    def drop(self) -> None:
        """Give up the answer. Work that has begun goes on; nobody hears of it."""
        self.dropped = True

    @property
    def wanted(self) -> bool:
        """Whether anybody is still there to hear the answer."""
        return not self.dropped and bool(isValid(self.owner))  # type: ignore[no-untyped-call] # shiboken has no stubs


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What travels home: a call to make on the window's thread, for the holder of this ticket."""

    ticket: Ticket
    call: Callable[[], None]


class Runner(QObject):
    """Reads, changes and samples in threads of their own.

    Signals:
        came_home: one parcel; connected queued to this object alone.
        ended: every thread has ended; what they held can be let go here.
    """

    came_home = Signal(object)
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="vitrail-read")
        self._changer = ThreadPoolExecutor(1, thread_name_prefix="vitrail-change")
        # No thread is begun before it has something to do.
        self._sampler = ThreadPoolExecutor(1, thread_name_prefix="vitrail-load")
        self._closed = False
        self.came_home.connect(self._deliver, type=Qt.ConnectionType.QueuedConnection)

    def read(self, work: Callable[[], T], done: Callable[[T], object], failed: Failed, owner: QObject) -> Ticket:
        """Run `work` on the reader; `done` or `failed` is called here, unless `owner` is gone by then."""
        return self._submit(self._reader, work, done, failed, owner)

    def change(self, work: Callable[[], T], done: Callable[[T], object], failed: Failed, owner: QObject) -> Ticket:
        """Run `work` on the changer, after every change that was asked for before."""
        return self._submit(self._changer, work, done, failed, owner)

    def sample(self, work: Callable[[], T], done: Callable[[T], object], failed: Failed, owner: QObject) -> Ticket:
        """Run `work` on the sampler, the only thread that measures load."""
        return self._submit(self._sampler, work, done, failed, owner)

    def sample_and_wait(self, work: Callable[[], object], seconds: float) -> None:
        """Run `work` on the sampler and wait for it, but not longer than this. Never for the window's thread."""
        if not self._closed:
            wait((self._sampler.submit(work),), seconds)

    def at_home(self, call: Callable[[T], None], owner: QObject) -> Callable[[T], None]:
        """`call`, made safe to be called from any thread: it runs on the window's thread, while `owner` lives."""
        ticket = Ticket(owner)
        return lambda value: self._send(_Parcel(ticket, partial(call, value)))

    def close(self) -> None:
        """Take no more work and drop what is still under way; waits only for what has begun."""
        self._closed = True
        self._reader.shutdown(wait=True, cancel_futures=True)
        # The changer may still wait for the sampler.
        self._changer.shutdown(wait=True, cancel_futures=True)
        self._sampler.shutdown(wait=True, cancel_futures=True)
        self.ended.emit()

    def _submit(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Failed,
        owner: QObject,
    ) -> Ticket:
        ticket = Ticket(owner)
        if self._closed:
            ticket.drop()
            return ticket
        future = pool.submit(work)
        future.add_done_callback(lambda finished: self._send(_Parcel(ticket, partial(_settle, finished, done, failed))))
        return ticket

    def _send(self, parcel: _Parcel) -> None:
        if not self._closed:
            self.came_home.emit(parcel)

    @Slot(object)
    def _deliver(self, parcel: object) -> None:
        if isinstance(parcel, _Parcel) and not self._closed and parcel.ticket.wanted:
            parcel.call()


def _settle(finished: Future[T], done: Callable[[T], object], failed: Failed) -> None:
    """Hand the outcome to whoever asked. What is no error of ours is a fault in Vitrail: logged, and said."""
    if finished.cancelled():
        return
    error = finished.exception()
    if error is None:
        done(finished.result())
    elif isinstance(error, VitrailError):
        failed(error)
    elif not isinstance(error, CancelledError):
        _log.error("work failed", exc_info=error)
        failed(Unsettled(text("qt.error.fault", what=repr(error)), text("qt.error.fault.next")))

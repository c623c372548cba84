# SPDX-License-Identifier: GPL-3.0-or-later
"""The one owner of a libvirt connection: opened late, every call with a deadline, reopened after the daemon restarts.

Closing a connection is a call like any other: it may hang, and under a call that is still running it would free what
that call uses. So whoever asks never holds a connection: workers do, the last of them closes it, and a call that is
late keeps its own.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from vitrail.model.errors import Unreachable
from vitrail.service import libvirt_errors
from vitrail.service.deadlines import Beat, LateError, Task, call_within
from vitrail.service.happening import Happening
from vitrail.service.libvirt_events import EventFeed, events_run, start_events
from vitrail.service.uri import Address

T = TypeVar("T")
Job = Callable[[Any, Beat], T]

_OPEN_SECONDS = 5.0
_REMOTE_OPEN_SECONDS = 20.0
_AGAIN_SECONDS = 0.5
"""How long another question waits for an opening that was late already: a command asks several."""
_READ_SECONDS = 5.0
_CLOSE_SECONDS = 1.0


class BrokenError(Exception):
    """The connection broke or the deadline passed while a call ran; whether it took effect is not known."""


@cache
def load_libvirt() -> Any:
    """The libvirt module, silenced. Raises Unreachable where it cannot be loaded."""
    try:
        import libvirt  # noqa: PLC0415 - half of what Vitrail does needs no libvirt, and loading it costs
    except ImportError:
        raise libvirt_errors.no_binding() from None
    libvirt.registerErrorHandler(_ignore, None)
    return libvirt


def _ignore(_context: object, _error: object) -> None:
    """The library prints every error unless told otherwise; each is raised as an exception as well."""


class Session:
    """A connection to one address. Calls come from any thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._guard = threading.Lock()
        self._held: list[Any] = []
        self._number = 0
        self._opening: Task[None] | None = None
        self._waited_for: Task[None] | None = None
        self._open_seconds = _OPEN_SECONDS if address.local else _REMOTE_OPEN_SECONDS
        self._feed: EventFeed | None = None
        self._hears = False
        """Whether the newest connection was opened when the event loop ran, without which it has no events."""
        self._finish = weakref.finalize(self, _let_go, self._held)

    def begin(self) -> None:
        """Open ahead of the first question, with events: for who will stay and watch. Waits for nothing."""
        Task(self._begin)

    def _begin(self, _beat: Beat) -> None:
        libvirt = load_libvirt()
        start_events(libvirt)
        with self._guard:
            if not self._held:
                self._open_soon(libvirt)

    def read(self, job: Job[T], seconds: float = _READ_SECONDS) -> T:
        """What `job(connection, beat)` gives; asked once more on a new connection where the old one broke.

        Raises Unreachable; libvirt's error where the connection is fine and the call itself failed.
        """
        try:
            return self._attempt(job, seconds)
        except LateError:
            raise libvirt_errors.late(self.address, seconds) from None
        except BrokenError:
            pass
        try:
            return self._attempt(job, seconds)
        except LateError:
            raise libvirt_errors.late(self.address, seconds) from None
        except BrokenError as error:
            raise libvirt_errors.broken(self.address, error.__cause__) from error

    def write(self, job: Job[T], seconds: float = _READ_SECONDS) -> T:
        """What `job` gives, asked once. Raises BrokenError where its effect is not known."""
        try:
            return self._attempt(job, seconds)
        except LateError as error:
            raise BrokenError from error

    def _attempt(self, job: Job[T], seconds: float) -> T:
        libvirt = load_libvirt()
        number = self._require_open(libvirt)

        def work(beat: Beat) -> T:
            connection = self._current(number)
            try:
                return job(connection, beat)
            except libvirt.libvirtError as error:
                if _alive(libvirt, connection):
                    raise
                raise BrokenError from error

        try:
            return call_within(seconds, work)
        except (LateError, BrokenError):
            self._forget(number)
            raise

    def _current(self, number: int) -> Any:
        with self._guard:
            if self._number != number or not self._held:
                raise BrokenError
            return self._held[0]

    def _require_open(self, libvirt: Any) -> int:
        """The number of the connection that is open now; opened where there is none."""
        with self._guard:
            if self._held:
                return self._number
            number, opening = self._open_soon(libvirt)
            seconds = _AGAIN_SECONDS if self._waited_for is opening else self._open_seconds
            self._waited_for = opening
        try:
            opening.result(seconds)
        except LateError:
            # Not given up: a password dialog may be open, and the next question finds the answer.
            raise libvirt_errors.late(self.address, self._open_seconds) from None
        except libvirt.libvirtError as error:
            self._forget(number)
            raise libvirt_errors.cannot_open(self.address, error) from error
        return number

    def _open_soon(self, libvirt: Any) -> tuple[int, Task[None]]:
        """The opening that is under way, begun where there is none; called with the guard held."""
        if self._opening is None:
            self._number += 1
            number, feed = self._number, self._feed
            self._hears = events_run()
            self._opening = Task(lambda _beat: self._open(libvirt, number, feed))
        return self._number, self._opening

    def _open(self, libvirt: Any, number: int, feed: EventFeed | None) -> None:
        connection = libvirt.open(self.address.uri)
        if feed is not None:
            feed.attach(connection)
        with self._guard:
            if self._number == number:
                self._held.append(connection)
                self._opening = None

    def _forget(self, number: int) -> None:
        """Give this connection up, or the opening of it; a newer one stays."""
        with self._guard:
            if self._number != number:
                return
            self._opening = None
            self._number += 1
            held = [self._held.pop()] if self._held else []
            feed = self._feed
        if feed is not None and held:
            feed.lost(held[0])
        _let_go(held)

    def watch(self, callback: Callable[[Happening], None]) -> None:
        """Tell `callback` what happens to the daemon and its domains, until closed; it is called on other threads.

        Only a connection that was opened after the event loop was registered has events, so one that was opened
        before is replaced.
        """
        libvirt = load_libvirt()
        start_events(libvirt)
        with self._guard:
            number, self._feed, hears = self._number, None, self._hears
        if not hears:
            self._forget(number)
        feed = EventFeed(libvirt, callback, self._reopen)
        with self._guard:
            self._feed = feed
        feed.begin()

    def _reopen(self) -> bool:
        """Whether a connection is open now; called by the feed's own thread, never by libvirt's."""
        with self._guard:
            feed = self._feed

        def ask(connection: Any, _beat: Beat) -> None:
            if feed is not None:
                feed.attach(connection)
            connection.getLibVersion()

        try:
            self.read(ask)
        except Unreachable:
            return False
        return True

    def close(self) -> None:
        """Let the connection go; a daemon that does not answer is not waited for."""
        with self._guard:
            feed, self._feed = self._feed, None
        if feed is not None:
            feed.end()
        self._finish()


def _alive(libvirt: Any, connection: Any) -> bool:
    try:
        return bool(connection.isAlive())
    except libvirt.libvirtError:
        return False


def _let_go(held: list[Any]) -> None:
    """Drop the last reference in a thread of its own: the farewell is a call like any other and may hang."""
    if held:
        with contextlib.suppress(LateError):
            call_within(_CLOSE_SECONDS, lambda _beat: held.clear())

# SPDX-License-Identifier: GPL-3.0-or-later
"""The one owner of a libvirt connection: opened late, every call with a deadline, reopened after the daemon restarts.

A call that is late keeps the connection that it is stuck in (the thread's frame holds it), and the session forgets it:
closing a connection under a running call would free what that call uses.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from vitrail.model.errors import Unreachable
from vitrail.service import libvirt_errors
from vitrail.service.deadlines import Beat, LateError, Task, call_within
from vitrail.service.happening import Happening
from vitrail.service.libvirt_events import EventFeed, start_events
from vitrail.service.uri import Address

T = TypeVar("T")
Job = Callable[[Any, Beat], T]

_OPEN_SECONDS = 4.0
_REMOTE_OPEN_SECONDS = 20.0
_AGAIN_SECONDS = 0.5
"""How long another question waits for an opening that was late already: a command asks several."""
_READ_SECONDS = 4.0
_CLOSE_SECONDS = 1.0


class BrokenError(Exception):
    """The connection broke or the deadline passed while a call ran; whether it took effect is not known."""


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
        self._opening: Task[Any] | None = None
        self._waited_for: Task[Any] | None = None
        self._open_seconds = _OPEN_SECONDS if address.local else _REMOTE_OPEN_SECONDS
        self._held: list[Any] = []
        self._feed: EventFeed | None = None
        self._finish = weakref.finalize(self, _let_go, self._held)

    def read(self, job: Job[T], seconds: float = _READ_SECONDS) -> T:
        """What `job(connection, beat)` gives; asked once more on a new connection where the old one broke.

        Raises Unreachable; libvirt's error where the connection is fine and the call itself failed.
        """
        try:
            return self._attempt(job, seconds)
        except BrokenError:
            pass
        try:
            return self._attempt(job, seconds)
        except BrokenError as error:
            raise libvirt_errors.failed(self.address, error.__cause__) from error

    def write(self, job: Job[T], seconds: float = _READ_SECONDS) -> T:
        """What `job` gives, asked once. Raises BrokenError where its effect is not known."""
        try:
            return self._attempt(job, seconds, writes=True)
        except LateError as error:
            raise BrokenError from error

    def _attempt(self, job: Job[T], seconds: float, *, writes: bool = False) -> T:
        libvirt = load_libvirt()
        connection = self._connection(libvirt)
        try:
            return call_within(seconds, lambda beat: job(connection, beat))
        except LateError:
            self._forget(connection)
            if writes:
                raise
            raise libvirt_errors.late(self.address, seconds) from None
        except libvirt.libvirtError as error:
            if _alive(libvirt, connection):
                raise
            self._forget(connection)
            raise BrokenError from error

    def _connection(self, libvirt: Any) -> Any:
        with self._guard:
            if self._held:
                return self._held[0]
            if self._opening is None:
                uri = self.address.uri
                self._opening = Task(lambda _beat: libvirt.open(uri))
            opening = self._opening
            seconds = _AGAIN_SECONDS if self._waited_for is opening else self._open_seconds
            self._waited_for = opening
        try:
            connection = opening.result(seconds)
        except LateError:
            # Not given up: a password dialog may be open, and the next question finds the answer.
            raise libvirt_errors.late(self.address, self._open_seconds) from None
        except libvirt.libvirtError as error:
            self._opened(opening, None)
            raise libvirt_errors.cannot_open(self.address, error) from error
        return self._opened(opening, connection)

    def _opened(self, opening: Task[Any], connection: Any) -> Any:
        with self._guard:
            if self._opening is not opening:
                return self._held[0] if self._held else connection
            self._opening = None
            if connection is None:
                return None
            self._held.append(connection)
            feed = self._feed
        if feed is not None:
            feed.attach(connection)
        return connection

    def _forget(self, connection: Any) -> None:
        with self._guard:
            if self._held and self._held[0] is connection:
                self._held.clear()
            feed = self._feed
        if feed is not None:
            feed.lost(connection)

    def watch(self, callback: Callable[[Happening], None]) -> None:
        """Tell `callback` what happens to the daemon and its domains, until closed; it is called on other threads.

        Only a connection that was opened after the event loop was registered has events, so one that is open is
        replaced.
        """
        libvirt = load_libvirt()
        start_events(libvirt)
        with self._guard:
            self._feed = EventFeed(libvirt, callback, self._reopen)
            self._opening = None
            self._held.clear()
        self._feed.begin()

    def _reopen(self) -> bool:
        """Whether a connection is open now; called by the feed's own thread, never by libvirt's."""
        try:
            self.read(lambda connection, _beat: connection.getLibVersion())
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
    if not held:
        return
    handed_over = [held.pop()]
    try:
        call_within(_CLOSE_SECONDS, lambda _beat: handed_over.clear())
    except LateError:
        return

# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's events: one event thread for the process, one feed a watched connection, and reconnection with backoff.

Callbacks run on libvirt's event thread, where a blocking libvirt call would wait for itself; so they only note what
happened, and a thread of the feed's own reconnects and tells.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from vitrail.service.deadlines import LateError, call_within
from vitrail.service.happening import Happening, HappeningKind
from vitrail.service.libvirt_loop import EventLoop

_CALL_SECONDS = 2.0
_KEEPALIVE_SECONDS = 5
_KEEPALIVE_MISSES = 3
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0


class _Loop:
    """The event loop in one daemon thread for the whole process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._started = False

    def start(self, libvirt: Any) -> None:
        with self._guard:
            if self._started:
                return
            loop = EventLoop(libvirt)
            loop.register()
            self._started = True
            threading.Thread(target=loop.run, name="vitrail-libvirt-events", daemon=True).start()

    @property
    def started(self) -> bool:
        """Whether connections that are opened from now on have events."""
        return self._started


_loop = _Loop()


def start_events(libvirt: Any) -> None:
    """Register the event loop and run it; connections that are opened from now on have events."""
    _loop.start(libvirt)


def events_run() -> bool:
    """Whether connections that are opened from now on have events."""
    return _loop.started


class EventFeed:
    """What one watched session hears. `reopen` opens its connection again and says whether that worked."""

    def __init__(self, libvirt: Any, callback: Callable[[Happening], None], reopen: Callable[[], bool]) -> None:
        self._libvirt = libvirt
        self._callback = callback
        self._reopen = reopen
        self._notes: queue.SimpleQueue[Happening | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._attached: list[Any] = []
        self._gone: list[Any] = []
        self._guard = threading.Lock()

    def begin(self) -> None:
        """Open and tell from a thread of its own."""
        threading.Thread(target=self._run, name="vitrail-libvirt-feed", daemon=True).start()

    def end(self) -> None:
        """Tell nothing more."""
        self._over.set()
        self._notes.put(None)
        with contextlib.suppress(LateError):
            call_within(_CALL_SECONDS, lambda _beat: self._detach_all())

    def attach(self, connection: Any) -> None:
        """Ask for the events of a connection, once; runs where it was opened or where it is asked something."""
        with self._guard:
            if any(one is connection for one in self._attached):
                return
            self._attached.append(connection)
        lifecycle = self._libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        # The test driver knows no keepalive, and none of these is worth losing the others.
        with contextlib.suppress(self._libvirt.libvirtError):
            connection.domainEventRegisterAny(None, lifecycle, self._domain_changed, None)
        with contextlib.suppress(self._libvirt.libvirtError):
            connection.registerCloseCallback(self._closed, None)
        with contextlib.suppress(self._libvirt.libvirtError):
            connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_MISSES)

    def _detach_all(self) -> None:
        for connections in (self._gone, self._attached):
            self._detach(connections)

    def _detach(self, connections: list[Any]) -> None:
        """Callbacks hold their connection, so without this it would never be closed."""
        while connections:
            connection = connections.pop()
            for identifier in tuple(connection.domainEventCallbackID):
                with contextlib.suppress(self._libvirt.libvirtError):
                    connection.domainEventDeregisterAny(identifier)
            with contextlib.suppress(self._libvirt.libvirtError):
                connection.unregisterCloseCallback()

    def lost(self, connection: Any) -> None:
        """This connection broke or was given up; told once."""
        with self._guard:
            if not any(one is connection for one in self._attached):
                return
            self._gone.append(self._attached.pop())
        self._notes.put(Happening(HappeningKind.LOST))

    def _closed(self, connection: Any, _reason: int, _opaque: object) -> None:
        self.lost(connection)

    def _domain_changed(self, _connection: Any, domain: Any, _event: int, _detail: int, _opaque: object) -> None:
        self._notes.put(Happening(HappeningKind.DOMAIN, domain.UUIDString()))

    def _run(self) -> None:
        if not self._reopen():
            self._callback(Happening(HappeningKind.LOST))
            self._return()
        while (note := self._notes.get()) is not None:
            if self._over.is_set():
                return
            self._callback(note)
            if note.kind is HappeningKind.LOST:
                self._return()

    def _return(self) -> None:
        with contextlib.suppress(LateError):
            call_within(_CALL_SECONDS, lambda _beat: self._detach(self._gone))
        pause = _FIRST_PAUSE_SECONDS
        while not self._over.wait(pause):
            if self._reopen():
                self._callback(Happening(HappeningKind.BACK))
                return
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

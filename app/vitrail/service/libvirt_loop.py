# SPDX-License-Identifier: GPL-3.0-or-later
"""The event loop that libvirt is given: a poll over its descriptors and timers, in a thread that nothing else uses.

libvirt's own loop turns GLib's default context, and so does a window's toolkit: two threads that turn one context
dispatch each other's events, and the window's would run outside its thread.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

_POLLED = ((1, select.POLLIN), (2, select.POLLOUT), (4, select.POLLERR | select.POLLNVAL), (8, select.POLLHUP))
"""virEventHandleType, libvirt/libvirt-event.h, and what it is to poll."""


@dataclass(slots=True)
class _Handle:
    fd: int
    events: int
    call: Callable[[int, int, int, Any], None]
    opaque: Any


@dataclass(slots=True)
class _Timer:
    every_ms: int
    due: float
    call: Callable[[int, Any], None]
    opaque: Any


class EventLoop:
    """One for the process. Everything may be called from any thread but `run`, which is the loop's own."""

    def __init__(self, libvirt: Any) -> None:
        self._libvirt = libvirt
        self._guard = threading.Lock()
        self._numbers = count(1)
        self._handles: dict[int, _Handle] = {}
        self._timers: dict[int, _Timer] = {}
        self._unneeded: list[Any] = []
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def register(self) -> None:
        """Make it libvirt's; only connections that are opened later use it."""
        self._libvirt.virEventRegisterImpl(
            self._add_handle,
            self._update_handle,
            self._remove_handle,
            self._add_timer,
            self._update_timer,
            self._remove_timer,
        )

    def run(self) -> None:
        """Serve until the process ends."""
        while True:
            self._turn()

    def _turn(self) -> None:
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        wanted: dict[int, int] = {}
        with self._guard:
            for handle in self._handles.values():
                if handle.events:
                    wanted[handle.fd] = wanted.get(handle.fd, 0) | _to_poll(handle.events)
            pause = self._pause_ms()
        for fd, events in wanted.items():
            poll.register(fd, events)
        ready = dict(poll.poll(pause))
        if ready.pop(self._bell, 0):
            os.eventfd_read(self._bell)
        self._serve_handles(ready)
        self._serve_timers()
        self._free()

    def _pause_ms(self) -> int | None:
        due = [timer.due for timer in self._timers.values() if timer.every_ms >= 0]
        return max(0, round((min(due) - time.monotonic()) * 1000 + 0.5)) if due else None

    def _serve_handles(self, ready: dict[int, int]) -> None:
        with self._guard:
            handles = [(number, one) for number, one in self._handles.items() if one.fd in ready]
        for number, handle in handles:
            seen = _from_poll(ready[handle.fd]) & (handle.events | 4 | 8)
            # Whatever was served before it may have removed or paused it.
            if number in self._handles and handle.events and seen:
                handle.call(number, handle.fd, seen, handle.opaque)

    def _serve_timers(self) -> None:
        now = time.monotonic()
        with self._guard:
            due = [(number, one) for number, one in self._timers.items() if one.every_ms >= 0 and one.due <= now]
        for number, timer in due:
            if number in self._timers and timer.every_ms >= 0:
                timer.due = time.monotonic() + timer.every_ms / 1000
                timer.call(number, timer.opaque)

    def _free(self) -> None:
        """From here, because libvirt may hold its locks while it removes something."""
        with self._guard:
            unneeded, self._unneeded = self._unneeded, []
        for opaque in unneeded:
            self._libvirt.virEventInvokeFreeCallback(opaque)

    def _ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def _add_handle(self, fd: int, events: int, call: Callable[[int, int, int, Any], None], opaque: Any) -> int:
        with self._guard:
            number = next(self._numbers)
            self._handles[number] = _Handle(fd, events, call, opaque)
        self._ring()
        return number

    def _update_handle(self, number: int, events: int) -> None:
        with self._guard:
            if number in self._handles:
                self._handles[number].events = events
        self._ring()

    def _remove_handle(self, number: int) -> int:
        return self._remove(self._handles, number)

    def _add_timer(self, every_ms: int, call: Callable[[int, Any], None], opaque: Any) -> int:
        with self._guard:
            number = next(self._numbers)
            self._timers[number] = _Timer(every_ms, time.monotonic() + every_ms / 1000, call, opaque)
        self._ring()
        return number

    def _update_timer(self, number: int, every_ms: int) -> None:
        with self._guard:
            timer = self._timers.get(number)
            if timer is not None:
                timer.every_ms, timer.due = every_ms, time.monotonic() + every_ms / 1000
        self._ring()

    def _remove_timer(self, number: int) -> int:
        return self._remove(self._timers, number)

    def _remove(self, among: dict[int, Any], number: int) -> int:
        with self._guard:
            gone = among.pop(number, None)
            if gone is None:
                return -1
            self._unneeded.append(gone.opaque)
        self._ring()
        return 0


def _to_poll(events: int) -> int:
    return sum(polled & ~select.POLLNVAL for event, polled in _POLLED if events & event)


def _from_poll(polled: int) -> int:
    return sum(event for event, bits in _POLLED if polled & bits)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Hotplug: tells when cards or monitors come and go. The only module that knows pyudev.

Separate because it keeps a thread. It says only that something changed; what the machine looks like now is read anew,
so an event that was missed or doubled cannot make a wrong picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text

SUBSYSTEMS = ("pci", "drm")
_STOP_SECONDS = 5.0


class Watch:
    """A running watch. `stop` ends its thread; a callback that is running is waited for."""

    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def stop(self) -> None:
        """End the thread. May be called twice, and from the callback itself."""
        if threading.get_ident() == self._observer.ident:
            self._observer.send_stop()
        elif self._observer.is_alive():
            self._observer.stop()
            self._observer.join(_STOP_SECONDS)


def watch(callback: Callable[[str, str], None]) -> Reading[Watch]:
    """Call back with (subsystem, what happened) from a thread; Unknown where this system has no udev to listen to."""
    try:
        import pyudev  # noqa: PLC0415 - loads a C library; scan never needs it
    except ImportError as error:
        return Unknown(text("source.udev.missing", error=str(error)))
    try:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
        for subsystem in SUBSYSTEMS:
            monitor.filter_by(subsystem)
        observer = pyudev.MonitorObserver(
            monitor,
            callback=lambda device: callback(str(device.subsystem), str(device.action)),
            name="vitrail-hotplug",
        )
        observer.start()
    except (OSError, pyudev.DeviceNotFoundError) as error:
        return Unknown(text("source.udev.failed", error=str(error)))
    return Known(Watch(observer), "udev")

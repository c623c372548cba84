# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Python's cyclic garbage is collected: on the window's thread, and nowhere else.

Python collects in whichever thread happens to allocate. A page and its signals form a cycle; collected by the reader
they take Qt objects apart in the wrong thread, and the process dies. Seen with PySide6 6.12.0 on Python 3.13 while a
wizard was closed during a read.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class Collector(QObject):
    """While it lives, automatic collection is off, and its timer collects what the thresholds ask for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(collect_what_is_due)
        self._timer.start(_EVERY_MS)

    def stop(self) -> None:
        """Give collecting back to Python; for when no other thread of ours is left."""
        self._timer.stop()
        if self._was_on:
            gc.enable()


def collect_what_is_due() -> None:
    """Collect the oldest generation whose count is over its threshold; the younger ones go with it."""
    for generation, (count, limit) in reversed(list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))):
        if limit and count > limit:
            gc.collect(generation)
            return

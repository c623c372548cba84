# SPDX-License-Identifier: GPL-3.0-or-later
"""The window with a heart: opens a place, walks through every page or only waits, and prints the longest gaps.

A process of its own for `stall`: `heart.py walk|wait --connect|--machine PLACE`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QSettings, Qt, QTimer

from vitrail.qt.app import Desktop
from vitrail.qt.application import make_application
from vitrail.qt.desk import Desk
from vitrail.qt.main_window import MainWindow
from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.preferences import Preferences
from vitrail.service.places import open_place
from vitrail.text.speaker import Speaker

_BEAT_MS = 2
_ACT_MS = 300
_HANGS_MS = 7000
"""Longer than the desktop waits for a daemon."""


class Heart:
    """Beats in the window's thread, and notes the longest gap of whatever is done meanwhile."""

    def __init__(self) -> None:
        self.gaps: dict[str, float] = {}
        self.act = "opening"
        self._last = time.monotonic()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def _beat(self) -> None:
        now = time.monotonic()
        gap = (now - self._last) * 1000 - _BEAT_MS
        self._last = now
        self.gaps[self.act] = max(self.gaps.get(self.act, 0.0), gap)


def main(act: str, option: str, words: str) -> None:
    """Open, act, print."""
    place = open_place(words if option == "--machine" else None, words if option == "--connect" else None)
    place.begin()
    app = make_application()
    wear(app, Scheme.LIGHT)
    desktop = Desktop(Preferences(QSettings("settings.ini", QSettings.Format.IniFormat)), Speaker())
    window = desktop.open(place)
    # The window's own first painting is no stall: nobody could have clicked before.
    app.processEvents()
    heart = Heart()
    desk = window.findChild(Desk)
    assert desk is not None
    left = _acts(window, desk)

    def go_on() -> None:
        name, do = next(left, ("", app.quit))
        if name:
            heart.act = name
        QTimer.singleShot(_ACT_MS, go_on)
        do()

    if act == "walk":
        desk.pages_prepared.connect(go_on, Qt.ConnectionType.SingleShotConnection)
    else:
        QTimer.singleShot(_HANGS_MS, app.quit)
    app.exec()
    json.dump(heart.gaps, sys.stdout)
    sys.stdout.flush()
    # A daemon that hangs would be waited for.
    os._exit(0)


def _acts(window: MainWindow, desk: Desk) -> Iterator[tuple[str, Callable[[], object]]]:
    for name in window.page_names:
        yield f"showing {name}", partial(window.show_page, name)
        for view, show in window.page(name).views():
            yield f"showing {name} as {view}", show
    yield "reading again", desk.read


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of the whole process: a display that cannot be reached, and whose thread serves the window."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LISTEN = """
import sys, threading, time
import libvirt
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from vitrail.service.libvirt_events import start_events
start_events(libvirt)
app = QGuiApplication([])
threads = set()
timer = QTimer()
def tick():
    threads.add(threading.current_thread())
    timer.count = getattr(timer, "count", 0) + 1
    if timer.count == 200:
        app.quit()
timer.timeout.connect(tick)
timer.start(0)
# The window is busy, as it is while it is built: nobody else may serve its events then.
until = time.monotonic() + 0.3
while time.monotonic() < until:
    pass
app.exec()
sys.exit(threads != {threading.main_thread()})
"""


def _run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, *words],
        env=environment | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"DISPLAY": ":65530"},
        {"WAYLAND_DISPLAY": "/nowhere/wayland-0"},
        {"QT_QPA_PLATFORM": "nonsense"},
    ],
)
def test_a_display_that_cannot_be_reached_is_said_with_what_to_do(settings: dict[str, str]) -> None:
    ended = _run("-m", "vitrail", "--machine", "demo", **settings)
    assert ended.returncode == 2, ended.stderr
    assert "No window can be opened here" in ended.stderr
    assert "vitrail scan" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not ended.stdout


def test_the_window_is_served_by_its_own_thread_while_libvirt_is_listened_to() -> None:
    pytest.importorskip("libvirt")
    ended = _run("-c", _LISTEN, QT_QPA_PLATFORM="offscreen")
    assert ended.returncode == 0, ended.stderr
    assert "CRITICAL" not in ended.stderr

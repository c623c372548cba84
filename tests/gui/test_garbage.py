# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles that hold Qt objects are taken apart on the window's thread, whichever thread allocates."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject

from vitrail.qt.garbage import Collector, collect_what_is_due


class Cycle(QObject):
    """An object that only the cyclic collector frees, and that tells on which thread it went."""

    def __init__(self, ended: list[str]) -> None:
        super().__init__()
        self.me = self
        weakref.finalize(self, lambda: ended.append(threading.current_thread().name))


def _allocate() -> None:
    kept = [[{} for _ in range(50)] for _ in range(2000)]
    del kept


def test_another_thread_that_allocates_collects_nothing() -> None:
    ended: list[str] = []
    Cycle(ended)
    worker = threading.Thread(target=_allocate, name="reader")
    worker.start()
    worker.join()
    assert ended == []
    gc.collect()
    assert ended == [threading.current_thread().name]


def test_what_is_due_is_collected() -> None:
    ended: list[str] = []
    Cycle(ended)
    kept = [[] for _ in range(gc.get_threshold()[0] + 10)]
    collect_what_is_due()
    assert ended
    del kept


def test_python_gets_collecting_back() -> None:
    gc.enable()
    try:
        collector = Collector()
        assert not gc.isenabled()
        collector.stop()
        assert gc.isenabled()
    finally:
        gc.disable()

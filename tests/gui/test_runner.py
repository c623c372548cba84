# SPDX-License-Identifier: GPL-3.0-or-later
"""The way home from the worker threads."""

from __future__ import annotations

import sys
import threading

from PySide6.QtCore import QObject, QThread

from vitrail.model.errors import Refused, Unsettled, VitrailError
from vitrail.model.text import text
from vitrail.qt.runner import Runner


def failing(error: VitrailError):
    raise AssertionError(error.what.id)


def test_a_result_arrives_on_the_windows_thread(qtbot, runner: Runner) -> None:
    owner, seen = QObject(), []
    runner.read(
        lambda: threading.current_thread().name,
        lambda name: seen.append((name, QThread.isMainThread())),
        failing,
        owner,
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0].startswith("vitrail-read")
    assert seen[0][1]


def test_an_error_of_ours_reaches_the_one_who_asked(qtbot, runner: Runner) -> None:
    owner, seen = QObject(), []

    def refuse() -> None:
        raise Refused(text("tests.no"))

    runner.change(refuse, failing, seen.append, owner)
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], Refused)


def test_a_fault_is_logged_and_said(qtbot, runner: Runner, caplog) -> None:
    owner, seen = QObject(), []
    runner.read(lambda: 1 // 0, failing, seen.append, owner)
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], Unsettled)
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


def test_changes_never_overlap_and_keep_their_order(qtbot, runner: Runner) -> None:
    owner, order, done = QObject(), [], []
    gate = threading.Event()

    def first() -> None:
        gate.wait()
        order.append("first")

    runner.change(first, done.append, failing, owner)
    runner.change(lambda: order.append("second"), done.append, failing, owner)
    gate.set()
    qtbot.waitUntil(lambda: len(done) == 2)
    assert order == ["first", "second"]


def test_a_dropped_ticket_gets_no_answer(qtbot, runner: Runner) -> None:
    owner, seen, gate = QObject(), [], threading.Event()
    ticket = runner.read(gate.wait, seen.append, failing, owner)
    ticket.drop()
    gate.set()
    after: list[object] = []
    runner.read(lambda: None, after.append, failing, owner)
    qtbot.waitUntil(lambda: bool(after))
    assert not seen


def test_a_result_for_someone_who_is_gone_is_thrown_away(qtbot, runner: Runner) -> None:
    owner, other, seen, after = QObject(), QObject(), [], []
    gate = threading.Event()
    runner.read(gate.wait, seen.append, failing, owner)
    owner.deleteLater()
    qtbot.wait(1)
    gate.set()
    runner.read(lambda: None, after.append, failing, other)
    qtbot.waitUntil(lambda: bool(after))
    assert not seen


def test_nothing_arrives_after_close(qtbot) -> None:
    runner, owner, seen = Runner(), QObject(), []
    runner.read(lambda: 1, seen.append, failing, owner)
    runner.close()
    qtbot.wait(1)
    assert not seen
    assert runner.read(lambda: 2, seen.append, failing, owner).dropped


def test_a_call_from_any_thread_comes_home(qtbot, runner: Runner) -> None:
    owner, seen = QObject(), []
    call = runner.at_home(lambda value: seen.append((value, QThread.isMainThread())), owner)
    thread = threading.Thread(target=call, args=("event",))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("event", True)]


def test_emitting_true_keeps_its_references(qtbot, runner: Runner) -> None:
    """PySide6 6.12.0 on Python 3.11 dropped one reference of True with every emit and died after about 600."""
    owner, seen = QObject(), []
    call = runner.at_home(seen.append, owner)
    before = sys.getrefcount(True)  # noqa: FBT003 - the object itself
    for _ in range(400):
        call(True)  # noqa: FBT003
    qtbot.waitUntil(lambda: len(seen) == 400)
    seen.clear()
    assert sys.getrefcount(True) >= before - 20  # noqa: FBT003

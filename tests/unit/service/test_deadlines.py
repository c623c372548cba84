# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that end, fail, or never come back."""

from __future__ import annotations

import threading

import pytest

from vitrail.service.deadlines import LateError, Task, call_within


def test_a_result_comes_back():
    assert call_within(5, lambda _beat: 7) == 7


def test_an_error_comes_back_in_the_thread_that_asked():
    with pytest.raises(ZeroDivisionError):
        call_within(5, lambda _beat: 1 / 0)


def test_a_call_that_never_ends_is_late():
    never = threading.Event()
    with pytest.raises(LateError):
        call_within(0.02, lambda _beat: never.wait())
    never.set()


def test_a_late_result_can_be_asked_for_again():
    gate = threading.Event()
    task = Task(lambda _beat: gate.wait() and "here")
    with pytest.raises(LateError):
        task.result(0.01)
    gate.set()
    assert task.result(5) == "here"


def test_the_deadline_counts_from_the_last_beat():
    pause = threading.Event()

    def job(beat):
        for _part in range(6):
            pause.wait(0.05)
            beat()
        return "done"

    assert call_within(0.2, job) == "done"

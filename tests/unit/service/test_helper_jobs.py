# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a change of the root helper's: what is heard, how often is asked, and what a lost connection means."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from vitrail.model.errors import Refused, Unreachable, Unsettled, VitrailError
from vitrail.model.host_wire import HostJob, HostProgress, Job
from vitrail.model.text import text
from vitrail.service.helper_jobs import follow, recognised
from vitrail.service.helper_words import NO_JOB

JOB = "0123456789abcdef" * 2
LOST = Unreachable(text("helper.no-answer", message="x"), text("helper.next.try-again"))
GONE = Refused(text(NO_JOB), text("helper.next.status"))


def step(number: int) -> HostProgress:
    return HostProgress("0123456789abcdef", number, 2, "run-tool", f"s{number}", back=False)


def job(seen: int, progress: HostProgress | None = None, answer: str | None = None) -> HostJob:
    return HostJob(JOB, "r", "undo", None, 1.0, seen, progress, answer)


def helper(*says: HostJob | VitrailError) -> tuple[Callable[[Job], HostJob], list[Job]]:
    """One that says this, and the questions that it got."""
    asked: list[Job] = []

    def ask(request: Job) -> HostJob:
        asked.append(request)
        said = says[min(len(asked), len(says)) - 1]
        if isinstance(said, VitrailError):
            raise said
        return said

    return ask, asked


def test_each_step_is_told_once_and_the_question_goes_on_from_what_was_seen():
    ask, asked = helper(job(1, step(1)), job(1, step(1)), job(3, step(2), "answer"))
    told: list[HostProgress] = []
    assert follow(ask, JOB, told.append) == "answer"
    assert told == [step(1), step(2)]
    assert [request.seen for request in asked] == [0, 1, 1]


def test_two_questions_are_half_a_second_apart():
    ask, asked = helper(job(0), LOST, job(1, None, "answer"))
    begun = time.monotonic()
    assert follow(ask, JOB, None) == "answer"
    assert time.monotonic() - begun >= 1.0
    assert len(asked) == 3


def test_an_answer_that_is_there_is_not_waited_for():
    ask, _ = helper(job(1, None, "answer"))
    begun = time.monotonic()
    follow(ask, JOB, None)
    assert time.monotonic() - begun < 0.5


def test_a_connection_that_stays_lost_leaves_it_open():
    ask, _ = helper(LOST)
    with pytest.raises(Unsettled) as caught:
        follow(ask, JOB, None, lost_seconds=0.4)
    assert caught.value.next_steps[0].id == "helper.next.status"


def test_a_job_that_nobody_knows_is_not_asked_for_again():
    ask, asked = helper(GONE)
    with pytest.raises(Unsettled):
        follow(ask, JOB, None)
    assert len(asked) == 1


def test_a_lost_answer_is_recognised_by_the_request():
    ask, _ = helper(job(0))
    assert recognised(ask, "r") == JOB
    assert recognised(ask, "another") is None


@pytest.mark.parametrize("error", [LOST, GONE])
def test_nothing_is_recognised_where_nobody_answers(error):
    ask, _ = helper(error)
    assert recognised(ask, "r") is None

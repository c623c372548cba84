# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job leaves in its folder, and what is made of it by whoever looks, whatever is there."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable

import pytest

from vitrail.helper import jobs
from vitrail.helper.core_child import read_request
from vitrail.model.host_wire import Kind, Refusal

UNDO = '{"protocol":1,"id":"mine","verb":"undo","plan_id":"0123456789abcdef","everything":false,"force":false}'
ANSWER = b'{"id":"mine","ok":true,"result":[]}\n'
STEP = {"plan_id": "0123456789abcdef", "step": 1, "of": 2, "kind": "run-tool", "subject": "x", "back": False}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "vitrail" / "jobs"
    monkeypatch.setattr(jobs, "FOLDER", place)
    return place


@pytest.fixture
def begun(folder):  # noqa: ARG001 - where it is put
    """A job whose core is at work: this process holds what it would hold."""
    one = jobs.begin(read_request(UNDO), 1000)
    yield one
    one.close()


def end(begun: jobs.Begun) -> None:
    """As the kernel does when its core ends."""
    fcntl.flock(begun.answer, fcntl.LOCK_UN)


def kind(answer: str | None) -> str:
    return str(json.loads(answer or "")["error"]["kind"])


def refusal(do: Callable[..., object], *args: object) -> Kind:
    with pytest.raises(Refusal) as caught:
        do(*args)
    return caught.value.kind


def test_it_is_at_work_until_it_answers(begun):
    state = jobs.look(begun.job)
    assert (state.request, state.verb, state.plan_id) == ("mine", "undo", "0123456789abcdef")
    assert (state.seen, state.progress, state.answer) == (0, None, None)
    os.write(begun.answer, ANSWER)
    assert jobs.look(begun.job).answer == ANSWER.decode()[:-1]
    assert jobs.look(begun.job).seen == 1


def test_the_last_whole_line_is_how_far_it_is(begun):
    for step in (1, 2):
        os.write(begun.progress, json.dumps(STEP | {"step": step}).encode() + b"\n")
    os.write(begun.progress, b'{"plan_id":"0123')
    state = jobs.look(begun.job)
    assert state.progress is not None
    assert (state.seen, state.progress.step) == (2, 2)


@pytest.mark.parametrize("line", [b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"step":"1"}', b""])
def test_what_is_no_step_is_no_news_and_no_harm(begun, line):
    os.write(begun.progress, line + b"\n")
    assert jobs.look(begun.job).progress is None


@pytest.mark.parametrize(
    "words",
    [
        b"",
        ANSWER[:-1],
        b"Traceback\n",
        b"{}\n",
        b'{"ok":"yes"}\n',
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        ANSWER + b"more\n",
        b"x" * (2 * jobs.MAX_BYTES),
    ],
)
def test_a_core_that_ended_without_an_answer_died(begun, words):
    os.write(begun.answer, words)
    end(begun)
    assert kind(jobs.look(begun.job).answer) == "core-died"


def test_a_core_that_says_too_much_is_known(begun):
    assert not jobs.says_too_much(begun.job)
    os.write(begun.answer, b"x" * (jobs.MAX_BYTES + 1))
    assert jobs.says_too_much(begun.job)


def test_an_answer_outlives_its_core(begun):
    os.write(begun.answer, ANSWER)
    end(begun)
    assert jobs.look(begun.job).answer == ANSWER.decode()[:-1]


def test_only_its_user_and_root_find_it(begun):
    assert jobs.find(begun.job, 1000) == jobs.find(None, 1000) == jobs.find(begun.job, 0) == begun.job
    assert refusal(jobs.find, begun.job, 1001) is Kind.NO_JOB
    assert refusal(jobs.find, None, 1001) is Kind.NO_JOB
    assert refusal(jobs.find, None, 0) is Kind.NO_JOB


@pytest.mark.parametrize("about", ["", "{}", "[]", "\x00", '{"uid":0}', "[" * 100_000])
def test_what_is_no_job_is_not_found(begun, folder, about):
    (folder / begun.job / "about").write_text(about)
    assert refusal(jobs.find, begun.job, 1000) is Kind.NO_JOB
    assert refusal(jobs.look, begun.job) is Kind.NO_JOB


@pytest.mark.usefixtures("begun")
def test_only_root_looks_into_the_folder(folder):
    modes = {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert modes == {0o700, 0o600}


@pytest.mark.parametrize("which", ["vitrail", "vitrail/jobs"])
def test_a_folder_that_others_may_write_is_not_used(folder, tmp_path, which):
    folder.mkdir(parents=True)
    (tmp_path / which).chmod(0o777)
    assert refusal(jobs.begin, read_request(UNDO), 1000) is Kind.PLACE
    assert list(folder.iterdir()) == []


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder, tmp_path):
    folder.parent.mkdir()
    folder.symlink_to(tmp_path)
    assert refusal(jobs.begin, read_request(UNDO), 1000) is Kind.PLACE


def test_the_newest_of_those_that_ended_stay_and_all_that_run(folder):
    running = jobs.begin(read_request(UNDO), 1000)
    ended = []
    for _ in range(40):
        one = jobs.begin(read_request(UNDO), 1000)
        one.close()
        ended.append(one.job)
    left = {path.name for path in folder.iterdir()}
    assert left == {running.job, *ended[-33:]}
    running.close()

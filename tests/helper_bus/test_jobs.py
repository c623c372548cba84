# SPDX-License-Identifier: GPL-3.0-or-later
"""A change over the bus: checked before anybody is asked, the same bytes throughout, and on its way by itself."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from helper_bus.conftest import ask_raw, pid_of, wait_for
from helper_bus.private_bus import ALLOWED, ELSEWHERE, FORBIDDEN
from helper_bus.test_verbs import MACHINE_ID, PLAN_ID, TEMPLATE, plan
from vitrail.model.errors import Unsettled, VitrailError
from vitrail.model.host_place import place_of
from vitrail.model.host_wire import HostProgress
from vitrail.model.render import render
from vitrail.model.wire import to_wire
from vitrail.service.helper_client import HelperClient

pytestmark = pytest.mark.real
NAME = "org.vitrail.Helper1"
DOOR = (NAME, "/org/vitrail/Helper1", NAME, "Ask")
UNDO = '{"protocol":1,"id":"mine","verb":"undo","plan_id":null,"everything":true,"force":false}'


def job_line(job: str | None, seen: int = -1) -> str:
    return json.dumps({"protocol": 1, "id": "a", "verb": "job", "job": job, "seen": seen})


def asked(bus: Any, line: str) -> dict[str, Any]:
    """The answer to one line of root's."""
    return dict(json.loads(ask_raw(bus, DOOR, line).body[0]))


def kind_of(answer: dict[str, Any]) -> str:
    return str(answer["error"]["kind"])


def begun(bus: Any) -> str:
    """The job that root's undo became."""
    return str(asked(bus, UNDO)["result"]["job"])


def settled(bus: Any, job: str) -> dict[str, Any]:
    """What the job ends with."""
    state = asked(bus, job_line(job))["result"]
    while state["answer"] is None:
        state = asked(bus, job_line(job, state["seen"]))["result"]
    return dict(json.loads(state["answer"]))


class TestBeforeAnybodyIsAsked:
    """The core is asked first, and answers by itself where the answer is no."""

    def test_what_would_be_refused_asks_for_no_password(self, caller, core):
        core.behave("refuse")
        user = caller(FORBIDDEN)
        assert user.asks("undo")["id"] == "helper.refused.other-boot"
        core.behave("")
        assert user.asks("undo")["id"] == "helper.denied"
        assert core.log == []

    def test_the_core_itself_refuses_before_anybody_is_asked(self, caller):
        answer = caller(FORBIDDEN).asks("keep", plan_id="0123456789abcdef", boot_id="x")
        assert answer["id"] == "helper.refused.other-boot"

    def test_a_core_that_does_not_say_has_begun_nothing(self, caller, core):
        core.behave("check-die")
        answer = caller(ALLOWED).asks("undo")
        assert (answer["class"], answer["id"]) == ("Refused", "helper.damaged")
        assert core.log == []

    def test_what_is_done_is_what_was_checked_byte_for_byte(self, bus, core):
        assert settled(bus, begun(bus))["ok"]
        words = [line.split() for line in core.lines]
        assert [word for word, _ in words] == ["check", "do"]
        assert len({digest for _, digest in words}) == 1

    def test_a_duplicate_key_does_not_reach_the_question(self, bus):
        line = UNDO.replace('"force":false', '"force":false,"force":false')
        assert kind_of(asked(bus, line)) == "duplicate-key"


class TestWhileSomebodyIsAsked:
    """With the real core, and a question that is answered when the test says so."""

    @pytest.fixture
    def answer(self, bus, caller, agent, tmp_path) -> Callable[[Callable[[], None]], dict[str, Any]]:
        """What an unprivileged user is told who applies the plan, when this happens before somebody says yes."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)

        def apply(meanwhile: Callable[[], None]) -> dict[str, Any]:
            (bus.root / "etc/machine-id").unlink(missing_ok=True)
            (bus.root / "etc/machine-id").write_text(MACHINE_ID + "\n")
            user = caller(ELSEWHERE)
            said = agent(user.pid, str(pipe))
            user.start("apply", plan=to_wire(plan()))
            assert said().startswith("asked org.vitrail.helper1.apply")
            meanwhile()
            pipe.write_text("yes")
            return dict(json.loads(user.read()))

        return apply

    def test_what_was_checked_is_carried_out(self, bus, answer):
        path = bus.root / place_of(TEMPLATE).path
        assert answer(lambda: None)["ok"]["result"] == "applied"
        assert path.read_bytes() == render(TEMPLATE, None)
        assert HelperClient(bus.address, bus.root).undo(PLAN_ID)[0].result == "taken_back"
        assert not path.exists()

    def test_what_changes_meanwhile_is_a_refusal(self, bus, answer):
        path = bus.root / place_of(TEMPLATE).path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            said = answer(lambda: path.write_text("theirs") and None)
            assert said["id"] == "helper.refused.subject-changed"
            assert path.read_text() == "theirs"
        finally:
            path.unlink()


class TestWithoutItsCaller:
    """Neither who asked nor the door that was asked is needed for the rest."""

    def test_it_goes_on_and_is_found_again(self, caller, core):
        core.behave("wait")
        first = caller(ALLOWED)
        first.start("undo")
        pid = core.wait_until_begun()
        first.end()
        second = caller(ALLOWED)
        job = second.asks("newest_job")["ok"]
        assert (job["verb"], job["answer"]) == ("undo", None)
        core.let_go(pid)
        assert second.asks("wait_for_newest") == {"ok": []}
        assert core.log == ["begun undo", "finished undo"]

    def test_another_user_knows_nothing_of_it(self, bus, caller, core):
        core.behave("wait")
        user = caller(ALLOWED)
        user.start("undo")
        pid = core.wait_until_begun()
        (place,) = (bus.folder / "run/vitrail/jobs").iterdir()
        other = caller(ELSEWHERE)
        assert other.asks("newest_job") == {"ok": None}
        assert other.asks("job_of", job=place.name)["id"] == "helper.no-job"
        assert asked(bus, job_line(place.name))["result"]["job"] == place.name
        assert place.parent.stat().st_mode & 0o077 == 0
        core.let_go(pid)
        assert json.loads(user.read()) == {"ok": []}

    def test_a_door_that_is_killed_takes_nothing_with_it(self, bus, caller, core):
        core.behave("wait")
        user = caller(ALLOWED)
        user.start("undo")
        pid = core.wait_until_begun()
        door = pid_of(bus, NAME)
        gone = os.pidfd_open(door)
        os.kill(door, signal.SIGKILL)
        wait_for(gone)
        core.let_go(pid)
        assert json.loads(user.read()) == {"ok": []}
        assert core.log == ["begun undo", "finished undo"]

    def test_a_core_that_died_without_a_door_is_known_to_the_next(self, bus, core):
        core.behave("wait")
        job = begun(bus)
        pid = core.wait_until_begun()
        ends = [os.pidfd_open(one) for one in (pid_of(bus, NAME), pid)]
        os.kill(pid_of(bus, NAME), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        for one in ends:
            wait_for(one)
        assert kind_of(settled(bus, job)) == "core-died"


class TestHowFarItIs:
    """What is said of a job, and when."""

    def test_each_step_is_told_as_it_begins(self, bus, core):
        core.behave("steps")
        told: queue.Queue[HostProgress] = queue.Queue()
        client = HelperClient(bus.address, bus.root)
        waiting = threading.Thread(target=lambda: client.undo(told=told.put))
        waiting.start()
        first = told.get(timeout=30)
        assert (first.step, first.of, first.subject, first.back) == (1, 2, "s1", False)
        core.let_go(core.wait_until_begun())
        assert told.get(timeout=30).step == 2
        waiting.join(30)
        assert told.empty()

    def test_the_answer_waits_for_news(self, bus, core):
        core.behave("wait")
        job = begun(bus)
        pid = core.wait_until_begun()
        seen = asked(bus, job_line(job))["result"]["seen"]
        asking = threading.Thread(target=lambda: answers.append(asked(bus, job_line(job, seen))["result"]))
        answers: list[dict[str, Any]] = []
        asking.start()
        core.let_go(pid)
        asking.join(30)
        assert json.loads(answers[0]["answer"])["ok"]

    @pytest.mark.parametrize(("mode", "kind"), [("die", "core-died"), ("noise", "core-died"), ("flood", "core-died")])
    def test_a_core_without_an_answer_is_one_typed_answer(self, bus, core, mode, kind):
        core.behave(mode)
        answer = settled(bus, begun(bus))
        assert (answer["id"], answer["ok"], kind_of(answer)) == ("mine", False, kind)

    def test_one_that_takes_hours_is_said_to_be_late_and_is_left_alone(self, bus, core):
        core.behave("wait")
        job = begun(bus)
        pid = core.wait_until_begun()
        about = bus.folder / "run/vitrail/jobs" / job / "about"
        about.write_text(json.dumps(json.loads(about.read_text()) | {"since": -1e6}))
        assert kind_of(settled(bus, job)) == "core-late"
        ended = os.pidfd_open(pid)
        core.let_go(pid)
        wait_for(ended)
        assert settled(bus, job)["ok"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (job_line("f" * 32), "no-job"),
        (job_line("../../etc/shadow"), "fields"),
        (job_line("F" * 32), "fields"),
        (job_line(""), "fields"),
        (job_line(None, -2), "fields"),
        ('{"protocol":1,"id":"a","verb":"job"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"job","job":null,"seen":"1"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"job","job":null,"seen":-1,"uid":0}', "fields"),
        ('{"protocol":1,"id":"a","verb":"job","job":["a"],"seen":-1}', "fields"),
        ('{"protocol":1,"id":"a","verb":"watch"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"watch","after":"proc/1/environ"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"watch","after":"/proc/1/fdinfo/1"}', "fields"),
        ('{"protocol":1,"id":"a","verb":"watch","after":null,"pid":1}', "fields"),
        ('{"protocol":1,"id":"a","verb":"check","plan":null}', "verb"),
    ],
)
def test_hostile_words_of_the_new_verbs_are_refused(bus, core, line, kind):
    assert kind_of(asked(bus, line)) == kind
    assert core.log == []


def test_a_folder_of_someone_else_is_not_used(bus, core):
    place = bus.folder / "run/vitrail"
    place.mkdir()
    place.chmod(0o777)
    try:
        assert kind_of(asked(bus, UNDO)) == "place"
    finally:
        place.chmod(0o755)
    assert core.log == []


def test_who_has_begun_nothing_waits_for_nothing(caller):
    assert caller("bin").asks("newest_job") == {"ok": None}


def test_what_nobody_knows_any_more_is_not_settled(bus, core):
    core.behave("")
    client = HelperClient(bus.address, bus.root)
    assert client.undo() == ()
    job = client.newest_job()
    assert job is not None
    for path in (bus.folder / "run/vitrail/jobs").iterdir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    with pytest.raises(VitrailError) as error:
        client.wait_for(job)
    assert isinstance(error.value, Unsettled)
    assert error.value.next_steps[0].id == "helper.next.status"

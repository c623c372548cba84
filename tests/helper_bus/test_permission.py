# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may: a real polkitd decides, about the caller that asked, and each of its answers is a sentence of its own."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

import pytest
from lxml import etree

from helper_bus.private_bus import ALLOWED, ELSEWHERE, FORBIDDEN, SEATED, SWITCHED_AWAY
from vitrail.model.host_wire import VERBS
from vitrail.model.text import text
from vitrail.text import speaker

pytestmark = pytest.mark.real
POLICY = Path(__file__).parents[2] / "resources/polkit/org.vitrail.Helper1.policy"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
KEEP = {"plan_id": "0123456789abcdef", "boot_id": "x"}


@pytest.mark.usefixtures("core")
def test_who_is_allowed_by_rule_is_not_asked(caller):
    assert caller(ALLOWED).asks("undo") == {"ok": []}


def test_who_is_forbidden_by_rule_is_told_so(caller, core):
    answer = caller(FORBIDDEN).asks("undo")
    assert (answer["class"], answer["id"]) == ("Refused", "helper.denied")
    assert core.log == []


def test_nobody_to_ask_is_not_a_no(caller, core):
    answer = caller(ELSEWHERE).asks("undo")
    assert (answer["id"], answer["next"]) == ("helper.no-agent", ["helper.next.start-agent"])
    assert core.log == []


@pytest.mark.usefixtures("core")
def test_the_right_password_allows(caller, agent):
    user = caller(ELSEWHERE)
    said = agent(user.pid, "allow")
    assert user.asks("undo") == {"ok": []}
    question = "Authentication is required to take back what Vitrail has changed on this computer"
    assert said() == f"asked org.vitrail.helper1.undo {question}\n"


@pytest.mark.usefixtures("core")
def test_the_question_names_the_plan(caller, agent):
    user = caller(ELSEWHERE)
    said = agent(user.pid, "deny")
    user.asks("keep", **KEEP)
    assert "the change 0123456789abcdef without" in said()


def test_the_wrong_password_denies(caller, agent, core):
    user = caller(ELSEWHERE)
    agent(user.pid, "deny")
    assert user.asks("undo")["id"] == "helper.denied"
    assert core.log == []


def test_a_closed_question_is_neither(caller, agent, core):
    user = caller(ELSEWHERE)
    agent(user.pid, "dismiss")
    assert user.asks("undo")["id"] == "helper.dismissed"
    assert core.log == []


def test_the_sentences_differ():
    say = speaker("en").say
    ids = ("helper.denied", "helper.dismissed", "helper.no-agent", "helper.no-polkit", "helper.not-installed")
    sentences = {say(text(message_id)) for message_id in ids}
    assert len(sentences) == len(ids)
    assert not sentences & set(ids)


@pytest.mark.usefixtures("core")
def test_hello_and_status_are_free(caller):
    user = caller(FORBIDDEN)
    assert user.asks("hello")["ok"]["version"] == "0.0.1"
    assert user.asks("status")["ok"]["runs"] == []


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize(
    ("verb", "arguments"), [("keep", KEEP), ("extend", KEEP), ("facts", {}), ("story", {}), ("watch", {})]
)
def test_who_sits_at_the_screen_needs_no_password_for(bus, caller, verb, arguments):
    user = caller(SEATED)
    bus.put_in_session(user.pid, SEATED, "c1")
    assert "ok" in user.asks(verb, **arguments)


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize(
    ("verb", "arguments"), [("keep", KEEP), ("extend", KEEP), ("facts", {}), ("story", {}), ("watch", {})]
)
def test_who_is_elsewhere_is_asked_for(caller, agent, verb, arguments):
    user = caller(ELSEWHERE)
    said = agent(user.pid, "allow")
    assert "ok" in user.asks(verb, **arguments)
    assert said().startswith(f"asked org.vitrail.helper1.{verb} Authentication is required")


@pytest.mark.usefixtures("core")
def test_a_look_at_the_start_asks_nobody(bus, caller, agent):
    elsewhere = caller(ELSEWHERE)
    agent(elsewhere.pid, "allow")
    # There is somebody who could be asked, and is not.
    assert user_told(elsewhere) == "helper.no-agent"
    seated = caller(SEATED)
    bus.put_in_session(seated.pid, SEATED, "c1")
    assert user_told(seated) is None


def user_told(user) -> str | None:
    """Why a user is lent nothing without being asked, None where it is lent."""
    said = user.asks("facts", prompts=False)
    return None if "ok" in said else said["id"]


@pytest.mark.usefixtures("core")
def test_the_question_is_in_the_language_of_who_is_asked(caller, agent):
    user = caller(ELSEWHERE)
    said = agent(user.pid, "deny", "zh_CN.UTF-8")
    user.asks("keep", **KEEP)
    assert said() == "asked org.vitrail.helper1.keep 您不在这台电脑前，要保留更改 0123456789abcdef，需要进行身份验证\n"


def test_every_verb_that_is_not_free_has_an_action_with_words_in_both_languages():
    actions = etree.parse(POLICY).getroot().findall("action")
    names = {action.get("id", "").rpartition(".")[2] for action in actions}
    assert names == set(VERBS) - {"hello", "status", "job"}
    for action in actions:
        for member in ("description", "message"):
            languages = [element.get(LANGUAGE) for element in action.findall(member)]
            assert languages == [None, "zh_CN"]


@pytest.mark.usefixtures("core")
def test_who_sits_at_the_screen_still_needs_a_password_to_change_things(bus, caller):
    user = caller(SEATED)
    bus.put_in_session(user.pid, SEATED, "c1")
    assert user.asks("undo")["id"] == "helper.no-agent"


@pytest.mark.usefixtures("core")
def test_a_session_that_is_not_in_front_needs_an_administrator_to_keep(bus, caller):
    user = caller(SWITCHED_AWAY)
    bus.put_in_session(user.pid, SWITCHED_AWAY, "c2")
    assert user.asks("keep", **KEEP)["id"] == "helper.no-agent"


@pytest.mark.usefixtures("core")
def test_who_is_elsewhere_needs_an_administrator_to_keep(caller):
    assert caller(ELSEWHERE).asks("keep", **KEEP)["id"] == "helper.no-agent"


def test_a_question_is_withdrawn_when_its_caller_vanishes(caller, agent, core):
    user = caller(ELSEWHERE)
    said = agent(user.pid, "hold")
    user.start("undo")
    assert said().startswith("asked")
    user.end()
    assert said() == "cancelled\n"
    assert core.log == []


def test_one_caller_s_permission_is_never_another_s(caller, core):
    users = {ALLOWED: caller(ALLOWED), FORBIDDEN: caller(FORBIDDEN)}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [
            (name, pool.submit(lambda user: [user.asks("undo") for _ in range(10)], user))
            for name, user in users.items()
        ]
        answers = {name: future.result() for name, future in asked}
    assert all(answer == {"ok": []} for answer in answers[ALLOWED])
    assert {answer["id"] for answer in answers[FORBIDDEN]} == {"helper.denied"}
    assert core.log == ["begun undo", "finished undo"] * 10

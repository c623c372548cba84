# SPDX-License-Identifier: GPL-3.0-or-later
"""Load is asked for again and again: one core stays for it, as long as it behaves and somebody asks."""

from __future__ import annotations

import json
import os
import signal

import pytest

from fakes.looking import value
from helper_bus.conftest import ask_raw, end_process, pid_of, wait_for
from helper_bus.private_bus import ALLOWED
from vitrail.model.reading import Known
from vitrail.service.helper_client import HelperClient, WatchPage
from vitrail.service.root_feed import HelperFeed
from vitrail.source.root import FolderRoot

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("no_door")]
NAME = "org.vitrail.Helper1"
DOOR = (NAME, "/org/vitrail/Helper1", NAME, "Ask")
WATCH = '{"protocol":1,"id":"a","verb":"watch","after":null}'


def watched(bus, line=WATCH):
    """The answer."""
    return json.loads(ask_raw(bus, DOOR, line).body[0])


def cores(bus):
    """The processes that were asked, in order."""
    return [int(line.split()[2]) for line in (bus.folder / "run/core-log").read_text().splitlines() if "begun" in line]


def test_the_installed_helper_watches(bus):
    assert HelperClient(bus.address, bus.root).watch() == WatchPage((), None)


def test_one_core_answers_every_time(bus, core):
    for _ in range(3):
        assert watched(bus)["result"] == {"entries": [], "next": None}
    assert core.log[0] == "begun watch"
    assert len(set(cores(bus))) == 1


def test_one_that_died_is_followed_by_another(bus, core):
    core.behave("")
    assert watched(bus)["ok"]
    first = cores(bus)[0]
    ended = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    wait_for(ended)
    answers = [watched(bus) for _ in range(2)]
    # It may have been noticed by the first of them only.
    assert answers[0]["ok"] or answers[0]["error"]["kind"] == "core-died"
    assert answers[1]["ok"]
    assert cores(bus)[-1] != first


def test_one_that_dies_of_a_question_answers_it_with_its_kind(bus, core):
    core.behave("die")
    assert watched(bus)["error"]["kind"] == "core-died"
    core.behave("")
    assert watched(bus)["ok"]


def test_a_question_that_nobody_waits_for_ends_it(bus, core, caller):
    core.behave("wait")
    user = caller(ALLOWED)
    user.start("watch")
    ended = os.pidfd_open(core.wait_until_begun())
    user.end()
    wait_for(ended)
    core.behave("")
    assert watched(bus)["ok"]


def test_a_line_that_fits_into_no_pipe_is_answered_too(bus, core):
    assert watched(bus, WATCH + " " * 500_000)["ok"]
    assert watched(bus)["ok"]
    assert len(set(cores(bus))) == 2
    assert core.log[-1] == "finished watch"


def test_it_leaves_with_its_door(bus, core):
    assert watched(bus)["ok"]
    assert core.log[-1] == "finished watch"
    ended = os.pidfd_open(cores(bus)[0])
    end_process(pid_of(bus, NAME))
    wait_for(ended)


def test_the_load_feed_asks_the_installed_helper(bus):
    feed = HelperFeed(FolderRoot(bus.root), HelperClient(bus.address, bus.root))
    assert value(feed.drm_clients((1,))) == "load.stale.first-look"
    feed._beside.settle(60)
    assert feed.drm_clients((1,)) == Known((), "org.vitrail.Helper1 watch")

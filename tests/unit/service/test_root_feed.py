# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helper tells of the VMs' drawing: asked beside the ticks, never with a dialog of its own, late said so."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from fakes.looking import value
from fakes.sysfs import Tree
from vitrail.load.ports import RawClient
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.reading import Known
from vitrail.model.sample import Silence, silence_of
from vitrail.model.text import text
from vitrail.service.helper_client import OpenFile, WatchPage
from vitrail.service.root_feed import HelperFeed
from vitrail.source.root import FolderRoot

SERVICE = "usr/share/dbus-1/system-services/org.vitrail.Helper1.service"


class Helper:
    """The helper's verb with the answers of a test."""

    def __init__(self, *pages: WatchPage) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[str | None, bool]] = []
        self.fails: Exception | None = None
        self.goes_on = threading.Event()
        self.goes_on.set()

    def watch(self, after=None, *, prompts=True):
        self.asked.append((after, prompts))
        self.goes_on.wait(30)
        if self.fails is not None:
            raise self.fails
        return self.pages[len(self.asked) - 1] if len(self.asked) <= len(self.pages) else WatchPage((), None)


class Turned:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path / "root")
    made.file(SERVICE, "")
    return made


@pytest.fixture
def clock():
    return Turned()


def feed_of(tree, helper, clock):
    return HelperFeed(FolderRoot(tree.folder), helper, clock)


def settled(feed, pids=(100,)):
    """The answer once the question that is under way has ended."""
    feed.drm_clients(pids)
    feed._beside.settle(30)
    return feed.drm_clients(pids)


def test_the_pages_are_joined_and_sorted_by_process(tree, clock):
    first = WatchPage((OpenFile("proc/100/fdinfo/20", "a"), OpenFile("proc/300/fdinfo/1", "b")), "proc/300/fdinfo/1")
    helper = Helper(first, WatchPage((OpenFile("proc/300/fdinfo/2", "c"), OpenFile("../etc/shadow", "d")), None))
    told = settled(feed_of(tree, helper, clock), (300, 100))
    assert told == Known(
        (RawClient(300, 1, b"b", 100.0), RawClient(300, 2, b"c", 100.0), RawClient(100, 20, b"a", 100.0)),
        "org.vitrail.Helper1 watch",
    )
    assert [after for after, _ in helper.asked] == [None, "proc/300/fdinfo/1"]


def test_looking_at_load_opens_no_dialog_and_permitting_it_does(tree, clock):
    helper = Helper()
    feed = feed_of(tree, helper, clock)
    settled(feed)
    feed.permit()
    assert [prompts for _, prompts in helper.asked] == [False, True]


def test_after_permission_it_is_asked_at_once(tree, clock):
    helper = Helper()
    feed = feed_of(tree, helper, clock)
    helper.fails = Refused(text("helper.no-agent"))
    assert value(settled(feed)) == "load.needs-helper.permission"
    helper.fails = None
    feed.permit()
    assert isinstance(settled(feed), Known)


def test_without_a_helper_it_says_so_and_asks_nobody(tmp_path, clock):
    helper = Helper()
    tree = Tree(tmp_path / "bare")
    feed = feed_of(tree, helper, clock)
    assert value(feed.drm_clients((100,))) == "load.needs-helper.not-installed"
    assert helper.asked == []
    tree.file(SERVICE, "")
    clock.now += 6.0
    assert isinstance(settled(feed), Known)


def test_a_helper_that_hangs_makes_nobody_wait_and_old_numbers_are_not_told_as_new(tree, clock):
    helper = Helper(WatchPage((OpenFile("proc/100/fdinfo/20", "a"),), None))
    feed = feed_of(tree, helper, clock)
    assert isinstance(settled(feed), Known)
    helper.goes_on.clear()
    clock.now += 3.0
    assert isinstance(feed.drm_clients((100,)), Known)
    clock.now += 9.0
    late = feed.drm_clients((100,))
    assert silence_of(late) is Silence.STALE
    assert len(helper.asked) == 2
    helper.goes_on.set()
    feed._beside.settle(30)
    assert isinstance(feed.drm_clients((100,)), Known)


def test_one_that_fails_is_asked_less_and_less_often(tree, clock):
    helper = Helper()
    helper.fails = Unreachable(text("helper.no-answer", message="x"))
    feed = feed_of(tree, helper, clock)
    assert silence_of(settled(feed)) is Silence.FAILED
    asked_at = []
    for _ in range(100):
        clock.now += 1.0
        before = len(helper.asked)
        feed.drm_clients((100,))
        feed._beside.settle(30)
        if len(helper.asked) > before:
            asked_at.append(clock.now - 100.0)
    assert asked_at[0] >= 4.0
    assert max(later - one for one, later in pairwise(asked_at)) >= 30.0

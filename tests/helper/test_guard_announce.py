# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said reaches terminals that show text, and nothing else below /dev."""

from __future__ import annotations

import os
import pty
import select
import stat

import pytest

from vitrail.helper.guard_announce import announce, say, terminals
from vitrail.helper.guard_words import Countdown, words_left
from vitrail.helper.tree import Tree

pytestmark = pytest.mark.real


@pytest.fixture
def terminal():
    """A real terminal: the end that somebody looks at, and its name below /dev."""
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs).removeprefix("/dev/")
    os.close(ours)
    os.close(theirs)


def session(tmp_path, name, words):
    folder = tmp_path / "run/systemd/sessions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(words)


def shown(descriptor):
    if not select.select([descriptor], [], [], 0)[0]:
        return ""
    return os.read(descriptor, 65536).decode()


def test_a_terminal_shows_it(terminal):
    ours, name = terminal
    assert say(Tree("/"), name, "Vitrail: one\n  two")
    assert shown(ours).replace("\r", "") == "\nVitrail: one\n  two\n"


def test_a_terminal_that_takes_nothing_holds_nobody_up(terminal):
    _, name = terminal
    results = [say(Tree("/"), name, "x" * 4000) for _ in range(20)]
    assert results[0]
    assert not results[-1]


def test_a_file_in_the_place_of_a_terminal_stays_as_it_is(tmp_path):
    session(tmp_path, "1", "TTY=pts/7\n")
    (tmp_path / "dev/pts").mkdir(parents=True)
    (tmp_path / "dev/pts/7").write_text("mine")
    assert announce(Tree(str(tmp_path)), "words") == 0
    assert (tmp_path / "dev/pts/7").read_text() == "mine"


def test_a_virtual_console_that_does_not_say_that_it_shows_text_gets_none(tmp_path):
    session(tmp_path, "1", "TTY=tty1\n")
    session(tmp_path, "2", "TTY=ttyS1\n")
    (tmp_path / "dev").mkdir()
    for name in ("tty1", "ttyS1"):
        try:
            os.mknod(tmp_path / "dev" / name, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except OSError as error:
            pytest.skip(f"no device can be made here: {error}")
    assert [say(Tree(str(tmp_path)), name, "words") for name in ("tty1", "ttyS1")] == [False, True]
    assert announce(Tree(str(tmp_path)), "words") == 1


@pytest.mark.parametrize(
    "name", ["../sda", "pts/../sda", "sda", "tty", "tty0", "pts/", "pts/1/2", "mem", "", "pts/1\0"]
)
def test_a_name_that_is_no_terminal_is_never_opened(tmp_path, name):
    session(tmp_path, "1", f"TTY={name}\n")
    assert terminals(Tree(str(tmp_path))) == ()


def test_consoles_of_the_kernel_and_of_sessions_are_found_once(tmp_path):
    active = tmp_path / "sys/class/tty/console"
    active.mkdir(parents=True)
    (active / "active").write_text("tty0 ttyS0 hvc0\n")
    session(tmp_path, "1", "TTY=ttyS0\n")
    session(tmp_path, "2", "TTY=pts/4\nSTATE=active\n")
    session(tmp_path, "3", "UID=1000\n")
    assert terminals(Tree(str(tmp_path))) == ("ttyS0", "hvc0", "pts/4")


class TestCountdown:
    """It speaks at the beginning, at each mark once, and whenever there is more time."""

    def test_at_its_marks(self):
        countdown = Countdown()
        said = [left for left in range(900, -1, -1) if countdown.due(float(left), 0) is not None]
        assert said == [900, 600, 300, 240, 180, 120, 60, 30, 10]

    def test_more_time_is_said_at_once(self):
        countdown = Countdown()
        assert countdown.due(100.0, 0) is not None
        assert countdown.due(99.0, 0) is None
        assert "17 minutes" in (countdown.due(990.0, 1) or "")

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0.2, "1 seconds"),
            (10.0, "10 seconds"),
            (60.0, "60 seconds"),
            (60.5, "2 minutes"),
            (299.9, "5 minutes"),
            (300.0, "5 minutes"),
        ],
    )
    def test_what_is_left_is_never_said_too_short(self, seconds, words):
        assert words_left(seconds) == words

# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands whose words do not get out: the reader left, the disk is full, a standard stream is closed."""

from __future__ import annotations

import subprocess
import sys

import pytest

VIRTIO = "--vm plain --mode virtio --yes"


def shell(words: str, redirected: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -m vitrail {words} {redirected}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)


def plans(vitrail, machine) -> list[str]:
    return [one["state"] for one in vitrail("history", "--machine", machine, "--json").json["plans"]]


@pytest.mark.parametrize("redirected", [">&-", "<&-", "2>&-", "<&- >&- 2>&-", "| true"])
@pytest.mark.parametrize("as_json", ["", "--json"])
def test_a_look_that_nobody_hears_is_no_failure(machine, redirected, as_json):
    done = shell(f"scan --machine {machine} {as_json}", redirected)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("redirected", [">&-", "2>&-", "2>/dev/full", ">/dev/full"])
def test_a_failure_keeps_its_code_wherever_its_words_go(redirected):
    done = shell("frobnicate", redirected)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("as_json", ["", "--json"])
def test_words_that_find_no_room_are_a_failure_without_a_traceback(machine, as_json):
    done = shell(f"scan --machine {machine} {as_json}", ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("vitrail: What this command says could not be written: ")


def test_what_could_not_be_shown_is_not_written(vitrail, machine):
    done = shell(f"apply --machine {machine} {VIRTIO}", ">/dev/full")
    assert done.returncode == 1
    assert plans(vitrail, machine) == []


def test_what_could_not_be_shown_is_not_taken_back(vitrail, machine):
    vitrail("apply", "--machine", machine, *VIRTIO.split())
    assert shell(f"undo --machine {machine}", ">/dev/full").returncode == 1
    assert plans(vitrail, machine) == ["applied"]


def test_a_change_is_carried_to_its_end_though_its_reader_left(vitrail, machine):
    assert shell(f"apply --machine {machine} {VIRTIO} --json", "| true").returncode == 0
    assert plans(vitrail, machine) == ["applied"]


def test_a_closed_standard_input_is_no_terminal_and_no_document(machine):
    assert shell(f"apply --machine {machine} --vm plain --mode virtio", "<&-").returncode == 3
    assert shell(f"plan --machine {machine} --xml - --mode virtio", "<&-").returncode == 3

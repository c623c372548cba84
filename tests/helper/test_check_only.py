# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that is only checked: the same answer as if it were begun, as far as a no goes, and nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from helper.bench import (
    BOOT_ID,
    PLAN_ID,
    REPOSITORY,
    STACKS,
    apply_line,
    ask,
    line,
    make_machine,
    plan_of,
    program,
    snapshot,
    undo_line,
)
from vitrail.model.wire import to_wire

pytestmark = pytest.mark.real


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


def core(machine, words, *more: str, descriptors=()):
    """The core's one answer when it is started like this."""
    done = subprocess.run(
        [sys.executable, "-m", "vitrail.helper", "--stdio", "--root", machine, *more],
        input=words,
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY / "app"), "PATH": "/usr/bin"},
        pass_fds=descriptors,
    )
    assert not done.stderr
    return json.loads(done.stdout)


def checked(machine, words):
    """Its answer to this line, and that nothing came of it."""
    before = snapshot(machine, own=True)
    answer = core(machine, words, "--check")
    assert snapshot(machine, own=True) == before
    return answer


def kind(answer):
    return answer["error"]["kind"]


@pytest.mark.parametrize("stack", STACKS)
def test_what_could_begin_is_not_begun(machine, stack):
    assert checked(machine, apply_line(plan_of(machine, *STACKS[stack]))) == {"id": "t", "ok": True, "result": None}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"machine_id_hash": "0" * 64}, "other-machine"),
        ({"boot_id": BOOT_ID.replace("1", "0")}, "other-boot"),
        ({"identities": []}, "rule"),
        ({"plan_id": "f" * 16}, "rule"),
        ({"steps": []}, "fields"),
        ({"command": "reboot"}, "fields"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_same_kind(machine, changed, said):
    words = line("apply", plan=to_wire(plan_of(machine, *STACKS["grub"])) | changed)
    assert kind(checked(machine, words)) == kind(ask(machine, words)[0]) == said


def test_a_rendering_that_was_not_shown_is_refused(machine):
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    plan["steps"][0]["after"] = "0" * 64
    assert kind(checked(machine, line("apply", plan=plan))) == "rendering"


def test_a_program_that_is_missing_is_refused(machine):
    words = apply_line(plan_of(machine, *STACKS["grub"]))
    (machine / "usr/sbin/update-initramfs").unlink()
    assert kind(checked(machine, words)) == "tool-missing"


def test_taking_back_is_checked_and_not_begun(machine):
    assert kind(checked(machine, undo_line(PLAN_ID))) == "no-run"
    assert ask(machine, apply_line(plan_of(machine, *STACKS["grub"])))[0]["ok"]
    assert checked(machine, undo_line(PLAN_ID))["ok"]
    assert checked(machine, undo_line(everything=True))["ok"]


def test_keeping_is_checked_and_not_begun(machine):
    assert kind(checked(machine, line("keep", plan_id=PLAN_ID, boot_id=BOOT_ID))) == "no-run"


def test_no_program_is_started(machine):
    words = apply_line(plan_of(machine, *STACKS["grub"]))
    program(machine, "usr/sbin/update-grub", "exit 1\n")
    assert checked(machine, words)["ok"]
    assert not (machine / "calls").exists()


def test_every_step_is_told_before_the_answer_and_beside_it(machine):
    reading, writing = os.pipe()
    words = apply_line(plan_of(machine, *STACKS["grub"]))
    answer = core(machine, words, "--progress", str(writing), descriptors=(writing,))
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        steps = [json.loads(one) for one in told]
    assert answer["ok"]
    assert [(one["step"], one["of"], one["back"]) for one in steps] == [(index + 1, 6, False) for index in range(6)]
    assert steps[3]["subject"] == "update-initramfs"


def test_nobody_who_listens_is_no_reason_to_stop(machine):
    reading, writing = os.pipe()
    os.close(reading)
    words = apply_line(plan_of(machine, *STACKS["grub"]))
    assert core(machine, words, "--progress", str(writing), descriptors=(writing,))["ok"]
    os.close(writing)

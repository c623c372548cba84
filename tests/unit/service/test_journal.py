# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals as they are written, torn, damaged and forged."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.host_plans import host_plan_for
from fakes.plans import make_plan_for
from vitrail.model.journal import (
    HostAnswered,
    HostHandedOver,
    HostKept,
    HostTakenBack,
    Line,
    StepDone,
    StepStarted,
    StepTakenBack,
)
from vitrail.model.outcome import RunResult, RunState, StepResult
from vitrail.service.applying import Parts, host_plan_of
from vitrail.service.history import read_history
from vitrail.service.journal import BrokenRun, Journal, Run, begin_run, read_runs
from vitrail.service.state import StateFolder

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
HERE = "qemu:///system"
HOST_PLAN = host_plan_for("<domain/>", "<domain />", uuid="11111111-2222-3333-4444-555555555555")


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def journal(state: StateFolder) -> Journal:
    begun = begin_run(state, HERE, make_plan_for("<domain/>", "<domain />"))
    begun.append(StepStarted(0, "edit-vm", "guest", A, B))
    return begun


def _only(state: StateFolder) -> Run | BrokenRun:
    (run,) = read_runs(state)
    return run


def _state_of(state: StateFolder) -> RunState:
    (entry,) = read_history(state, HERE)
    return entry.state


def test_a_run_that_never_ended_was_interrupted(state: StateFolder, journal: Journal):
    assert journal.run.startswith("000001-")
    assert _state_of(state) is RunState.INTERRUPTED
    journal.append(StepDone(0, C))
    assert _state_of(state) is RunState.INTERRUPTED


def test_an_applied_run_and_its_undo(state: StateFolder, journal: Journal):
    journal.append(StepDone(0, C))
    journal.end(RunResult.APPLIED)
    assert _state_of(state) is RunState.APPLIED
    run = _only(state)
    assert isinstance(run, Run)
    assert run.steps[0].seen_digest == C
    journal.append(StepTakenBack(0, StepResult.TAKEN_BACK.value, A))
    journal.end(RunResult.TAKEN_BACK)
    assert _state_of(state) is RunState.TAKEN_BACK


def test_a_run_that_took_itself_back_has_failed(state: StateFolder, journal: Journal):
    journal.append(StepTakenBack(0, StepResult.FAILED.value, A))
    journal.end(RunResult.TAKEN_BACK)
    assert _state_of(state) is RunState.FAILED


def test_a_torn_last_line_is_dropped_and_written_over(state: StateFolder, journal: Journal):
    path = state.runs / journal.run / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"class":"StepDone","ind')
    assert _state_of(state) is RunState.INTERRUPTED
    journal.append(StepDone(0, C))
    assert path.read_bytes().startswith(whole + b'{"class":"StepDone","index":0')
    assert isinstance(_only(state), Run)


def test_runs_are_numbered_and_listed_newest_first(state: StateFolder, journal: Journal):
    second = begin_run(state, HERE, make_plan_for("<domain/>", "<domain  />"))
    assert [run.name for run in read_runs(state)] == [second.run, journal.run]


def test_history_is_of_one_connection(state: StateFolder, journal: Journal):
    assert [entry.run for entry in read_history(state, HERE)] == [journal.run]
    assert read_history(state, "test:///default") == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"not json\n",
        b"[" * 100_000 + b"\n",
        b'{"class":"RunEnded","result":"applied","ended_at":1}\n',
        b'{"class":"Unheard","x":1}\n',
        b"\xff\xfe\n",
        b"null\n",
    ],
)
def test_a_forged_journal_is_shown_as_unreadable(state: StateFolder, journal: Journal, content: bytes):
    (state.runs / journal.run / "journal.jsonl").write_bytes(content)
    assert _state_of(state) is RunState.UNREADABLE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format":1', '"format":2'),
        ('"run":"000001', '"run":"000002'),
        ('"index":0', '"index":7'),
        (A, "../../etc/passwd"),
        ('"started_at":', '"started_at":1,"x":'),
    ],
)
def test_a_journal_whose_fields_do_not_fit_is_unreadable(state: StateFolder, journal: Journal, old: str, new: str):
    path = state.runs / journal.run / "journal.jsonl"
    words = path.read_text()
    assert old in words
    path.write_text(words.replace(old, new))
    assert isinstance(_only(state), BrokenRun)


@pytest.mark.parametrize("when", ["NaN", "Infinity", "-Infinity", "-1.5", "1e300", "1e12", "true", '"now"', "null"])
def test_a_time_that_no_calendar_has_is_unreadable(state: StateFolder, journal: Journal, when: str):
    path = state.runs / journal.run / "journal.jsonl"
    path.write_text(re.sub(r'("started_at"):[0-9.]+', rf"\1:{when}", path.read_text()))
    assert isinstance(_only(state), BrokenRun)


def test_a_journal_that_is_no_file_is_not_waited_for(state: StateFolder, journal: Journal):
    path = state.runs / journal.run / "journal.jsonl"
    path.unlink()
    os.mkfifo(path)
    assert isinstance(_only(state), BrokenRun)


def test_a_foreign_folder_among_the_runs_does_no_harm(state: StateFolder, journal: Journal):
    (state.runs / "lost+found").mkdir()
    (state.runs / "file").write_text("")
    (state.runs / "link").symlink_to("/")
    assert {run.name for run in read_runs(state)} == {journal.run, "lost+found"}


OWN = "0" * 16
"""Stands for the plan of the journal itself."""


def _handed_over(plan_id: str, *, vm: str | None = None) -> HostHandedOver:
    plan = replace(host_plan_of(HOST_PLAN, Parts.of(HOST_PLAN), simulated=True), plan_id=plan_id)
    return HostHandedOver(plan, vm, vm)


def test_a_change_of_the_computer_is_told_by_what_came_last(state: StateFolder, journal: Journal):
    journal.append(_handed_over(journal.plan_id, vm=A))
    assert _state_of(state) is RunState.INTERRUPTED
    journal.append(HostAnswered("000001-x"))
    journal.end(RunResult.AWAITING_KEEP)
    assert _state_of(state) is RunState.AWAITING_KEEP
    journal.append(HostKept("boot", 1.0))
    assert _state_of(state) is RunState.INTERRUPTED
    journal.end(RunResult.APPLIED)
    assert _state_of(state) is RunState.APPLIED
    journal.append(HostTakenBack(StepResult.TAKEN_BACK.value))
    assert _state_of(state) is RunState.INTERRUPTED
    journal.end(RunResult.TAKEN_BACK)
    assert _state_of(state) is RunState.TAKEN_BACK


def test_a_computer_that_failed_makes_the_run_one_that_failed(state: StateFolder, journal: Journal):
    journal.append(_handed_over(journal.plan_id))
    journal.append(HostTakenBack(StepResult.FAILED.value))
    journal.end(RunResult.TAKEN_BACK)
    assert _state_of(state) is RunState.FAILED


@pytest.mark.parametrize(
    "lines",
    [
        (HostKept("boot", 1.0),),
        (HostAnswered("000001-x"),),
        (_handed_over("f" * 16),),
        (_handed_over(OWN), _handed_over(OWN)),
        (_handed_over(OWN, vm="no digest"),),
    ],
)
def test_a_forged_change_of_the_computer_is_unreadable(state: StateFolder, journal: Journal, lines: tuple[Line, ...]):
    for line in lines:
        if isinstance(line, HostHandedOver) and line.plan.plan_id == OWN:
            line = replace(line, plan=replace(line.plan, plan_id=journal.plan_id))  # noqa: PLW2901 - known only now
        journal.append(line)
    assert _state_of(state) is RunState.UNREADABLE

# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals of every format ever released are read; what is no journal is shown and never acted upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from helper.bench import PLAN_ID
from vitrail.helper.journal import read_runs
from vitrail.helper.state import RUNS
from vitrail.helper.tree import Tree
from vitrail.model.outcome import RunState

FORMAT_1 = (Path(__file__).parent / "journals/format-1.jsonl").read_text()
NAME = f"000001-{PLAN_ID}"


def runs_of(root, words, name=NAME):
    folder = root / RUNS / name
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text(words)
    return read_runs(Tree(str(root)))


def test_format_1_is_read(tmp_path):
    (run,), broken = runs_of(tmp_path, FORMAT_1)
    assert not broken
    assert (run.name, run.plan.plan_id, run.state) == (NAME, PLAN_ID, RunState.TAKEN_BACK)
    assert run.kept is not None
    assert all(step.started and step.done and step.taken_back for step in run.steps)


def test_every_beginning_of_it_is_a_run_that_is_known(tmp_path):
    lines = FORMAT_1.splitlines(keepends=True)
    for count in range(1, len(lines) + 1):
        (run,), broken = runs_of(tmp_path / str(count), "".join(lines[:count]) + '{"torn')
        assert not broken
        assert run.state in (RunState.INTERRUPTED, RunState.APPLIED, RunState.TAKEN_BACK)


@pytest.mark.parametrize(
    "bent",
    [
        FORMAT_1.replace('"format":1', '"format":2', 1),
        FORMAT_1.replace('"index":0', '"index":99', 1),
        FORMAT_1 + FORMAT_1,
        "[]\n",
        "\n",
        "{}\n",
        '{"class":"HostRunEnded","ended_at":1.0,"result":"applied"}\n',
        FORMAT_1.replace(NAME, f"000002-{PLAN_ID}"),
        FORMAT_1.replace("\n", "\0\n", 1),
    ],
)
def test_what_is_no_journal_is_named_and_not_read(tmp_path, bent):
    runs, broken = runs_of(tmp_path, bent)
    assert (runs, broken) == ((), (NAME,))


def test_a_run_that_wrote_no_line_never_began(tmp_path):
    assert runs_of(tmp_path, '{"class":') == ((), ())

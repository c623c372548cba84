# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper as a real process on a machine in a folder: applied, kept, taken back, refused."""

from __future__ import annotations

import pytest

from helper.bench import STACKS, WORDS, apply_line, ask, make_machine, plan_of, snapshot, undo_line

pytestmark = pytest.mark.real


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_applied_and_taken_back(machine, stack):
    before = snapshot(machine)
    (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS[stack])))
    assert answer["ok"], answer
    assert answer["result"]["result"] == "applied"
    after = snapshot(machine)
    changed = [name for name in after if after[name] != before.get(name) and (machine / name).is_file()]
    if stack not in ("booster", "permissions"):
        assert any(all(word in (machine / name).read_text() for word in WORDS) for name in changed)
    (answer,) = ask(machine, undo_line())
    assert answer["ok"], answer
    assert [run["result"] for run in answer["result"]] == ["taken_back"]
    assert snapshot(machine) == before

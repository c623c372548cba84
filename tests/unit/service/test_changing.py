# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out and taking back when the store drops, refuses, answers late or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.memory_store import MemoryStore
from fakes.plans import make_plan_for
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled
from vitrail.model.outcome import PromiseResult, RunResult, RunState, StepResult
from vitrail.model.vm import VmState
from vitrail.service.applying import apply_plan
from vitrail.service.changing import Bench
from vitrail.service.history import read_history
from vitrail.service.state import StateFolder
from vitrail.service.stores import DefineRefused
from vitrail.service.undoing import choose_runs, preview, undo_run
from vitrail.service.verifying import runs_to_verify, verify_runs

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"""<domain type='kvm'>
  <name>guest</name>
  <uuid>{UUID}</uuid>
  <vcpu>1</vcpu>
  <devices>
    <video>
      <model type='vga'/>
    </video>
  </devices>
</domain>
"""
AFTER = BEFORE.replace("type='vga'", "type='virtio'")
PLAN = make_plan_for(BEFORE, AFTER, uuid=UUID)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(UUID, BEFORE)


@pytest.fixture
def bench(store: MemoryStore, tmp_path: Path) -> Bench:
    return Bench(store, StateFolder(tmp_path / "state"), "memory:")


def _states(bench: Bench) -> list[RunState]:
    return [entry.state for entry in read_history(bench.state, bench.connection)]


def _undo(bench: Bench, plan_id: str | None = None, *, force: bool = False):
    (run,) = choose_runs(bench, plan_id, everything=False)
    return undo_run(bench, run, force=force)


def test_an_applied_plan_is_in_the_store_and_in_history(bench: Bench, store: MemoryStore):
    seen = []
    outcome = apply_plan(bench, PLAN, seen.append)
    assert outcome.result is RunResult.APPLIED
    assert tuple(seen) == outcome.steps
    assert store.words == AFTER
    assert _states(bench) == [RunState.APPLIED]


def test_what_the_store_drops_is_taken_back_and_named(bench: Bench, store: MemoryStore):
    store.drops = " type='virtio'"
    with pytest.raises(ApplyFailed) as caught:
        apply_plan(bench, PLAN)
    assert "devices/video/model/@type" in str(dict(caught.value.what.args)["what"])
    assert store.words == BEFORE
    assert _states(bench) == [RunState.FAILED]


def test_a_refused_define_fails_with_the_stores_words(bench: Bench, store: MemoryStore):
    store.refuses = DefineRefused("unsupported configuration: no")
    with pytest.raises(ApplyFailed) as caught:
        apply_plan(bench, PLAN)
    assert dict(caught.value.what.args)["message"] == "unsupported configuration: no"
    assert (store.words, store.defined) == (BEFORE, [])
    assert _states(bench) == [RunState.FAILED]


def test_a_definition_that_broke_the_schema_before_us_is_written_all_the_same(bench: Bench, store: MemoryStore):
    store.refuses = DefineRefused("schema", schema=True)
    assert apply_plan(bench, PLAN).result is RunResult.APPLIED
    assert store.words == AFTER


def test_a_late_write_that_arrived_is_found_by_reading(bench: Bench, store: MemoryStore):
    store.answers = False
    assert apply_plan(bench, PLAN).result is RunResult.APPLIED


def test_a_late_write_that_is_not_seen_is_unsettled_and_undo_settles_it(bench: Bench, store: MemoryStore):
    store.answers = store.takes = False
    with pytest.raises(Unsettled):
        apply_plan(bench, PLAN)
    assert _states(bench) == [RunState.INTERRUPTED]
    store.words = AFTER
    store.answers = store.takes = True
    assert _undo(bench).result is RunResult.TAKEN_BACK
    assert store.words == BEFORE
    assert _states(bench) == [RunState.TAKEN_BACK]


def test_an_edit_between_plan_and_write_is_refused_unwritten(bench: Bench, store: MemoryStore):
    store.words = BEFORE.replace("<vcpu>1", "<vcpu>2")
    with pytest.raises(Refused):
        apply_plan(bench, PLAN)
    assert store.defined == []
    assert _states(bench) == [RunState.FAILED]


def test_a_vm_that_vanished_is_refused(bench: Bench, store: MemoryStore):
    store.uuid = "gone"
    with pytest.raises(Refused):
        apply_plan(bench, PLAN)


def test_a_store_that_is_away_is_unreachable(bench: Bench, store: MemoryStore):
    store.reachable = False
    with pytest.raises(Unreachable):
        apply_plan(bench, PLAN)
    assert store.defined == []


@pytest.mark.parametrize(
    ("state", "saved", "said"),
    [
        (VmState.OFF, False, None),
        (VmState.RUNNING, False, "service.vm.at-next-start"),
        (VmState.SAVED, True, "service.vm.saved-image-keeps-old"),
    ],
)
def test_when_the_change_acts_is_said(bench: Bench, store: MemoryStore, state: VmState, saved: bool, said: str | None):
    store.state, store.saved = state, saved
    (step,) = apply_plan(bench, PLAN).steps
    assert (step.detail and step.detail.id) == said


def test_undo_restores_every_byte(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    (shown,) = preview(bench, choose_runs(bench, None, everything=False))
    assert "+      <model type='vga'/>" in shown.diff
    assert store.words == AFTER
    assert _undo(bench).result is RunResult.TAKEN_BACK
    assert store.words == BEFORE
    assert choose_runs(bench, None, everything=False) == ()


def test_undo_where_it_is_as_before_already_writes_nothing(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.words = BEFORE
    store.defined.clear()
    assert _undo(bench).result is RunResult.NOTHING_TO_DO
    assert store.defined == []
    assert _states(bench) == [RunState.TAKEN_BACK]


def test_the_journal_alone_is_not_believed(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    _undo(bench)
    store.words = AFTER
    assert _undo(bench, PLAN.plan_id).result is RunResult.TAKEN_BACK
    assert store.words == BEFORE


def test_a_plan_that_is_taken_back_leaves_later_work_alone(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    _undo(bench)
    store.words = theirs = AFTER.replace("<vcpu>1", "<vcpu>4")
    assert _undo(bench, PLAN.plan_id).result is RunResult.NOTHING_TO_DO
    assert store.words == theirs


def test_undo_keeps_what_others_edited(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.words = AFTER.replace("<vcpu>1", "<vcpu>4")
    outcome = _undo(bench)
    assert [step.result for step in outcome.steps] == [StepResult.MERGED]
    assert store.words == BEFORE.replace("<vcpu>1", "<vcpu>4")


def test_undo_leaves_what_is_no_longer_ours(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.words = theirs = AFTER.replace("type='virtio'", "type='qxl'")
    outcome = _undo(bench)
    assert outcome.result is RunResult.INCOMPLETE
    assert store.words == theirs
    assert _states(bench) == [RunState.INCOMPLETE]


def test_undo_that_the_store_refuses_is_incomplete_and_can_be_repeated(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.refuses = DefineRefused("no")
    assert _undo(bench).result is RunResult.INCOMPLETE
    store.refuses = None
    assert _undo(bench).result is RunResult.TAKEN_BACK
    assert store.words == BEFORE


def test_an_original_that_is_gone_stops_the_undo(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    bench.state.object_path(PLAN.vm_digest).unlink()
    with pytest.raises(Unreachable):
        _undo(bench)
    assert store.words == AFTER


def test_the_same_plan_applied_twice_is_two_runs(bench: Bench):
    apply_plan(bench, PLAN)
    _undo(bench)
    apply_plan(bench, PLAN)
    assert _states(bench) == [RunState.APPLIED, RunState.TAKEN_BACK]
    assert _undo(bench, PLAN.plan_id).result is RunResult.TAKEN_BACK


def test_an_unknown_plan_and_one_of_elsewhere_are_refused(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    with pytest.raises(Refused) as caught:
        choose_runs(bench, "0" * 16, everything=False)
    assert caught.value.what.id == "service.undo.unknown-plan"
    elsewhere = Bench(store, bench.state, "qemu:///system")
    with pytest.raises(Refused) as caught:
        choose_runs(elsewhere, PLAN.plan_id, everything=False)
    assert caught.value.what.id == "service.undo.elsewhere"


def test_a_promise_is_held_against_what_is_there_now(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    (kept,) = verify_runs(bench, runs_to_verify(bench, None))
    assert (kept.result, kept.expected, kept.seen) == (PromiseResult.KEPT, "virtio", "virtio")
    store.words = AFTER.replace("type='virtio'", "type='cirrus'")
    (broken,) = verify_runs(bench, runs_to_verify(bench, None))
    assert (broken.result, broken.expected, broken.seen) == (PromiseResult.BROKEN, "virtio", "cirrus")
    assert broken.evidence[0].source == f"memory {UUID} devices/video/model/@type"


def test_a_run_that_was_taken_back_promises_what_was_before(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    _undo(bench)
    (kept,) = verify_runs(bench, runs_to_verify(bench, PLAN.plan_id))
    assert (kept.result, kept.expected, kept.seen) == (PromiseResult.KEPT, "vga", "vga")
    store.words = AFTER
    (broken,) = verify_runs(bench, runs_to_verify(bench, PLAN.plan_id))
    assert (broken.result, broken.seen) == (PromiseResult.BROKEN, "virtio")


def test_a_vm_that_vanished_breaks_its_promise(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.uuid = "gone"
    (broken,) = verify_runs(bench, runs_to_verify(bench, None))
    assert broken.result is PromiseResult.BROKEN


def _spoil_the_journal(bench: Bench) -> None:
    (journal,) = bench.state.runs.glob("*/journal.jsonl")
    journal.rename(journal.with_name("moved"))
    journal.mkdir()


def test_a_change_that_cannot_be_written_down_is_unsettled(bench: Bench, store: MemoryStore):
    store.after_define = lambda: _spoil_the_journal(bench)
    with pytest.raises(Unsettled):
        apply_plan(bench, PLAN)
    assert store.words == AFTER


def test_an_undo_that_cannot_be_written_down_is_unsettled(bench: Bench, store: MemoryStore):
    apply_plan(bench, PLAN)
    store.after_define = lambda: _spoil_the_journal(bench)
    with pytest.raises(Unsettled):
        _undo(bench)
    assert store.words == BEFORE

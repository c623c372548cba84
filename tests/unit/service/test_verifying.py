# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run promised against a new read: things that must be gone, and VMs that still run with what was before."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.memory_store import MemoryStore
from fakes.plans import make_plan_for
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.vm import VmState
from vitrail.service.applying import apply_plan
from vitrail.service.changing import Bench
from vitrail.service.state import StateFolder
from vitrail.service.undoing import choose_runs, undo_run
from vitrail.service.verifying import runs_to_verify, verify_runs

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"""<domain type='kvm'>
  <name>guest</name>
  <uuid>{UUID}</uuid>
  <devices>
    <graphics type='spice'>
      <gl enable='yes'/>
    </graphics>
    <video>
      <model type='virtio' heads='2' blob='on'>
        <acceleration accel3d='yes'/>
      </model>
    </video>
  </devices>
</domain>
"""
NO_BLOB = BEFORE.replace(" blob='on'", "")
NO_3D = BEFORE.replace("        <acceleration accel3d='yes'/>\n", "").replace("      <gl enable='yes'/>\n", "")
OTHER_QUOTES = BEFORE.replace("heads='2'", 'heads="2"')


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(UUID, BEFORE)


@pytest.fixture
def bench(store: MemoryStore, tmp_path: Path) -> Bench:
    return Bench(store, StateFolder(tmp_path / "state"), "memory:")


def _apply(bench: Bench, after: str) -> None:
    apply_plan(bench, make_plan_for(BEFORE, after, uuid=UUID))


def _verify(bench: Bench) -> tuple[Outcome, ...]:
    return verify_runs(bench, runs_to_verify(bench, None))


def test_an_attribute_that_was_removed_is_looked_for(bench: Bench, store: MemoryStore):
    _apply(bench, NO_BLOB)
    (kept,) = _verify(bench)
    assert (kept.result, kept.expected, kept.seen) == (PromiseResult.KEPT, "-", "-")
    assert kept.evidence[0].source == f"memory {UUID} devices/video/model/@blob"
    store.words = BEFORE
    (broken,) = _verify(bench)
    assert (broken.result, broken.expected, broken.seen) == (PromiseResult.BROKEN, "-", "on")
    store.words = BEFORE.replace("blob='on'", "blob='off'")
    (changed,) = _verify(bench)
    assert (changed.result, changed.seen) == (PromiseResult.BROKEN, "off")


def test_each_element_that_was_removed_is_looked_for(bench: Bench, store: MemoryStore):
    _apply(bench, NO_3D)
    outcomes = _verify(bench)
    assert {one.result for one in outcomes} == {PromiseResult.KEPT}
    assert {one.evidence[0].source.split()[-1] for one in outcomes} == {
        "devices/graphics[spice]/gl",
        "devices/video/model/acceleration",
    }
    store.words = NO_3D.replace("blob='on'>", "blob='on'><acceleration accel3d='yes'/>")
    assert [one.result for one in _verify(bench)].count(PromiseResult.BROKEN) == 1


def test_what_is_gone_with_everything_around_it_is_gone(bench: Bench, store: MemoryStore):
    _apply(bench, NO_3D)
    store.words = NO_3D.replace("graphics type='spice'", "graphics type='vnc'")
    seen = {one.evidence[0].source.split()[-1]: one.result for one in _verify(bench)}
    assert seen["devices/graphics[spice]/gl"] is PromiseResult.KEPT


def test_what_the_store_fills_in_again_is_no_promise(bench: Bench, store: MemoryStore):
    store.fills = ("type='virtio' heads='2'", "type='virtio' heads='2' blob='on'")
    _apply(bench, NO_BLOB)
    (whole,) = _verify(bench)
    assert (whole.result, whole.step.id) == (PromiseResult.KEPT, "service.verify.as-planned")


def test_a_step_that_changes_no_meaning_is_verified_all_the_same(bench: Bench):
    _apply(bench, OTHER_QUOTES)
    (whole,) = _verify(bench)
    assert (whole.result, whole.seen) == (PromiseResult.KEPT, UUID)


def test_what_came_with_a_plan_is_gone_after_its_undo(bench: Bench, store: MemoryStore):
    store.words = NO_BLOB
    apply_plan(bench, make_plan_for(NO_BLOB, BEFORE, uuid=UUID))
    (run,) = choose_runs(bench, None, everything=False)
    undo_run(bench, run, force=False)
    (kept,) = _verify(bench)
    assert (kept.result, kept.expected) == (PromiseResult.KEPT, "-")
    store.words = BEFORE
    (broken,) = _verify(bench)
    assert (broken.result, broken.seen) == (PromiseResult.BROKEN, "on")


@pytest.mark.parametrize(
    ("live", "said", "evidence"),
    [
        (BEFORE, "service.verify.has-later", ("memory live devices/video/model/@blob", "on")),
        (NO_BLOB, "service.verify.has", ("memory live devices/video/model/@blob", "-")),
        (None, "service.verify.has-later", ("memory", "running")),
    ],
)
def test_a_running_vm_is_asked_what_it_runs_with(
    bench: Bench, store: MemoryStore, live: str | None, said: str, evidence: tuple[str, str]
):
    store.state = VmState.RUNNING
    _apply(bench, NO_BLOB)
    store.live = live
    (kept,) = _verify(bench)
    assert (kept.result, kept.step.id) == (PromiseResult.KEPT, said)
    assert (kept.evidence[-1].source, kept.evidence[-1].value) == evidence

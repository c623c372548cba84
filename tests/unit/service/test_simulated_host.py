# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded computer that is changed: the recording stays, the copy is as the real one would be, and goes again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.host_plans import CARD, ENTRY, GRUB, PLAN_ID, host_plan_for
from fakes.hosts import VGA, device, gpu
from fakes.hosts import host as a_host
from fakes.memory_store import MemoryStore
from vitrail.model.binding import BindLive
from vitrail.model.errors import ApplyFailed, Refused
from vitrail.model.host_place import subject_path
from vitrail.model.host_step import HostChange, HostPlan, WriteFile
from vitrail.model.journal import HostHandedOver, RunEnded, RunStarted
from vitrail.model.outcome import PromiseResult, RunResult, RunState, StepResult
from vitrail.model.permission import HostGroup, JoinGroup
from vitrail.model.plan import Plan, When
from vitrail.model.reading import Known
from vitrail.service.applying import Parts, apply_plan, host_plan_of
from vitrail.service.awaiting import resume_state, what_awaits
from vitrail.service.changing import Bench
from vitrail.service.history import read_history
from vitrail.service.host_simulated import HostSimulated
from vitrail.service.journal import HostRecord, Run, read_runs, readable
from vitrail.service.simulated_files import SimulatedFiles
from vitrail.service.state import StateFolder
from vitrail.service.stores import DefineRefused
from vitrail.service.undoing import choose_runs, preview, undo_run
from vitrail.service.user_files import UserFiles
from vitrail.service.user_step import RESUME_FILE
from vitrail.service.verifying_host import verify_host
from vitrail.source.root import FolderRoot

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"<domain type='kvm'>\n  <name>guest</name>\n  <uuid>{UUID}</uuid>\n  <vcpu>1</vcpu>\n</domain>\n"
AFTER = BEFORE.replace("<vcpu>1", "<vcpu>2")
PLAN = host_plan_for(BEFORE, AFTER, uuid=UUID)
CONNECTION = "machine:/recorded"


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    root = tmp_path / "recording"
    (root / "etc" / "default").mkdir(parents=True)
    (root / "etc" / "default" / "grub").write_bytes(GRUB)
    return root


@pytest.fixture
def files(recording: Path, tmp_path: Path) -> SimulatedFiles:
    return SimulatedFiles(FolderRoot(recording), StateFolder(tmp_path / "state"), CONNECTION)


@pytest.fixture
def bench(files: SimulatedFiles, tmp_path: Path) -> Bench:
    state = StateFolder(tmp_path / "state")
    return Bench(
        MemoryStore(UUID, BEFORE), state, CONNECTION, HostSimulated(files, state), UserFiles(tmp_path / "config")
    )


@pytest.fixture
def host(bench: Bench) -> HostSimulated:
    assert isinstance(bench.host, HostSimulated)
    return bench.host


def _host_plan() -> HostPlan:
    return host_plan_of(PLAN, Parts.of(PLAN), simulated=True)


def _states(bench: Bench) -> list[RunState]:
    return [entry.state for entry in read_history(bench.state, bench.connection, bench.host.status())]


def _undo(bench: Bench, *, force: bool = False):
    (run,) = choose_runs(bench, PLAN.plan_id, everything=False)
    return undo_run(bench, run, force=force)


def test_every_file_of_the_plan_is_in_the_copy_and_none_in_the_recording(bench, files, recording):
    before = _files(recording)
    assert apply_plan(bench, PLAN).result is RunResult.AWAITING_KEEP
    for change in _host_plan().steps:
        if isinstance(change, WriteFile):
            assert files.root.exists(subject_path(change) or "")
    assert b"vitrail.plan=" in (files.read("etc/default/grub") or b"")
    assert _files(recording) == before


def test_programs_are_noted_and_never_run(bench, tmp_path):
    apply_plan(bench, PLAN)
    (calls,) = (tmp_path / "state").glob("simulated/*/host/calls.jsonl")
    noted = [json.loads(line) for line in calls.read_text("utf-8").splitlines()]
    assert [call["subject"] for call in noted] == ["update-initramfs", "update-grub"]


def test_every_step_says_that_it_is_simulated(bench):
    outcome = apply_plan(bench, PLAN)
    said = [step.detail.id if step.detail else None for step in outcome.steps[1:]]
    assert set(said) == {"service.host.simulated-file", "service.host.simulated-tool"}


def test_the_vm_and_what_keep_makes_lasting_wait(bench, files):
    apply_plan(bench, PLAN)
    assert bench.store.words == BEFORE
    assert files.read("etc/initramfs-tools/scripts/init-top/00-vitrail") is None


def test_undo_leaves_nothing_behind(bench, files, recording, tmp_path):
    apply_plan(bench, PLAN)
    assert (tmp_path / "config" / RESUME_FILE).read_text("utf-8") == ENTRY
    outcome = _undo(bench)
    assert outcome.result is RunResult.TAKEN_BACK
    assert files.read("etc/default/grub") == GRUB
    assert not list((tmp_path / "state").glob("simulated/*/host/files/**/*"))
    assert not (tmp_path / "config" / RESUME_FILE).exists()
    assert files.root.read_bytes("etc/default/grub") == _files(recording)["etc/default/grub"]
    assert _states(bench) == [RunState.TAKEN_BACK]


def test_undo_takes_the_computer_before_the_users_file(bench):
    apply_plan(bench, PLAN)
    kinds = [step.kind for step in _undo(bench).steps]
    assert kinds == ["run-tool", "write-file", "run-tool", "write-file", "write-file", "resume-at-login"]


def test_what_others_edited_on_stays(bench, files):
    apply_plan(bench, PLAN)
    ours = files.read("etc/default/grub") or b""
    files.put("etc/default/grub", b"GRUB_TIMEOUT=3\n" + ours)
    assert StepResult.MERGED in {step.result for step in _undo(bench).steps}
    assert files.read("etc/default/grub") == b"GRUB_TIMEOUT=3\n" + GRUB


def test_a_file_of_ours_that_was_edited_stays_until_it_is_forced(bench, files):
    apply_plan(bench, PLAN)
    path = "etc/vitrail/reserved-cards"
    files.put(path, b"# mine\n")
    assert _undo(bench).result is RunResult.INCOMPLETE
    assert files.read(path) == b"# mine\n"
    assert _states(bench) == [RunState.INCOMPLETE]
    assert _undo(bench, force=True).result is RunResult.TAKEN_BACK
    assert files.read(path) is None


def test_the_preview_of_the_undo_is_what_it_writes(bench, files):
    apply_plan(bench, PLAN)
    shown = preview(bench, choose_runs(bench, None, everything=True))
    diff = next(one.diff for one in shown if one.what and ("path", "/etc/default/grub") in one.what.args)
    assert "-" + (files.read("etc/default/grub") or b"").decode().splitlines()[-1] in diff.splitlines()
    assert [one.vm_name for one in shown] == ["guest"] * len(shown)
    assert any("update-grub" in str(one.what) for one in shown)


def test_a_file_that_is_not_as_planned_is_refused_and_nothing_is_written(bench, files, tmp_path):
    files.put("etc/default/grub", GRUB + b"# edited\n")
    with pytest.raises(Refused) as caught:
        apply_plan(bench, PLAN)
    assert caught.value.what.id == "helper.refused.subject-changed"
    assert files.read("etc/vitrail/reserved-cards") is None
    assert not (tmp_path / "config" / RESUME_FILE).exists()
    assert _states(bench) == [RunState.FAILED]


def test_a_second_change_of_the_start_waits_for_the_first(bench):
    apply_plan(bench, PLAN)
    with pytest.raises(Refused) as caught:
        apply_plan(bench, host_plan_for(BEFORE, AFTER, uuid=UUID, plan_id="fedcba9876543210"))
    assert caught.value.what.id == "service.host.one-waits"
    assert len(_states(bench)) == 1


def test_it_awaits_keep_and_can_never_be_kept(bench, files, host):
    apply_plan(bench, PLAN)
    (waiting,) = what_awaits(bench, files.root)
    assert (waiting.plan_id, waiting.vm_name, waiting.mode) == (PLAN_ID, "guest", "virtio")
    assert resume_state(bench, files.root).plan_id == PLAN_ID
    with pytest.raises(Refused):
        host.keep(PLAN_ID, without_screen=False)


def test_a_recording_without_ids_is_changed_all_the_same(bench):
    assert apply_plan(bench, replace(PLAN, boot_id="abc", machine_id_hash=None)).result is RunResult.AWAITING_KEEP


def test_promises_wait_for_the_restart_and_files_do_not(bench, files):
    apply_plan(bench, PLAN)
    (run,) = readable(read_runs(bench.state), CONNECTION)
    outcomes = {(one.step.id, one.result) for one in verify_host(bench, run, a_host())}
    assert ("service.verify.word", PromiseResult.UNKNOWN) in outcomes
    assert ("service.verify.driver", PromiseResult.UNKNOWN) in outcomes
    assert ("service.verify.file", PromiseResult.KEPT) in outcomes
    files.put("etc/vitrail/reserved-cards", b"# mine\n")
    broken = [one for one in verify_host(bench, run, a_host()) if one.result is PromiseResult.BROKEN]
    assert [dict(one.step.args)["path"] for one in broken] == ["/etc/vitrail/reserved-cards"]


def test_a_file_is_told_as_it_is_now(host, bench):
    assert host.file("etc/vitrail/reserved-cards") == Known(None, "/etc/vitrail/reserved-cards")
    apply_plan(bench, PLAN)
    content = host.file("etc/vitrail/reserved-cards")
    assert isinstance(content, Known)
    assert str(CARD.address).encode() in (content.value or b"")


def _at_once() -> Plan:
    """A plan for the computer and the VM without a restart."""
    plan = host_plan_for(BEFORE, AFTER, uuid=UUID, guard=False)
    host = next(phase for phase in plan.phases if phase.name == "prepare-host")
    return replace(plan, phases=(host, replace(plan.phases[-1], when=When.APPLY)))


def test_without_a_restart_computer_and_vm_are_one_run(bench):
    outcome = apply_plan(bench, _at_once())
    assert outcome.result is RunResult.APPLIED
    assert bench.store.words == AFTER
    assert _states(bench) == [RunState.APPLIED]
    assert what_awaits(bench, FolderRoot("/")) == ()
    assert [step.kind for step in _undo(bench).steps][:2] == ["edit-vm", "run-tool"]
    assert bench.store.words == BEFORE


def test_a_vm_that_is_refused_takes_the_computers_part_back(bench, files):
    bench.store.refuses = DefineRefused("no")
    with pytest.raises(ApplyFailed):
        apply_plan(bench, _at_once())
    assert bench.store.words == BEFORE
    assert files.read("etc/vitrail/reserved-cards") is None
    assert files.read("etc/default/grub") == GRUB
    assert _states(bench) == [RunState.FAILED]


class _Live(HostSimulated):
    """A copy that is looked at as if it were the computer."""

    simulated = False


def test_what_acts_at_once_is_held_against_now(bench, files, tmp_path):
    state = StateFolder(tmp_path / "state")
    live = replace(bench, host=_Live(files, state))
    plan = HostPlan(
        PLAN_ID,
        "ab" * 32,
        "11111111-2222-3333-4444-555555555555",
        (CARD,),
        (BindLive(CARD, "nvidia", "vfio-pci"),),
        (),
        guarded=False,
    )
    run = _run_of(plan, JoinGroup("ada", HostGroup.LIBVIRT))
    card = device("01:00.0", VGA, driver="vfio-pci")
    files.put("etc/group", b"root:x:0:\nlibvirt:x:100:eve,ada\n")
    told = {(one.step.id, one.result) for one in verify_host(live, run, a_host(gpu(card)))}
    assert told == {
        ("service.verify.driver-now", PromiseResult.KEPT),
        ("service.verify.given", PromiseResult.KEPT),
    }
    files.put("etc/group", b"libvirt:x:100:eve\n")
    card = device("01:00.0", VGA, driver="nvidia")
    told = {(one.step.id, one.result) for one in verify_host(live, run, a_host(gpu(card)))}
    assert {result for _id, result in told} == {PromiseResult.BROKEN}
    assert {one.result for one in verify_host(bench, run, a_host(gpu(card)))} == {PromiseResult.UNKNOWN}


def _run_of(plan: HostPlan, *more: HostChange) -> Run:
    whole = replace(plan, steps=(*plan.steps, *more))
    started = RunStarted(1, "000001-" + PLAN_ID, PLAN_ID, CONNECTION, 0.0, UUID, "guest", PLAN.choice)
    ended = RunEnded(RunResult.APPLIED.value, 0.0)
    return Run("000001-" + PLAN_ID, 1, started, (), ended, HostRecord(HostHandedOver(whole, None, None)))

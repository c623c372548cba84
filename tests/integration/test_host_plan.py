# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for a computer from apply to take back, with the root helper's own core on a machine in a folder.

The restart is what a loader does: another boot id and the trial's words on the kernel's line. Programs really run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.core_client import CoreClient
from fakes.host_plans import ENTRY
from fakes.hosts import host as a_host
from fakes.memory_store import MemoryStore
from fakes.plans import make_plan_for
from helper.bench import BOOT_ID, PLAN_ID, snapshot
from helper.trial_bench import command_line, grub_trial, make_trial_machine, normal_start, start_trial, trial_words
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled
from vitrail.model.host_step import HostPlan
from vitrail.model.host_story import CLOCK_FILE
from vitrail.model.outcome import PromiseResult, RunResult, RunState, StepResult
from vitrail.model.plan import Guard, GuardStrength, Phase, Plan, When, Writer
from vitrail.model.reading import Known, Unknown
from vitrail.model.resume import ResumeStage
from vitrail.model.step import HostStep, ResumeAtLogin
from vitrail.model.text import text
from vitrail.service.applying import apply_plan
from vitrail.service.awaiting import kept_half_way, resume_state, still_acting, what_awaits
from vitrail.service.changing import Bench
from vitrail.service.history import read_history
from vitrail.service.host_here import HostHere
from vitrail.service.journal import Run, read_runs, readable
from vitrail.service.keeping import keep_plan
from vitrail.service.state import StateFolder
from vitrail.service.undoing import HostOnly, choose_runs, preview, undo_run
from vitrail.service.user_files import UserFiles
from vitrail.service.user_step import RESUME_FILE
from vitrail.service.verifying_host import verify_host
from vitrail.source.root import FolderRoot

pytestmark = pytest.mark.real

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"<domain type='kvm'>\n  <name>guest</name>\n  <uuid>{UUID}</uuid>\n  <vcpu>1</vcpu>\n</domain>\n"
AFTER = BEFORE.replace("<vcpu>1", "<vcpu>2")


class Scene:
    """One computer with its helper, its user and its VM."""

    def __init__(self, folder: Path) -> None:
        self.root = make_trial_machine(folder / "machine")
        self.client = CoreClient(self.root)
        self.store = MemoryStore(UUID, BEFORE)
        self.user = UserFiles(folder / "config")
        self.bench = Bench(
            self.store,
            StateFolder(folder / "state"),
            "memory:",
            HostHere(FolderRoot(self.root), self.client),  # type: ignore[arg-type]
            self.user,
        )
        self.plan = self._plan()
        self.before = snapshot(self.root)

    def _plan(self) -> Plan:
        host = grub_trial(self.root)
        vm = replace(make_plan_for(BEFORE, AFTER, uuid=UUID).phases[0], when=When.KEPT)
        now, keep = (tuple(HostStep(change, None, None) for change in some) for some in (host.steps, host.keep))
        return replace(
            make_plan_for(BEFORE, AFTER, uuid=UUID),
            plan_id=host.plan_id,
            machine_id_hash=host.machine_id_hash,
            boot_id=host.boot_id,
            identities=host.identities,
            phases=(
                Phase("resume", Writer.USER, (ResumeAtLogin(RESUME_FILE, ENTRY),), writable=True),
                Phase("prepare-host", Writer.HOST, now, writable=True),
                Phase("keep-host", Writer.HOST, keep, writable=True, when=When.KEEP),
                vm,
            ),
            guard=Guard(GuardStrength.AUTOMATIC, None, ()),
        )

    @property
    def run(self) -> Run:
        return readable(read_runs(self.bench.state), "memory:")[0]

    @property
    def states(self) -> list[RunState]:
        status = self.bench.host.status()
        return [entry.state for entry in read_history(self.bench.state, "memory:", status)]

    def apply(self) -> RunResult:
        return apply_plan(self.bench, self.plan).result

    def rest(self, run: Run) -> Plan:
        """The same choice on the computer as it is after Keep."""
        return make_plan_for(self.store.words, AFTER, uuid=run.started.vm_uuid)

    def keep(self, **other: object):
        return keep_plan(self.bench, None, other.get("rest", self.rest), without_screen=True)  # type: ignore[arg-type]

    def undo(self, plan_id: str | None = PLAN_ID, *, everything: bool = False):
        runs = choose_runs(self.bench, None if everything else plan_id, everything=everything)
        return tuple(undo_run(self.bench, run, force=False) for run in runs)

    def promises(self, **facts: object) -> dict[str, set[PromiseResult]]:
        words = (self.root / "proc/cmdline").read_text().strip()
        found: dict[str, set[PromiseResult]] = {}
        for one in verify_host(self.bench, self.run, a_host(cmdline=words, **facts)):
            found.setdefault(one.step.id.removeprefix("service.verify."), set()).add(one.result)
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_apply_restart_keep_gives_the_vm_its_card_and_undo_takes_all_of_it_back(scene):
    assert scene.apply() is RunResult.AWAITING_KEEP
    assert scene.store.words == BEFORE
    assert scene.states == [RunState.AWAITING_KEEP]
    start_trial(scene.root)
    outcome = scene.keep()
    assert outcome.result is RunResult.APPLIED
    assert scene.store.words == AFTER
    assert (scene.root / "etc/default/grub.d/60-vitrail.cfg").exists()
    assert not (scene.root / "boot/vitrail").exists()
    assert scene.user.read(RESUME_FILE) is None
    assert scene.states == [RunState.APPLIED]
    assert [one.result for one in scene.undo()] == [RunResult.TAKEN_BACK]
    assert scene.store.words == BEFORE
    normal_start(scene.root)
    assert snapshot(scene.root) == scene.before
    assert scene.states == [RunState.TAKEN_BACK]


def test_taking_back_is_the_vm_then_the_computer(scene):
    scene.apply()
    start_trial(scene.root)
    scene.keep()
    seen: list[str] = []
    scene.client.before = lambda verb: seen.append(f"{verb} with {scene.store.words == AFTER}")
    scene.undo()
    assert seen[-1] == "undo with False"


def test_before_the_restart_all_of_it_can_be_taken_back(scene):
    scene.apply()
    shown = preview(scene.bench, choose_runs(scene.bench, PLAN_ID, everything=False))
    assert any("vitrail-guard.service" in one.diff for one in shown)
    assert [one.result for one in scene.undo()] == [RunResult.TAKEN_BACK]
    assert snapshot(scene.root) == scene.before
    assert scene.user.read(RESUME_FILE) is None


def test_what_is_due_changes_with_the_start(scene):
    root = FolderRoot(scene.root)
    assert resume_state(scene.bench, root).stage is ResumeStage.NOTHING
    scene.apply()
    assert resume_state(scene.bench, root).stage is ResumeStage.RESTART_DUE
    assert isinstance(what_awaits(scene.bench, root)[0].until, Unknown)
    start_trial(scene.root)
    state = resume_state(scene.bench, root)
    assert (state.stage, state.vm_name, state.plan_id) == (ResumeStage.TRIAL, "guest", PLAN_ID)
    scene.keep()
    assert resume_state(scene.bench, root).stage is ResumeStage.NOTHING


def test_the_guards_deadline_is_told_on_the_wall_clock(scene):
    scene.apply()
    start_trial(scene.root)
    clock = {
        "plan_id": PLAN_ID,
        "boot_id": (scene.root / "proc/sys/kernel/random/boot_id").read_text().strip(),
        "phase": "counting",
        "began_boottime": 1.0,
        "deadline_boottime": 10.0**9,
        "extended": 0,
        "up": True,
    }
    path = scene.root / CLOCK_FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(clock))
    until = scene.bench.host.until(PLAN_ID)
    assert isinstance(until, Known)
    assert isinstance(scene.bench.host.until("f" * 16), Unknown)
    scene.bench.host.extend(PLAN_ID)
    later = scene.bench.host.until(PLAN_ID)
    assert isinstance(later, Known)
    assert round(later.value - until.value) == 15 * 60


def test_a_trial_that_never_came_up_is_told_and_can_be_cleared_away(scene):
    scene.apply()
    (scene.root / "proc/sys/kernel/random/boot_id").write_text("77777777-2222-3333-4444-555555555555\n")
    state = resume_state(scene.bench, FolderRoot(scene.root))
    assert (state.stage, state.story is not None) == (ResumeStage.TAKEN_BACK, True)
    with pytest.raises(Refused) as caught:
        scene.keep()
    assert caught.value.what.id == "helper.refused.not-started"
    assert [one.result for one in scene.undo()] == [RunResult.TAKEN_BACK]
    assert resume_state(scene.bench, FolderRoot(scene.root)).stage is ResumeStage.NOTHING


def test_promises_before_in_and_after_the_trial(scene):
    scene.apply()
    assert scene.promises()["word"] == {PromiseResult.UNKNOWN}
    start_trial(scene.root)
    devices = a_host().devices
    assert isinstance(devices, Known)
    told = scene.promises()
    assert (told["word"], told["iommu"], told["file"]) == (
        {PromiseResult.KEPT},
        {PromiseResult.KEPT},
        {PromiseResult.KEPT},
    )
    scene.keep()
    assert scene.promises()["file"] == {PromiseResult.KEPT}
    command_line(scene.root, "root=/dev/vda1")
    assert scene.promises()["word"] == {PromiseResult.BROKEN}


def test_once_taken_back_the_word_goes_with_the_next_start(scene):
    scene.apply()
    start_trial(scene.root)
    scene.undo()
    assert scene.promises()["word-gone"] == {PromiseResult.UNKNOWN}
    normal_start(scene.root)
    told = scene.promises()
    assert told["word-gone"] == {PromiseResult.KEPT}
    assert told["file-gone"] == {PromiseResult.KEPT}


def test_a_promise_that_an_update_broke_names_and_dates_it(scene):
    scene.apply()
    start_trial(scene.root)
    scene.keep()
    (scene.root / "proc/sys/kernel/osrelease").write_text("6.2.0\n")
    command_line(scene.root, "root=/dev/vda1")
    words = (scene.root / "proc/cmdline").read_text().strip()
    broken = [
        one for one in verify_host(scene.bench, scene.run, a_host(cmdline=words)) if one.step.id.endswith(".word")
    ]
    assert {one.result for one in broken} == {PromiseResult.BROKEN}
    assert all(one.evidence[-1].value == "6.1.0 → 6.2.0" for one in broken)


def test_who_does_not_see_the_screen_says_so(scene, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    scene.apply()
    start_trial(scene.root)
    with pytest.raises(Refused) as caught:
        keep_plan(scene.bench, None, scene.rest, without_screen=False)
    assert caught.value.what.id == "service.keep.from-elsewhere"
    assert keep_plan(scene.bench, None, scene.rest, without_screen=True).result is RunResult.APPLIED


def test_what_is_taken_back_acts_until_the_next_start(scene):
    root = FolderRoot(scene.root)
    scene.apply()
    start_trial(scene.root)
    assert still_acting(scene.bench, root) == ()
    scene.undo()
    assert still_acting(scene.bench, root) == (PLAN_ID,)
    normal_start(scene.root)
    assert still_acting(scene.bench, root) == ()


def test_a_keep_on_a_console_is_gone_on_with(scene):
    scene.apply()
    start_trial(scene.root)
    boot = scene.bench.host.boot_id()
    assert isinstance(boot, Known)
    scene.client.keep(PLAN_ID, boot.value)
    assert kept_half_way(scene.bench) == (PLAN_ID,)
    assert scene.keep().result is RunResult.APPLIED
    assert (scene.store.words, kept_half_way(scene.bench)) == (AFTER, ())


def test_a_vm_that_changed_meanwhile_is_left_with_the_command(scene):
    scene.apply()
    start_trial(scene.root)
    scene.store.words = BEFORE.replace("<vcpu>1", "<vcpu>8")
    outcome = scene.keep()
    last = outcome.steps[-1]
    assert (outcome.result, last.result) == (RunResult.APPLIED, StepResult.LEFT)
    assert last.detail is not None
    assert "vitrail apply --vm guest --mode virtio" in dict(last.detail.args)["command"]
    assert "<vcpu>8" in scene.store.words


def test_a_vm_that_cannot_be_planned_is_left_and_the_computer_kept(scene):
    def refuse(_run: Run) -> Plan:
        raise Unreachable(text("service.vm.look-again"))

    scene.apply()
    start_trial(scene.root)
    assert scene.keep(rest=refuse).steps[-1].result is StepResult.LEFT
    assert scene.states == [RunState.APPLIED]
    assert scene.store.words == BEFORE


def test_a_computers_part_that_fails_takes_the_users_file_back(scene):
    (scene.root / "usr/sbin/grub-reboot").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises((ApplyFailed, Refused)):
        scene.apply()
    assert scene.user.read(RESUME_FILE) is None
    assert scene.store.words == BEFORE
    assert scene.states == [RunState.FAILED]


@pytest.mark.parametrize("error", [Refused, Unreachable, ApplyFailed])
def test_a_no_of_the_helper_leaves_nothing(scene, error):
    scene.client.fails["apply"] = error(text("helper.denied"))
    with pytest.raises(error):
        scene.apply()
    assert scene.user.read(RESUME_FILE) is None
    assert scene.states == [RunState.FAILED]
    assert snapshot(scene.root) == scene.before


def test_an_apply_of_which_nobody_knows_the_end_is_settled_by_undo(scene):
    scene.client.fails["apply"] = Unsettled(text("helper.late-write"))
    with pytest.raises(Unsettled):
        scene.apply()
    assert scene.states == [RunState.INTERRUPTED]
    assert scene.user.read(RESUME_FILE) == ENTRY
    (outcome,) = scene.undo()
    assert outcome.result is RunResult.TAKEN_BACK
    assert scene.user.read(RESUME_FILE) is None


def test_a_no_to_taking_back_changes_nothing(scene):
    scene.apply()
    scene.client.fails["undo"] = Refused(text("helper.dismissed"))
    with pytest.raises(Refused):
        scene.undo()
    assert scene.states == [RunState.AWAITING_KEEP]
    assert scene.user.read(RESUME_FILE) == ENTRY
    scene.client.fails.clear()
    assert [one.result for one in scene.undo()] == [RunResult.TAKEN_BACK]


def test_a_no_after_the_vm_is_half_a_way_and_told(scene):
    scene.apply()
    start_trial(scene.root)
    scene.keep()
    scene.client.fails["undo"] = Refused(text("helper.denied"))
    (outcome,) = scene.undo()
    assert outcome.result is RunResult.INCOMPLETE
    assert scene.store.words == BEFORE
    scene.client.fails.clear()
    assert [one.result for one in scene.undo()] == [RunResult.TAKEN_BACK]


def test_a_change_that_root_forgot_is_not_called_taken_back(scene):
    scene.apply()
    shutil.rmtree(scene.root / "var/lib/vitrail/runs")
    with pytest.raises(Unreachable) as caught:
        scene.undo()
    assert caught.value.what.id == "service.undo.root-knows-nothing"
    with pytest.raises(Unreachable) as caught:
        what_awaits(scene.bench, FolderRoot(scene.root))
    assert caught.value.what.id == "service.host.forgotten"
    assert scene.run.in_effect


def test_a_guard_that_took_it_back_is_told_and_settled(scene):
    scene.apply()
    start_trial(scene.root)
    scene.client.undo(PLAN_ID)
    assert scene.states == [RunState.TAKEN_BACK]
    state = resume_state(scene.bench, FolderRoot(scene.root))
    assert (state.stage, state.plan_id) == (ResumeStage.TAKEN_BACK, PLAN_ID)
    assert state.story is not None
    scene.undo()
    assert scene.user.read(RESUME_FILE) is None
    assert resume_state(scene.bench, FolderRoot(scene.root)).stage is ResumeStage.NOTHING


def test_killed_between_keep_and_the_vm_then_kept_again(scene):
    scene.apply()
    start_trial(scene.root)
    child = os.fork()
    if child == 0:
        try:
            scene.keep(rest=lambda _run: os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert scene.states == [RunState.INTERRUPTED]
    assert scene.keep().result is RunResult.APPLIED
    assert scene.store.words == AFTER
    assert scene.states == [RunState.APPLIED]


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_roots_part_then_taken_back(scene, after):
    child = os.fork()
    if child == 0:
        apply = scene.client.apply

        def dying(plan: HostPlan, told: object = None) -> None:
            if after:
                apply(plan, told)
            os.kill(os.getpid(), signal.SIGKILL)

        scene.client.apply = dying
        try:
            scene.apply()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert scene.states == [RunState.INTERRUPTED]
    assert scene.user.read(RESUME_FILE) == ENTRY
    (outcome,) = scene.undo()
    assert outcome.result is RunResult.TAKEN_BACK
    assert snapshot(scene.root) == scene.before
    assert scene.user.read(RESUME_FILE) is None


def test_killed_while_the_helper_keeps_then_taken_back(scene):
    scene.apply()
    start_trial(scene.root)
    child = os.fork()
    if child == 0:
        keep = scene.client.keep

        def dying(plan_id: str, boot_id: str, _told: object = None):
            keep(plan_id, boot_id)
            os.kill(os.getpid(), signal.SIGKILL)

        scene.client.keep = dying
        try:
            scene.keep()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert scene.states == [RunState.INTERRUPTED]
    scene.undo()
    normal_start(scene.root)
    assert snapshot(scene.root) == scene.before
    assert scene.store.words == BEFORE


def test_a_change_of_another_user_is_listed_and_taken_back_with_everything(scene, tmp_path):
    scene.apply()
    mine = Bench(MemoryStore(UUID, BEFORE), StateFolder(tmp_path / "mine"), "memory:", scene.bench.host, scene.user)
    (entry,) = read_history(mine.state, "memory:", mine.host.status())
    assert (entry.plan_id, entry.vm_name) == (PLAN_ID, "")
    (run,) = choose_runs(mine, None, everything=True)
    assert isinstance(run, HostOnly)
    assert undo_run(mine, run, force=False).result is RunResult.TAKEN_BACK
    assert snapshot(scene.root) == scene.before


def test_the_boot_and_the_words_are_those_of_this_machine(scene):
    assert scene.bench.host.boot_id() == Known(BOOT_ID, "/proc/sys/kernel/random/boot_id")
    assert not set(trial_words()) & set((scene.root / "proc/cmdline").read_text().split())

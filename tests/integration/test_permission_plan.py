# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan with permissions and no restart, from a machine's facts to the taking back by the real core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes import hosts
from fakes.core_client import CoreClient
from fakes.memory_store import MemoryStore
from helper.bench import BOOT_ID, LABELS, MACHINE_ID, ROM, make_machine, snapshot
from vitrail.model.choice import Passthrough
from vitrail.model.errors import ApplyFailed, Refused, Unsettled
from vitrail.model.knowledge import Knowledge
from vitrail.model.outcome import PromiseResult, RunResult, RunState
from vitrail.model.permission import GROUPS, USERS, HostGroup, JoinGroup, is_member
from vitrail.model.plan import Plan
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.model.render import digest_of
from vitrail.model.text import text
from vitrail.plan.make import make_plan
from vitrail.probe.access import read_access
from vitrail.service.applying import apply_plan
from vitrail.service.changing import Bench
from vitrail.service.history import read_history
from vitrail.service.host_here import HostHere
from vitrail.service.journal import Run, read_runs
from vitrail.service.state import StateFolder
from vitrail.service.stores import DefineRefused
from vitrail.service.undoing import choose_runs, preview, undo_run
from vitrail.service.user_files import UserFiles
from vitrail.service.verifying_host import verify_host
from vitrail.source.root import FolderRoot
from vitrail.xmldoc.vm import read_vm

pytestmark = pytest.mark.real

CARD = hosts.nvidia_card()
NAMES = ("ada", "bob", "cleo", "eve")
UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809"
NOT_ASKED = Unknown(text("tests.unread"))
BEFORE = (
    f"<domain type='kvm'>\n  <name>guest</name>\n  <uuid>{UUID}</uuid>\n  <memory>4194304</memory>\n"
    "  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n  <devices>\n  </devices>\n</domain>\n"
)
WITH_ROM = BEFORE.replace(
    "<devices>",
    "<devices><hostdev mode='subsystem' type='pci' managed='yes'><source>"
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>"
    f"<rom file='/{ROM}'/></hostdev>",
)


class Scene:
    """One computer, one user at it, and the user's VM."""

    def __init__(self, folder: Path, words: str = BEFORE, *, session: bool = True) -> None:
        self.root = make_machine(folder / "machine")
        for path, said in (("sys/module/apparmor/parameters/enabled", "Y\n"), ("sys/fs/selinux/enforce", "1")):
            (self.root / path).parent.mkdir(parents=True)
            (self.root / path).write_text(said)
        (self.root / "proc/self").mkdir(parents=True)
        (self.root / "proc/self/limits").write_text("Max locked memory         65536     65536     bytes \n")
        self.session = session
        self.client = CoreClient(self.root)
        self.store = MemoryStore(UUID, words)
        host = HostHere(FolderRoot(self.root), self.client)  # type: ignore[arg-type]
        self.bench = Bench(self.store, StateFolder(folder / "state"), "memory:", host, UserFiles(folder / "config"))
        self.before = snapshot(self.root)

    def plan(self) -> Plan:
        functions = tuple(replace(one, driver=hosts.known("vfio-pci")) for one in CARD.functions)
        card = replace(CARD, device=functions[0], functions=functions)
        machine = digest_of(b"vitrail " + MACHINE_ID.encode())
        host = hosts.host(card, hosts.amd_integrated(), machine_id_hash=machine, boot_id=BOOT_ID)
        vm = read_vm(self.store.words, state=NOT_ASKED, has_managed_save=NOT_ASKED, autostart=NOT_ASKED)
        access = read_access(FolderRoot(self.root), session=self.session, uid=1000)
        can = Known(hosts.capabilities(), "test")
        knowledge = Knowledge("test", (), ())
        made = make_plan(host, vm, Passthrough(CARD.address), can, knowledge, access=access)
        # The folder has other devices than the model's card; who they are is tested elsewhere.
        return replace(made, identities=())

    def run(self) -> Run:
        run = read_runs(self.bench.state)[0]
        assert isinstance(run, Run)
        return run

    def undo(self) -> RunResult:
        (run,) = choose_runs(self.bench, None, everything=False)
        return undo_run(self.bench, run, force=False).result


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_computer_and_vm_are_changed_in_one_go_and_taken_back_the_other_way_round(scene):
    told = []
    outcome = apply_plan(scene.bench, scene.plan(), told.append)
    assert outcome.result is RunResult.APPLIED
    assert [step.kind for step in told] == ["write-file", "run-tool", "write-file", "write-file", "edit-vm"]
    assert (scene.root / "etc/udev/rules.d/60-vitrail-vfio.rules").exists()
    assert "<hostdev" in scene.store.words
    assert scene.run().state is RunState.APPLIED
    assert scene.plan().steps == ()
    seen = []
    scene.client.before = lambda verb: seen.append((verb, scene.store.words)) if verb == "undo" else None
    assert scene.undo() is RunResult.TAKEN_BACK
    assert seen == [("undo", BEFORE)]
    assert snapshot(scene.root) == scene.before


def test_what_taking_back_writes_is_shown_first(scene):
    apply_plan(scene.bench, scene.plan())
    shown = preview(scene.bench, choose_runs(scene.bench, None, everything=False))
    words = "".join(one.diff for one in shown)
    assert "-ada hard memlock" in words
    assert "-LimitMEMLOCK=5120M" in words
    assert '-SUBSYSTEM=="vfio"' in words


def test_a_vm_that_refuses_takes_the_computer_back_too(scene):
    scene.store.refuses = DefineRefused("no such thing")
    plan = scene.plan()
    with pytest.raises(ApplyFailed):
        apply_plan(scene.bench, plan)
    assert scene.store.words == BEFORE
    assert snapshot(scene.root) == scene.before
    assert scene.run().state is RunState.FAILED


def test_a_computer_that_cannot_be_taken_back_then_is_told_and_undone_later(scene):
    scene.store.refuses = DefineRefused("no such thing")
    scene.client.fails["undo"] = Refused(text("test.no"))
    with pytest.raises(Unsettled):
        apply_plan(scene.bench, scene.plan())
    assert scene.run().in_effect
    scene.client.fails.clear()
    assert scene.undo() is RunResult.TAKEN_BACK
    assert snapshot(scene.root) == scene.before


def test_a_computer_that_says_no_leaves_the_vm_alone(scene):
    plan = scene.plan()
    (scene.root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    with pytest.raises(Refused) as caught:
        apply_plan(scene.bench, plan)
    assert caught.value.what.id == "helper.refused.no-user"
    assert (scene.store.words, scene.store.defined) == (BEFORE, [])


def test_a_rom_is_opened_to_vms_of_the_system_in_both_ways_and_closed_again(tmp_path):
    scene = Scene(tmp_path, WITH_ROM, session=False)
    outcome = apply_plan(scene.bench, scene.plan())
    assert [step.kind for step in outcome.steps][:2] == ["write-file", "label-rom"]
    rules = (scene.root / "etc/apparmor.d/abstractions/libvirt-qemu.d/60-vitrail").read_text()
    assert rules.endswith(f"\n/{ROM} r,\n")
    assert "virt_content_t" in (scene.root / LABELS).read_text()
    assert scene.plan().steps == ()
    assert scene.undo() is RunResult.TAKEN_BACK
    assert snapshot(scene.root) == scene.before


def test_promises_hold_at_once_and_no_start_is_promised(scene):
    apply_plan(scene.bench, scene.plan())
    now = hosts.host(CARD, hosts.amd_integrated())
    outcomes = verify_host(scene.bench, scene.run(), now)
    assert [one.result for one in outcomes] == [PromiseResult.KEPT] * 3
    scene.undo()
    outcomes = verify_host(scene.bench, scene.run(), now)
    assert [one.result for one in outcomes] == [PromiseResult.KEPT] * 3


def test_nothing_awaits_keep(scene):
    apply_plan(scene.bench, scene.plan())
    status = scene.bench.host.status()
    assert status.awaiting() == ()
    (entry,) = read_history(scene.bench.state, "memory:", status)
    assert entry.state is RunState.APPLIED
    assert entry.plan_id == scene.run().started.plan_id


def test_a_mark_that_somebody_took_off_breaks_its_promise(tmp_path):
    scene = Scene(tmp_path, WITH_ROM, session=False)
    apply_plan(scene.bench, scene.plan())
    now = hosts.host(CARD, hosts.amd_integrated())

    def results() -> dict[str, PromiseResult]:
        return {one.step.id: one.result for one in verify_host(scene.bench, scene.run(), now)}

    assert results()["service.verify.given"] is PromiseResult.KEPT
    (scene.root / LABELS).write_text("")
    assert results()["service.verify.given"] is PromiseResult.BROKEN
    scene.undo()
    assert "service.verify.given" not in results()


def test_a_member_is_seen_by_list_and_by_first_group(tmp_path):
    scene = Scene(tmp_path)
    users, groups = (known_or(scene.bench.host.file(path), None) for path in (USERS, GROUPS))
    assert users is not None
    assert groups is not None
    seen = {name: is_member(users.decode(), groups.decode(), JoinGroup(name, HostGroup.RENDER)) for name in NAMES}
    assert seen == {"ada": False, "bob": True, "cleo": True, "eve": False}
    assert is_member(users.decode(), "", JoinGroup("ada", HostGroup.RENDER)) is None

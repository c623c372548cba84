# SPDX-License-Identifier: GPL-3.0-or-later
"""Which door to the computer a place has, and what the one of a distant computer says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.host_plans import PLAN_ID, host_plan_for
from fakes.memory_store import MemoryStore
from fakes.plans import make_plan_for
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.machine import MachineKind
from vitrail.model.outcome import RunResult
from vitrail.model.reading import Unknown
from vitrail.model.text import text
from vitrail.service.applying import apply_plan
from vitrail.service.awaiting import what_awaits
from vitrail.service.changing import Bench
from vitrail.service.host_here import HostHere
from vitrail.service.host_port import NoHost
from vitrail.service.host_simulated import HostSimulated
from vitrail.service.place import find_place
from vitrail.service.state import StateFolder
from vitrail.service.undoing import choose_runs, undo_run
from vitrail.service.user_files import UserFiles
from vitrail.source.root import AbsentRoot, FolderRoot

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE = f"<domain type='kvm'>\n  <name>guest</name>\n  <uuid>{UUID}</uuid>\n  <vcpu>1</vcpu>\n</domain>\n"
PLAN = host_plan_for(BEFORE, BEFORE.replace("<vcpu>1", "<vcpu>2"), uuid=UUID)


@pytest.mark.parametrize(
    ("machine", "connect", "kind", "port"),
    [
        ("demo", None, MachineKind.DEMO, HostSimulated),
        (None, None, MachineKind.REAL, HostHere),
        (None, "qemu:///session", MachineKind.REAL, HostHere),
        (None, "qemu+ssh://elsewhere/system", MachineKind.REMOTE, NoHost),
    ],
)
def test_a_place_knows_its_door(machine, connect, kind, port, tmp_path):
    place = find_place(machine, connect, state_folder=tmp_path)
    assert (place.kind, type(place.open_host())) == (kind, port)
    place.store.close()


def test_a_distant_computer_is_not_changed_and_why_is_said(tmp_path: Path):
    bench = Bench(MemoryStore(UUID, BEFORE), StateFolder(tmp_path), "far:", user=UserFiles(tmp_path / "config"))
    with pytest.raises(Refused) as caught:
        apply_plan(bench, PLAN)
    assert caught.value.what.id == "service.host.remote"
    assert caught.value.next_steps
    assert list(tmp_path.rglob("*")) == []
    assert what_awaits(bench, AbsentRoot()) == ()
    assert isinstance(bench.host.until(PLAN_ID), Unknown)
    assert isinstance(bench.host.file("etc/passwd"), Unknown)
    assert bench.host.undo(PLAN_ID, force=False) == ()
    for ask in (lambda: bench.host.keep(PLAN_ID, without_screen=True), lambda: bench.host.extend(PLAN_ID)):
        with pytest.raises(Refused):
            ask()


class _Silent:
    """A bus that does not answer."""

    def status(self) -> None:
        raise Unreachable(text("helper.late"))


def test_a_vm_is_taken_back_where_the_helper_does_not_answer(tmp_path: Path):
    host = HostHere(FolderRoot(tmp_path), _Silent())  # type: ignore[arg-type]
    store = MemoryStore(UUID, BEFORE)
    bench = Bench(store, StateFolder(tmp_path / "state"), "here:", host, UserFiles(tmp_path / "config"))
    apply_plan(bench, make_plan_for(BEFORE, BEFORE.replace("<vcpu>1", "<vcpu>2"), uuid=UUID))
    (run,) = choose_runs(bench, None, everything=True)
    assert undo_run(bench, run, force=False).result is RunResult.TAKEN_BACK
    assert store.words == BEFORE
    with pytest.raises(Unreachable):
        what_awaits(bench, FolderRoot(tmp_path))

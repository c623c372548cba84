# SPDX-License-Identifier: GPL-3.0-or-later
"""When the root helper is offered: for a plan that needs it, and for one that cannot be made without it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.host_plans import host_plan_for
from fakes.memory_store import MemoryStore
from fakes.plans import make_plan_for
from vitrail.model.errors import Unreachable
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.machine import MachineKind
from vitrail.model.plan import Plan
from vitrail.model.text import text
from vitrail.service import helper_first
from vitrail.service.helper_first import helper_for, helper_to_look
from vitrail.service.helper_install import PLACES, preview_install
from vitrail.service.place import Place
from vitrail.service.state import StateFolder
from vitrail.source.names import Names
from vitrail.source.root import FolderRoot

UUID = "11111111-2222-3333-4444-555555555555"
BEFORE, AFTER = "<domain/>", "<domain><vcpu>2</vcpu></domain>"
HOST_PLAN = host_plan_for(BEFORE, AFTER, uuid=UUID)
VM_PLAN = make_plan_for(BEFORE, AFTER, uuid=UUID)
BLIND = replace(
    VM_PLAN,
    phases=(replace(VM_PLAN.phases[0], writable=False),),
    findings=(Finding("host.steps", Status.UNKNOWN, Severity.BLOCKS, text("tests.unread"), (), None),),
)


class Computer:
    """A tree, the helper's parts, and whether they are installed in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.parts = folder / "parts"
        self.parts.mkdir()
        for name in PLACES:
            (self.parts / name).write_text(f"part {name}\n")
        self.store = MemoryStore(UUID, BEFORE)
        self.state = StateFolder(folder / "state")

    def install(self) -> None:
        for name, (path, _mode) in PLACES.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes((self.parts / name).read_bytes())

    def place(self, kind: MachineKind = MachineKind.REAL) -> Place:
        root = FolderRoot(self.root)
        return Place(kind, "here:", text("service.place.here"), root, Names(root), None, self.store, self.state)


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    made = Computer(tmp_path)
    monkeypatch.setattr(helper_first, "preview_install", lambda: preview_install(made.parts, made.root))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return made


def test_a_plan_for_the_computer_shows_every_file_of_the_helper_first(computer):
    preview = helper_for(computer.place(), HOST_PLAN)
    assert preview is not None
    assert {file.path for file in preview.files} == {f"/{path}" for path, _mode in PLACES.values()}


def test_the_helper_that_fits_is_not_shown_again(computer):
    computer.install()
    assert helper_for(computer.place(), HOST_PLAN) is None


def test_another_helper_is_replaced(computer):
    computer.install()
    (computer.parts / "vitrail-helper.pyz").write_text("newer\n")
    assert helper_for(computer.place(), HOST_PLAN) is not None


@pytest.mark.parametrize(
    ("plan", "kind"),
    [(VM_PLAN, MachineKind.REAL), (HOST_PLAN, MachineKind.RECORDING), (HOST_PLAN, MachineKind.DEMO)],
)
def test_nothing_is_offered_where_nothing_needs_it(computer, plan: Plan, kind: MachineKind):
    assert helper_for(computer.place(kind), plan) is None
    assert helper_to_look(computer.place(kind), plan) is None


def test_a_plan_that_lacks_what_only_root_reads_offers_the_helper_to_look(computer):
    assert helper_to_look(computer.place(), BLIND) is not None
    computer.install()
    assert helper_to_look(computer.place(), BLIND) is None


def test_root_needs_nobody_to_look(computer, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert helper_to_look(computer.place(), BLIND) is None


def test_parts_that_were_not_built_matter_only_where_they_are_missing(computer):
    shown = computer.parts / "vitrail-helper.pyz"
    shown.unlink()
    with pytest.raises(Unreachable):
        helper_for(computer.place(), HOST_PLAN)
    shown.write_text("part vitrail-helper.pyz\n")
    computer.install()
    shown.unlink()
    assert helper_for(computer.place(), HOST_PLAN) is None

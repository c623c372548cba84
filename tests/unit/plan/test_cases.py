# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded machines and choices: each plan is the one that was read and kept, and leads there and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cases.golden import CASES, FOLDER, Case, edited, files_of, keep, kept, place, planned, read
from machines.build import DESCRIBED, place_of
from vitrail.model.errors import Refused
from vitrail.model.host_step import WriteFile, arguments_of
from vitrail.model.kernel_argument import words_of
from vitrail.model.machine import Gpu, Holders, Host, Iommu, PciDevice
from vitrail.model.mode import WRITTEN_BY_THIS_VERSION
from vitrail.model.plan import Plan
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.model.reservation import ReservedCards
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.model.vm import Vm, VmState
from vitrail.probe.digest import with_digest
from vitrail.service.places import open_place

WRITE = os.environ.get("VITRAIL_WRITE_CASES") == "1"
OTHER_LIVES = tuple(state for state in VmState if state is not VmState.SAVED)
LATER = 100_000

ASK = """
import json, sys
from vitrail.__main__ import main
for words in json.load(sys.stdin):
    main(words)
"""


def named(case: Case) -> str:
    return f"{case.machine}/{case.name}"


every_case = pytest.mark.parametrize("case", CASES, ids=named)


def plans(*, writable_only: bool = False) -> list[object]:
    """The cases that are kept as plans, not as refusals."""
    found = []
    for case in CASES:
        document = kept(case).get("plan.json")
        if document is not None and not (writable_only and '"writable": false' in document):
            found.append(pytest.param(case, id=named(case)))
    return found


every_plan = pytest.mark.parametrize("case", plans())


def plan_of(case: Case, host: Host | None = None, vm: Vm | None = None) -> Plan:
    found = planned(case, host, vm)
    assert isinstance(found, Plan), found
    return found


def vm_of(case: Case) -> Vm:
    return place(case.machine).find_vm(read(case.machine), case.vm)


@every_case
def test_a_plan_is_the_one_that_was_kept(case: Case) -> None:
    if WRITE:
        keep(case)
    assert files_of(case) == kept(case)


def test_nothing_is_kept_that_is_no_case() -> None:
    folders = {path for machine in FOLDER.iterdir() if machine.name in DESCRIBED for path in machine.iterdir()}
    assert folders == {case.folder for case in CASES}


def test_every_vm_and_every_card_of_every_machine_is_asked_for() -> None:
    for machine in DESCRIBED:
        vms = {vm.name for vm in known_or(read(machine).vms, ())}
        assert {case.vm for case in CASES if case.machine == machine} == vms
    modes = {case.mode for case in CASES}
    assert modes >= WRITTEN_BY_THIS_VERSION


def test_nothing_kept_names_the_place_of_the_checkout() -> None:
    home = str(place_of("demo").parents[1])
    assert [named(case) for case in CASES if any(home in words for words in kept(case).values())] == []


def host_after(host: Host, plan: Plan) -> Host:
    """The host as its steps would leave it: cards reserved and so dark and free, arguments set, the IOMMU on."""
    changes = [step.change for step in plan.steps if isinstance(step, HostStep)]
    tables = [one.template for one in changes if isinstance(one, WriteFile) and isinstance(one.template, ReservedCards)]
    reserved = {card.identity.address for table in tables for card in table.cards}

    def device(one: PciDevice) -> PciDevice:
        return replace(one, driver=Known("vfio-pci", "test")) if one.address in reserved else one

    def card(one: Gpu) -> Gpu:
        free = replace(one, device=device(one.device), functions=tuple(map(device, one.functions)))
        if one.address not in reserved:
            return free
        return replace(free, outputs=Unknown(text("tests.no-driver")), holders=Known(Holders((), 0), "test"))

    arguments = dict.fromkeys(word for change in changes for word in words_of(arguments_of(change)))
    line = " ".join((known_or(host.cmdline, ""), *arguments))
    return with_digest(
        replace(
            host,
            devices=Known(tuple(map(device, known_or(host.devices, ()))), "test"),
            gpus=Known(tuple(map(card, known_or(host.gpus, ()))), "test"),
            cmdline=Known(line, "test"),
            iommu=Iommu(active=Known(value=True, source="test"), kind=host.iommu.kind, offered=host.iommu.offered),
        )
    )


@every_plan
def test_what_a_plan_leads_to_needs_no_step(case: Case) -> None:
    plan = plan_of(case)
    step = edited(plan)
    host = host_after(read(case.machine), plan)
    vm = vm_of(case) if step is None else place(case.machine).vm_from_text(step.after, host)
    assert plan_of(case, host, vm).steps == ()


@pytest.mark.parametrize("case", plans(writable_only=True))
def test_applied_and_taken_back_is_what_was_before_byte_for_byte(case: Case, tmp_path: Path) -> None:
    there = open_place(str(place_of(case.machine)), None, state_folder=tmp_path)
    host = there.read()
    before = there.find_vm(host, case.vm).text
    plan = there.plan(host, there.find_vm(host, case.vm), case.choice)
    step = edited(plan)
    there.apply(plan)
    # What needs a restart of the computer leaves the VM as it is until that is kept.
    waits = step is None or plan.needs_reboot
    assert there.find_vm(there.read(), case.vm).text == (before if waits else step.after)
    there.undo()
    assert there.find_vm(there.read(), case.vm).text == before


@every_plan
def test_a_plan_is_the_same_whatever_runs(case: Case) -> None:
    host = read(case.machine)
    cards = Known(tuple(map(later, known_or(host.gpus, ()))), "test")
    plan = plan_of(case)
    for state in OTHER_LIVES:
        vms = Known(tuple(replace(vm, state=Known(state, "test")) for vm in known_or(host.vms, ())), "test")
        changed = with_digest(replace(host, vms=vms, gpus=cards, read_at=host.read_at + LATER))
        found = planned(case, changed)
        # A card that a VM holds may be refused; what is planned is planned alike.
        assert isinstance(found, Refused) or found.plan_id == plan.plan_id


def later(card: Gpu) -> Gpu:
    """The card, used by the same programs after they were started anew."""
    if not isinstance(card.holders, Known):
        return card
    seen = tuple(replace(one, pid=one.pid and one.pid + LATER) for one in card.holders.value.seen)
    return replace(card, holders=Known(replace(card.holders.value, seen=seen), card.holders.source))


def asked(cases: list[Case], state: Path, **environment: str) -> list[dict[str, object]]:
    """What a command line of its own answers, with nothing in common with this process but the files."""
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    inherited.setdefault("PYTHONPATH", str(FOLDER.parents[1] / "app"))
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps([case.words for case in cases]),
        env={**inherited, "VITRAIL_STATE_DIR": str(state), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_plan_has_one_id_in_every_run_and_language(tmp_path: Path) -> None:
    chosen = [next(case for case in CASES if case.machine == name and not refused(case)) for name in DESCRIBED]
    chosen += [case for case in CASES if case.mode == "passthrough" and not refused(case)][:4]
    one = asked(chosen, tmp_path, LANGUAGE="de", LC_ALL="C.UTF-8", PYTHONHASHSEED="1")
    two = asked(chosen, tmp_path, LANGUAGE="fr", LC_ALL="C", PYTHONHASHSEED="2")
    assert one == two
    assert [document["plan_id"] for document in one] == [plan_of(case).plan_id for case in chosen]


def refused(case: Case) -> bool:
    return "refusal.json" in kept(case)

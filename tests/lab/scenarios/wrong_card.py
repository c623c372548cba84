# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 5: the card that must stay is refused with the right reason; of twins exactly the chosen one goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.disks import machine
from lab.machine import Machine
from lab.mailbox import Answer
from lab.user import Vm
from lab.wiring import CARD, CARD_WITH_PORTS, CIRRUS, NIC, VGA_CARD, Hardware, Slot

FIRST, SECOND = "0000:01:00.0", "0000:02:00.0"
TWINS = Hardware((Slot((CARD,)), Slot((CARD,))), builtin=CIRRUS, arguments="video=Virtual-1:d video=Virtual-2:d")
MOVED = Hardware((Slot((NIC,)), Slot((CARD,))), builtin=CIRRUS, arguments=TWINS.arguments)
ALONE = Hardware((Slot((VGA_CARD,)),))
TIED = Hardware((Slot((CARD_WITH_PORTS, NIC), bridged=True),), builtin=CIRRUS, arguments="video=Virtual-1:d")


@pytest.fixture(scope="module")
def twins() -> Iterator[tuple[Machine, Vm]]:
    """Two cards that nothing but their place tells apart, both dark; the picture is on a third."""
    with machine(TWINS, name="twins") as made:
        yield made, Vm(made, "games")


def ask(made: Machine, vm: Vm, card: str, verb: str = "plan") -> Answer:
    """What a user types for this card."""
    yes = ("--yes",) if verb == "apply" else ()
    return made.vitrail(verb, "--vm", vm.name, "--mode", "passthrough", "--gpu", card, *yes, "--json", ok=False)


def against(answer: Answer) -> set[str]:
    """What stands against it: the findings that are not passed and that block."""
    findings: list[dict[str, Any]] = answer.json["findings"]
    return {one["id"] for one in findings if one["status"] != "pass" and one["severity"] == "blocks"}


def test_ids_are_no_name_for_a_card(twins):
    answer = ask(*twins, "1234:1111")
    assert (answer.status, answer.json["error"]["id"]) == (3, "bad-address")


def test_of_twins_only_the_chosen_one_goes(twins):
    made, vm = twins
    before = vm.xml()
    assert ask(made, vm, SECOND, "apply").json["result"] == "applied"
    vm.start()
    assert made.drivers() == {"0000:00:02.0": "cirrus", FIRST: "bochs-drm", SECOND: "vfio-pci"}
    vm.shut_down()
    assert made.drivers() == {"0000:00:02.0": "cirrus", FIRST: "bochs-drm", SECOND: "bochs-drm"}
    made.vitrail("undo", "--yes", "--json")
    assert vm.xml() == before


def test_a_card_that_a_program_holds_is_refused_for_that(twins):
    made, vm = twins
    before = vm.xml()
    assert ask(made, vm, FIRST).status == 0
    made.run(
        f"exec 9<>/dev/dri/by-path/pci-{FIRST}-card; setsid sleep 1000 </dev/null &>/dev/null & echo $! >/run/holder"
    )
    shown, answer = ask(made, vm, FIRST), ask(made, vm, FIRST, "apply")
    made.run("kill $(cat /run/holder)")
    told = {one["id"]: one["title"] for one in shown.json["findings"] if one["status"] == "fail"}
    assert "sleep" in told["card.held"], (shown, answer)
    assert answer.status == 1
    assert (made.driver_of(FIRST), vm.xml()) == ("bochs-drm", before)


def test_a_card_that_another_vm_uses_is_refused_for_that(twins):
    made, vm = twins
    other = Vm(made, "other")
    assert ask(made, other, FIRST, "apply").json["result"] == "applied"
    other.start()
    answer = ask(made, vm, FIRST, "apply")
    assert answer.status == 1
    assert "card.other-vm" in against(answer)
    assert other.state() == "running"
    other.shut_down()
    made.vitrail("undo", "--yes", "--json")


def test_a_plan_for_a_card_that_was_moved_is_refused():
    with machine(TWINS, name="moved") as made:
        plan = f"vitrail plan --vm games --mode passthrough --gpu {FIRST} --json >/root/plan.json; sync"
        vm = Vm(made, "games")
        made.run(plan)
        before = vm.xml()
        made.off()
        made.hardware = MOVED
        made.power_on()
        made.wait_ready()
        vm = Vm(made, "games")
        answer = made.vitrail("apply", "/root/plan.json", "--yes", "--json", ok=False)
        assert (answer.status, answer.json["error"]["id"]) == (1, "no-such-card")
        assert vm.xml() == before


def test_the_only_card_with_a_picture_is_refused():
    with machine(ALONE, name="alone") as made:
        vm = Vm(made, "games")
        before = vm.xml()
        answer = ask(made, vm, FIRST, "apply")
        assert answer.status == 1
        assert "card.only-screen" in against(answer)
        assert (made.driver_of(FIRST), vm.xml()) == ("bochs-drm", before)


def test_a_card_that_is_tied_to_the_network_is_refused():
    with machine(TIED, name="tied") as made:
        vm = Vm(made, "games")
        before = vm.xml()
        answer = ask(made, vm, "0000:02:01.0", "apply")
        assert answer.status == 1
        assert "group.isolated" in against(answer)
        assert vm.xml() == before
        assert made.driver_of("0000:02:02.0") == "e1000"

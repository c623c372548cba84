# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 2: a real guest gets the card, gives it back when it ends, and the VM's definition comes back to the byte.

The card's only socket is dark and the host's picture is on another card, so nothing but the VM has to change.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.disks import machine
from lab.machine import Machine
from lab.user import Vm
from lab.wiring import AUDIO, CARD_WITH_PORTS, CIRRUS, VGA_CARD, Hardware, Slot

CARD = "0000:01:00.0"
DARK = "video=Virtual-1:d"
BOARDS = {
    "card-with-sound": Hardware((Slot((CARD_WITH_PORTS, AUDIO)),), builtin=CIRRUS, arguments=DARK),
    "vga-class": Hardware((Slot((VGA_CARD,)),), builtin=CIRRUS, arguments=DARK),
}


@pytest.fixture(scope="module", params=BOARDS)
def host(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Each board runs once; the tests go on from each other's end."""
    with machine(BOARDS[request.param], name=f"passthrough-{request.param}") as made:
        yield made


@pytest.fixture(scope="module")
def vm(host) -> Vm:
    """The user's VM."""
    return Vm(host, "games")


def test_the_guest_gets_the_card_and_gives_it_back(host, vm):
    wired = host.hardware.wired()[1:]
    before, drivers = vm.xml(), host.drivers()
    chosen = ("--vm", vm.name, "--mode", "passthrough", "--gpu", CARD)

    planned = host.vitrail("plan", *chosen, "--json").json
    assert [phase["writer"] for phase in planned["phases"]] == ["vm"], planned
    assert vm.xml() == before

    applied = host.vitrail("apply", *chosen, "--yes", "--json").json
    assert (applied["plan_id"], applied["result"]) == (planned["plan_id"], "applied")

    inside = vm.start()
    assert {f"{one.part.vendor_id}:{one.part.device_id} {one.part.pci_class}" for one in wired} <= inside
    assert {host.driver_of(one.address) for one in wired} == {"vfio-pci"}
    gpu = next(gpu for gpu in host.vitrail("scan", "--json").json["gpus"] if gpu["address"] == CARD)
    assert [(user["kind"], user["name"]) for user in gpu["used_by"]] == [("vm", vm.name)]
    verified = host.vitrail("verify", applied["plan_id"], "--json").json
    assert {outcome["result"] for outcome in verified["outcomes"]} == {"kept"}, verified

    vm.shut_down()
    assert host.drivers() == drivers

    undone = host.vitrail("undo", applied["plan_id"], "--yes", "--json").json
    assert undone["result"] == "taken_back"
    assert vm.xml() == before
    assert host.vitrail("history", "--json").json["plans"][0]["state"] == "taken_back"

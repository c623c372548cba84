# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 3: the whole way of a first user, from a card that this computer lights to a guest that has it, and back.

With GRUB the IOMMU is off at first. Trial, a real restart, green proof, Keep, a restart, the guest; then take back, a
restart, and every file as before.
"""

from __future__ import annotations

import pytest

from lab.boards import CHOSEN, FIRST_USE, GIVEN, INSIDE
from lab.disks import machine
from lab.files import authored, changed
from lab.machine import Machine
from lab.user import Vm

BUILD_LIMIT_S = 1800.0
"""Images of the start are built under emulation."""


@pytest.mark.parametrize("disk", ["iommu-off", "systemd-boot", "dracut"])
def test_trial_keep_guest_and_all_the_way_back(disk):
    with machine(FIRST_USE, disk=disk, name=f"first-time-{disk}") as made:
        vm = Vm(made, "games")
        xml, files, drivers, words = vm.xml(), authored(made), made.drivers(), made.cmdline()
        assert _iommu_works(made) is (disk != "iommu-off")

        plan = _apply_for_trial(made, vm)
        assert vm.xml() == xml, "while a trial is on, the VM is as it was"
        assert made.drivers() == drivers, "before the restart nothing has changed"

        made.restart()
        assert f"vitrail.plan={plan}" in made.cmdline().split()
        assert made.drivers() == GIVEN
        assert _iommu_works(made)
        assert made.vitrail("status", "--json", ok=False).status == 1
        assert _proof(made, plan) == {"kept"}
        made.vitrail("keep", plan, "--without-screen", "--json", limit_s=BUILD_LIMIT_S)
        assert made.vitrail("status", "--json").json["awaiting"] == []

        made.restart()
        assert made.drivers() == GIVEN
        assert _proof(made, plan) == {"kept"}
        inside = vm.start()
        assert inside >= INSIDE
        vm.shut_down()
        assert made.drivers() == GIVEN, "the card is kept for VMs when its guest has ended"

        undone = made.vitrail("undo", plan, "--yes", "--json", limit_s=BUILD_LIMIT_S).json
        assert undone["result"] == "taken_back", undone
        made.restart()
        assert made.cmdline() == words
        assert made.drivers() == drivers
        assert vm.xml() == xml
        assert changed(files, authored(made)) == {}
        assert _proof(made, plan) == {"kept"}


def _apply_for_trial(made: Machine, vm: Vm) -> str:
    chosen = ("--vm", vm.name, "--mode", "passthrough", "--gpu", CHOSEN)
    planned = made.vitrail("plan", *chosen, "--json").json
    assert planned["needs_reboot"] is True
    assert [phase["writer"] for phase in planned["phases"] if phase["writer"] != "user"] == ["host", "host", "vm"]
    applied = made.vitrail("apply", *chosen, "--yes", "--json", limit_s=BUILD_LIMIT_S).json
    assert (applied["plan_id"], applied["result"]) == (planned["plan_id"], "awaiting_keep"), applied
    return str(applied["plan_id"])


def _iommu_works(made: Machine) -> bool:
    active = made.vitrail("scan", "--json", ok=False).json["host"]["iommu"]["active"]
    assert isinstance(active, bool), active
    return active


def _proof(made: Machine, plan: str) -> set[str]:
    return {outcome["result"] for outcome in made.vitrail("verify", plan, "--json").json["outcomes"]}

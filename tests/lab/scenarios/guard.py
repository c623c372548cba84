# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 4: whatever becomes of a trial, the next start is the old system; after Keep it is the new one.

The moments of the power cuts are drawn with a fixed seed, so that a failure can be run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.disks import machine
from lab.files import authored
from lab.machine import Machine
from lab.user import Vm
from lab.wiring import AUDIO, CARD, CARD_WITH_PORTS, VGA_CARD, Hardware, Slot

BOARD = Hardware((Slot((CARD_WITH_PORTS, AUDIO)), Slot((CARD,))), builtin=VGA_CARD)
CHOSEN = "0000:01:00.0"
GIVEN = {
    "0000:01:00.0": "vfio-pci",
    "0000:01:00.1": "vfio-pci",
    "0000:02:00.0": "bochs-drm",
    "0000:00:02.0": "bochs-drm",
}
WORK_LIMIT_S = 1800.0
GUARD_LIMIT_S = 900.0
CUTS = random.Random(4)


@dataclass(frozen=True, slots=True)
class Before:
    """A machine that has not met Vitrail, and how it was then."""

    made: Machine
    vm: Vm
    words: str
    drivers: dict[str, str | None]
    files: dict[str, str]
    xml: str

    def apply(self) -> str:
        """Apply as far as the restart; the plan's name."""
        return str(self.made.vitrail(*self.apply_words(), limit_s=WORK_LIMIT_S).json["plan_id"])

    def apply_words(self) -> tuple[str, ...]:
        """What the user types."""
        return ("apply", "--vm", self.vm.name, "--mode", "passthrough", "--gpu", CHOSEN, "--yes", "--json")

    def is_old(self) -> bool:
        """Whether this start is the old system."""
        return (self.made.cmdline(), self.made.drivers()) == (self.words, self.drivers)

    def is_new(self) -> bool:
        """Whether this start is the new one, all of it."""
        return "vitrail.plan=" in self.made.cmdline() and self.made.drivers() == GIVEN

    def must_end_as_it_began(self) -> None:
        """Take back whatever is left, restart, and find every file as it was."""
        self.made.vitrail("undo", "--all", "--yes", "--json", limit_s=WORK_LIMIT_S)
        self.made.restart()
        assert self.is_old()
        assert self.vm.xml() == self.xml
        assert authored(self.made) == self.files


@pytest.fixture
def before() -> Iterator[Before]:
    """A fresh disk for each test."""
    with machine(BOARD, disk="grub", name="guard") as made:
        vm = Vm(made, "games")
        yield Before(made, vm, made.cmdline(), made.drivers(), authored(made), vm.xml())


def test_nobody_keeps_and_a_vm_that_starts_by_itself_does_not_get_the_card(before):
    before.made.run(("virsh", "autostart", before.vm.name))
    before = Before(before.made, before.vm, before.words, before.drivers, authored(before.made), before.xml)
    before.apply()
    before.made.restart()
    assert before.is_new()
    assert before.vm.xml() == before.xml
    before.made.wait_off(GUARD_LIMIT_S)
    before.made.power_on()
    before.made.wait_ready()
    assert before.is_old()
    assert authored(before.made) == before.files
    assert before.made.vitrail("status", "--json").json["awaiting"] == []


@pytest.mark.parametrize(("how", "resets_itself"), [("panic", True), ("root", True), ("sleep", False)])
def test_a_trial_that_never_comes_up_is_followed_by_the_old_system(before, how, resets_itself):
    before.apply()
    before.made.run(f"bash /mnt/lab/guest/sabotage {how}")
    before.made.begin_restart()
    if resets_itself:
        before.made.wait_ready(resets=1)
        assert before.made.starts == 3
    else:
        before.made.wait_console("LAB: the trial is made to sleep")
        before.made.power_cut()
        before.made.power_on()
        before.made.wait_ready()
    assert before.is_old()
    before.must_end_as_it_began()


def test_the_power_goes_while_the_trial_starts(before):
    before.apply()
    before.made.begin_restart()
    before.made.wait_console("Vitrail: trial of plan")
    time.sleep(CUTS.uniform(1, 15))
    before.made.power_cut()
    before.made.power_on()
    before.made.wait_ready()
    assert before.is_old()
    before.must_end_as_it_began()


@pytest.mark.parametrize("after_s", [round(CUTS.uniform(4, 60), 1) for _ in range(4)])
def test_the_power_goes_during_apply(before, after_s):
    before.made.begin(("vitrail", *before.apply_words()))
    _cut(before.made, after_s)
    # A cut behind the last step leaves the trial chosen for the next start: then it is the trial, all of it.
    assert before.is_old() or before.is_new()
    before.must_end_as_it_began()


@pytest.mark.parametrize("after_s", [round(CUTS.uniform(4, 120), 1) for _ in range(3)])
def test_the_power_goes_during_keep(before, after_s):
    plan = before.apply()
    before.made.restart()
    before.made.begin(("vitrail", "keep", plan, "--without-screen", "--json"))
    _cut(before.made, after_s)
    assert before.is_old() or before.is_new()
    before.must_end_as_it_began()


@pytest.mark.parametrize("after_s", [round(CUTS.uniform(4, 120), 1) for _ in range(3)])
def test_the_power_goes_during_undo(before, after_s):
    plan = before.apply()
    before.made.restart()
    before.made.vitrail("keep", plan, "--without-screen", "--json", limit_s=WORK_LIMIT_S)
    before.made.restart()
    before.made.begin(("vitrail", "undo", plan, "--yes", "--json"))
    _cut(before.made, after_s)
    assert before.is_old() or before.is_new()
    before.must_end_as_it_began()


def _cut(made: Machine, after_s: float) -> None:
    time.sleep(after_s)
    made.power_cut()
    made.power_on()
    made.wait_ready()

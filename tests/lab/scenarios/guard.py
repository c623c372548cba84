# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 4: whatever becomes of a trial, the next start is the old system; after Keep it is the new one.

What many tests begin with is done once: a machine with a VM, that machine with the trial chosen for its next start, and
that one kept. The power goes at moments spread over the time that the work was measured to take; they are drawn with a
fixed seed, so that a failure can be run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from lab.disks import machine
from lab.files import authored
from lab.image import Start
from lab.machine import Machine
from lab.user import Vm, start_libvirt
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
VM = "games"
APPLY = ("apply", "--vm", VM, "--mode", "passthrough", "--gpu", CHOSEN, "--yes", "--json")


@dataclass(frozen=True, slots=True)
class Facts:
    """A machine that has not met Vitrail: the kernel's words, every card's driver, the VM, every file."""

    words: str
    drivers: dict[str, str | None]
    xml: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """A disk to begin from: how that machine was before Vitrail came, the plan, and what the last step took."""

    start: Start
    facts: Facts
    plan: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A machine that began from a stage."""

    made: Machine
    stage: Stage

    def apply(self) -> str:
        """Apply as far as the restart; the plan's name."""
        return str(self.made.vitrail(*APPLY, limit_s=WORK_LIMIT_S).json["plan_id"])

    def is_old(self) -> bool:
        """Whether this start is the old system."""
        return (self.made.cmdline(), self.made.drivers()) == (self.stage.facts.words, self.stage.facts.drivers)

    def is_new(self) -> bool:
        """Whether this start is the new one, all of it."""
        return "vitrail.plan=" in self.made.cmdline() and self.made.drivers() == GIVEN

    def cut_during(self, *words: str, share: float, usually_s: float) -> None:
        """Begin Vitrail's work, cut the power when this share of its usual time is over, and start again."""
        self.made.begin(("vitrail", *words))
        time.sleep(share * usually_s)
        self.cut()

    def cut(self) -> None:
        """Cut the power and start again."""
        self.made.power_cut()
        self.made.power_on()
        self.made.wait_ready()

    def must_end_as_it_began(self, *how: str) -> None:
        """Take back whatever is left, restart, and find every file as it was."""
        start_libvirt(self.made)
        self.made.vitrail("undo", "--all", "--yes", "--json", *how, limit_s=WORK_LIMIT_S)
        self.made.restart()
        assert self.is_old()
        start_libvirt(self.made)
        assert vm_of(self.made) == self.stage.facts.xml
        assert authored(self.made) == self.stage.facts.files


@pytest.fixture(scope="module")
def untouched() -> Iterator[Stage]:
    """Debian with GRUB and a VM of the user."""
    with machine(BOARD, "grub", name="guard-untouched") as made:
        facts = Facts(made.cmdline(), made.drivers(), Vm(made, VM).xml(), authored(made))
        made.shut_down()
        yield Stage(made.as_start(), facts)


@pytest.fixture(scope="module")
def applied(untouched) -> Iterator[Stage]:
    """The next start is the trial."""
    with begun(untouched, "guard-applied") as one:
        start_libvirt(one.made)
        answer = one.made.vitrail(*APPLY, limit_s=WORK_LIMIT_S)
        one.made.shut_down()
        yield Stage(one.made.as_start(), untouched.facts, str(answer.json["plan_id"]), answer.seconds)


@pytest.fixture(scope="module")
def kept(applied) -> Iterator[Stage]:
    """Every start is the new one."""
    with begun(applied, "guard-kept") as one:
        assert one.is_new()
        answer = one.made.vitrail("keep", applied.plan, "--without-screen", "--json", limit_s=WORK_LIMIT_S)
        one.made.shut_down()
        yield Stage(one.made.as_start(), applied.facts, applied.plan, answer.seconds)


@contextmanager
def begun(stage: Stage, name: str, *, on: bool = True) -> Iterator[Begun]:
    """A machine of one test, from the stage's disk."""
    with machine(BOARD, stage.start, name=name, on=on) as made:
        yield Begun(made, stage)


def shares(count: int) -> list[float]:
    """One moment in each part of the work, so that no part goes unseen."""
    return [round((part + CUTS.random()) / count, 2) for part in range(count)]


def vm_of(made: Machine) -> str:
    """The VM's definition."""
    return made.run(("virsh", "dumpxml", "--inactive", VM)).output


def test_nobody_keeps_and_a_vm_that_starts_by_itself_does_not_get_the_card(untouched):
    with begun(untouched, "guard-nobody") as one:
        start_libvirt(one.made)
        one.made.run(("virsh", "autostart", VM))
        files = authored(one.made)
        one.apply()
        one.made.restart()
        assert one.is_new()
        start_libvirt(one.made)
        assert vm_of(one.made) == untouched.facts.xml
        one.made.wait_off(GUARD_LIMIT_S)
        one.made.power_on()
        one.made.wait_ready()
        assert one.is_old()
        assert authored(one.made) == files
        assert one.made.vitrail("status", "--json").json["awaiting"] == []


@pytest.mark.parametrize(("how", "resets_itself"), [("panic", True), ("root", True), ("sleep", False)])
def test_a_trial_that_never_comes_up_is_followed_by_the_old_system(untouched, how, resets_itself):
    with begun(untouched, f"guard-{how}") as one:
        start_libvirt(one.made)
        one.apply()
        one.made.run(f"bash /mnt/lab/guest/sabotage {how}")
        one.made.begin_restart()
        if resets_itself:
            one.made.wait_ready(resets=1)
            assert one.made.starts == 3
        else:
            one.made.wait_console("LAB: the trial is made to sleep")
            one.cut()
        assert one.is_old()
        # The wrong root is an edit of somebody else's: without --force it would stay, and undo would say so.
        one.must_end_as_it_began(*(("--force",) if how == "root" else ()))


@pytest.mark.parametrize("after_s", [round(CUTS.uniform(0, 20), 1) for _ in range(2)])
def test_the_power_goes_while_the_trial_starts(applied, after_s):
    with begun(applied, "guard-starting", on=False) as one:
        one.made.power_on()
        one.made.wait_console("Vitrail: trial of plan")
        time.sleep(after_s)
        one.cut()
        assert one.is_old()
        one.must_end_as_it_began()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_apply(untouched, applied, share):
    with begun(untouched, "guard-apply-cut") as one:
        start_libvirt(one.made)
        one.cut_during(*APPLY, share=share, usually_s=applied.seconds)
        # A cut behind the last step leaves the trial chosen for the next start: then it is the trial, all of it.
        assert one.is_old() or one.is_new()
        one.must_end_as_it_began()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_keep(applied, kept, share):
    with begun(applied, "guard-keep-cut") as one:
        words = ("keep", applied.plan, "--without-screen", "--json")
        one.cut_during(*words, share=share, usually_s=kept.seconds)
        assert one.is_old() or one.is_new()
        one.must_end_as_it_began()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_undo(kept, share):
    with begun(kept, "guard-undo-cut") as one:
        start_libvirt(one.made)
        # The same images are built again: undo takes about as long as keep did.
        one.cut_during("undo", kept.plan, "--yes", "--json", share=share, usually_s=kept.seconds)
        assert one.is_old() or one.is_new()
        one.must_end_as_it_began()

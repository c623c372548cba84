# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 4: whatever becomes of a trial, the next start is the old system; after Keep it is the new one.

What many tests begin with is done once: a machine with a VM, that machine with the trial chosen for its next start, and
that one kept. The power goes at moments spread over the time that the work was measured to take; they are drawn with a
fixed seed (`VITRAIL_LAB_SEED`), so that a failure can be run again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from lab.boards import CHOSEN, FIRST_USE, GIVEN
from lab.disks import machine
from lab.files import authored, changed
from lab.image import Start
from lab.machine import RESET, Machine
from lab.monitor import WRITES_OUT_AFTER_S
from lab.user import Vm, start_libvirt
from lab.wiring import AUDIO, CARD_WITH_PORTS, NIC, VGA_CARD, Hardware, Slot

WORK_LIMIT_S = 1800.0
GUARD_LIMIT_S = 900.0
SEED = int(os.environ.get("VITRAIL_LAB_SEED", "4"))
CUTS = random.Random(SEED)
SIGNS = {
    "panic": "LAB: the trial is made to panic",
    "sleep": "LAB: the trial is made to sleep",
    "root": "does not exist.  Dropping to a shell!",
}
"""What the console of a trial shows that fails in this way."""
GUARD = "systemd.wants=vitrail-guard.service"
"""On the kernel's line of a trial, and of no other start."""
TRADED = Hardware((Slot((NIC,)), Slot((CARD_WITH_PORTS, AUDIO))), builtin=VGA_CARD)
"""FIRST_USE after somebody moved the card: a network card stands at its address."""
VM = "games"
APPLY = ("apply", "--vm", VM, "--mode", "passthrough", "--gpu", CHOSEN, "--yes", "--json")


UNDER_WAY: list[bool] = []
"""For every cut of this run whether it met work that had not ended."""


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
    given_xml: str = ""
    """The VM with the card, once it has it."""


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

    def is_trial(self) -> bool:
        """Whether this start is the trial, all of it."""
        return self._is_new() and GUARD in self.made.cmdline().split()

    def is_kept(self) -> bool:
        """Whether this start is the lasting new system, all of it."""
        return self._is_new() and GUARD not in self.made.cmdline().split()

    def _is_new(self) -> bool:
        named = any(word.startswith("vitrail.plan=") for word in self.made.cmdline().split())
        return named and self.made.drivers() == GIVEN

    def vm_fits_this_start(self, given_xml: str) -> bool:
        """On the old system the VM is as it was; with the card reserved it may have it already."""
        start_libvirt(self.made)
        return vm_of(self.made) in ({self.stage.facts.xml} if self.is_old() else {self.stage.facts.xml, given_xml})

    def cut_during(self, *words: str, share: float, usually_s: float) -> None:
        """Begin Vitrail's work, cut the power when this share of its usual time is over, and start again."""
        work = self.made.begin(("vitrail", *words))
        time.sleep(share * usually_s)
        status = self.made.ended(work)
        assert status in {None, 0}, f"it had failed before the cut, with {status}"
        UNDER_WAY.append(status is None)
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
        assert changed(self.stage.facts.files, authored(self.made)) == {}


@pytest.fixture(scope="module")
def untouched() -> Iterator[Stage]:
    """Debian with GRUB and a VM of the user."""
    with prepared_on("grub", "guard-untouched") as stage:
        yield stage


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
        assert one.is_trial()
        answer = one.made.vitrail(*keep_words(applied), limit_s=WORK_LIMIT_S)
        start_libvirt(one.made)
        xml = vm_of(one.made)
        one.made.shut_down()
        yield Stage(one.made.as_start(), applied.facts, applied.plan, answer.seconds, xml)


@contextmanager
def prepared_on(disk: str, name: str) -> Iterator[Stage]:
    """A machine that starts from this disk, with a VM of the user."""
    with machine(FIRST_USE, disk, name=name) as made:
        facts = Facts(made.cmdline(), made.drivers(), Vm(made, VM).xml(), authored(made))
        made.shut_down()
        yield Stage(made.as_start(), facts)


@contextmanager
def begun(stage: Stage, name: str, *, on: bool = True) -> Iterator[Begun]:
    """A machine of one test, from the stage's disk."""
    with machine(FIRST_USE, stage.start, name=name, on=on) as made:
        yield Begun(made, stage)


def keep_words(stage: Stage) -> tuple[str, ...]:
    """What the user types in the trial."""
    return ("keep", stage.plan, "--without-screen", "--json")


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
        assert one.is_trial()
        start_libvirt(one.made)
        assert vm_of(one.made) == untouched.facts.xml
        assert one.made.run(("virsh", "domstate", VM)).output.strip() == "running", "it has started by itself"
        one.made.wait_off(GUARD_LIMIT_S, RESET)
        one.made.power_on()
        one.made.wait_ready()
        assert one.is_old()
        assert changed(files, authored(one.made)) == {}
        assert one.made.vitrail("status", "--json").json["awaiting"] == []


@pytest.mark.parametrize("how", ["panic", "root", "sleep"])
def test_a_trial_that_never_comes_up_is_followed_by_the_old_system(untouched, how):
    with begun(untouched, f"guard-{how}") as one:
        start_libvirt(one.made)
        one.apply()
        one.made.run(f"bash /mnt/lab/guest/sabotage {how}")
        one.made.begin_restart()
        one.made.wait_console(SIGNS[how])
        if how == "sleep":
            one.cut()
        else:
            one.made.wait_ready(resets=1)
            assert one.made.starts == 3
        assert one.is_old()
        # The wrong root is an edit of somebody else's: without --force it would stay, and undo would say so.
        one.must_end_as_it_began(*(("--force",) if how == "root" else ()))


@pytest.mark.parametrize("disk", ["systemd-boot", "dracut"])
def test_other_starts_too_are_tried_once_only(disk):
    with prepared_on(disk, f"guard-{disk}-untouched") as stage, begun(stage, f"guard-{disk}") as one:
        start_libvirt(one.made)
        one.apply()
        one.made.restart()
        assert one.is_trial()
        one.cut()
        assert one.is_old()
        one.must_end_as_it_began()


@pytest.mark.parametrize("after_s", [round((part + CUTS.random()) * 12, 1) for part in range(3)])
def test_the_power_goes_while_the_trial_starts(applied, after_s):
    with begun(applied, "guard-starting", on=False) as one:
        one.made.power_on()
        one.made.wait_console("Vitrail: trial of plan")
        # What the menu wrote is on the drive a moment later.
        time.sleep(2 * WRITES_OUT_AFTER_S + after_s)
        one.cut()
        assert one.is_old()
        one.must_end_as_it_began()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_apply(untouched, applied, share):
    with begun(untouched, "guard-apply-cut") as one:
        start_libvirt(one.made)
        one.cut_during(*APPLY, share=share, usually_s=applied.seconds)
        # A cut behind the last step leaves the trial chosen for the next start: then it is the trial, and only once.
        if one.is_trial():
            one.cut()
        assert one.is_old()
        assert one.vm_fits_this_start("")
        one.must_end_as_it_began()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_keep(applied, kept, share):
    with begun(applied, "guard-keep-cut") as one:
        assert one.is_trial()
        one.cut_during(*keep_words(applied), share=share, usually_s=kept.seconds)
        assert one.is_old() or one.is_kept()
        assert one.vm_fits_this_start(kept.given_xml)
        one.must_end_as_it_began()


def test_the_power_goes_as_soon_as_keep_has_ended(applied):
    with begun(applied, "guard-kept-cut") as one:
        one.made.vitrail(*keep_words(applied), limit_s=WORK_LIMIT_S)
        one.cut()
        assert one.is_kept()
        one.made.restart()
        assert one.is_kept()


@pytest.mark.parametrize("share", shares(4))
def test_the_power_goes_during_undo(kept, share):
    with begun(kept, "guard-undo-cut") as one:
        assert one.is_kept()
        start_libvirt(one.made)
        # The same images are built again: undo takes about as long as keep did.
        one.cut_during("undo", kept.plan, "--yes", "--json", share=share, usually_s=kept.seconds)
        assert one.is_old() or one.is_kept()
        assert one.vm_fits_this_start(kept.given_xml)
        one.must_end_as_it_began()


def test_most_of_these_cuts_met_work_under_way():
    assert sum(UNDER_WAY) >= len(UNDER_WAY) / 2 > 0, UNDER_WAY


def test_a_device_that_came_to_the_card_s_address_is_left_alone(kept):
    with machine(TRADED, kept.start, name="guard-traded") as made:
        assert made.driver_of(CHOSEN) == "e1000"
        assert "vfio-pci" not in made.drivers().values()
        start_libvirt(made)
        proof = made.vitrail("verify", kept.plan, "--json", ok=False).json
        assert "broken" in {outcome["result"] for outcome in proof["outcomes"]}, proof

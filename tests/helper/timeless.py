# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's surroundings with a clock that a test drives: waiting is where time passes and the world changes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from helper.bench import NEXT_BOOT_ID, PLAN_ID, STACKS, apply_line, ask, plan_of, program
from vitrail.helper.guard_clock import boottime
from vitrail.helper.guard_hands import Hands
from vitrail.helper.state import State
from vitrail.helper.tree import Tree
from vitrail.model.host_step import Fixed, FixedFile, HostChange, HostPlan, Template
from vitrail.model.trial import StoreGuard

GUARD_STEPS = (FixedFile(Fixed.GUARD_UNIT), FixedFile(Fixed.GUARD_AT_START), FixedFile(Fixed.GUARD_IN_EMERGENCY))
THIRD_BOOT_ID = "aaaaaaaa-2222-3333-4444-555555555555"
SYSTEMCTL = 'case "$1" in show) while read -r line; do echo "$line"; done < /targets ;; esac\n'


class Gone(Exception):
    """The restart ended the guard, as a real one does."""


class Timeless(Hands):
    """Hands on a folder; a minute of waiting takes no time."""

    def __init__(self, root: Path, *, orderly: bool = True) -> None:
        super().__init__(tree_of(root))
        self.began = boottime() + 1000.0
        self.now = self.began
        self.up_at: float | None = None
        self.orderly = orderly
        self.said: list[str] = []
        self.restarts: list[float] = []
        self.events: list[tuple[float, Callable[[], object]]] = []

    @property
    def passed(self) -> float:
        return self.now - self.began

    def at(self, seconds: float, event: Callable[[], object]) -> None:
        """Something that happens meanwhile."""
        self.events.append((self.began + seconds, event))

    def boottime(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        due = [event for when, event in self.events if when <= self.now]
        self.events = [(when, event) for when, event in self.events if when > self.now]
        for event in due:
            event()

    def tell(self, words: str) -> None:
        self.said.append(words)

    def is_up(self) -> bool:
        return self.up_at is not None and self.passed >= self.up_at

    def restart(self) -> None:
        self.restarts.append(self.passed)
        if self.orderly:
            raise Gone
        super().restart()


def guarded_plan(root: Path, *changes: Template | HostChange, plan_id: str = PLAN_ID) -> HostPlan:
    """A plan that the guard looks after."""
    plan = plan_of(root, *(changes or (*GUARD_STEPS, *STACKS["grub"])), plan_id=plan_id)
    return replace(plan, steps=(StoreGuard(), *plan.steps), guarded=True)


def applied(root: Path, plan: HostPlan) -> HostPlan:
    """Carry it out as the bus door does."""
    (answer,) = ask(root, apply_line(plan))
    assert answer["ok"], answer
    return plan


def start(root: Path, boot_id: str = NEXT_BOOT_ID, line: str = f"root=/dev/vda1 vitrail.plan={PLAN_ID}") -> None:
    """The next boot of this machine, with nothing of the former one's in /run."""
    (root / "proc/sys/kernel/random/boot_id").write_text(f"{boot_id}\n")
    (root / "proc/cmdline").write_text(f"{line}\n")
    clock = root / "run/vitrail/guard.json"
    clock.unlink(missing_ok=True)


def dress(root: Path) -> None:
    """What a machine has that its guard looks at: the kernel's ring, outputs, a driver, and systemd."""
    program(root, "usr/bin/systemctl", SYSTEMCTL)
    program(root, "usr/bin/mount", ":\n")
    (root / "targets").write_text("Id=graphical.target\nActiveState=inactive\nJob=\n")
    (root / "proc/cmdline").write_text("root=/dev/vda1\n")
    (root / "proc/sys/kernel/osrelease").write_text("6.1.0\n")
    (root / "dev/kmsg").write_text(
        "6,1,1000,-;Command line: root=/dev/vda1 vitrail.plan=x\n"
        "6,2,1500,-;usb 1-1: new device\n"
        "3,3,2000000,-;snd: an error\n SUBSYSTEM=pci\n"
        "5,4,2500000,-;vitrail: 0000:01:00.0 is reserved\n"
        "6,5,2600000,c;vfio-pci 0000:01:00.0: vgaarb: \x1b[31mchanged\n"
    )
    connector = root / "sys/class/drm/card0-DP-1"
    connector.mkdir(parents=True)
    (connector / "status").write_text("connected\n")
    driver = root / "sys/bus/pci/drivers/vfio-pci"
    driver.mkdir(parents=True)
    (root / "sys/devices/pci0000:00/0000:01:00.0/driver").symlink_to("/sys/bus/pci/drivers/vfio-pci")


def tree_of(root: Path) -> Tree:
    """The tree of a folder; its descriptor goes with it, because a test process makes hundreds."""
    tree = Tree(str(root))
    weakref.finalize(tree, os.close, tree.descriptor)
    return tree


def state_of(root: Path) -> State:
    """What the helper remembers below this folder."""
    return State(tree_of(root))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The rescue sheet: what to do when the screen stays dark, on paper or on a telephone, where no Vitrail runs.

Plain sentences in the order in which they are tried, the mildest first; every command is whole and works from a text
console with Python alone.
"""

from __future__ import annotations

import shlex

from vitrail.model.boot import BootStack
from vitrail.model.host_place import GUARD_CORE, subject_of_change
from vitrail.model.host_step import WriteFile
from vitrail.model.kernel_argument import OFF
from vitrail.model.machine import Host
from vitrail.model.plan import GuardStrength, Plan, Writer
from vitrail.model.reading import known_or
from vitrail.model.step import HostStep
from vitrail.model.text import Text, text

_MENU_KEYS = {
    BootStack.GRUB: "grub",
    BootStack.GRUB_BLS: "grub",
    BootStack.PROXMOX: "grub",
    BootStack.RPM_OSTREE: "grub",
    BootStack.LIMINE: "limine",
    BootStack.REFIND: "refind",
}
"""How the menu is brought up and a line is edited; every other stack starts through systemd-boot."""


def rescue_lines(plan: Plan, host: Host) -> tuple[Text, ...]:
    """The steps, each a sentence or two; () where nothing of the plan acts at a restart."""
    guard = plan.guard
    if guard is None:
        return ()
    menu = _MENU_KEYS.get(known_or(host.boot.stack, BootStack.SYSTEMD_BOOT) or BootStack.SYSTEMD_BOOT, "systemd-boot")
    lines = [text("plan.rescue.wait"), text(f"plan.rescue.power.{guard.strength.value}")]
    lines.append(text(f"plan.rescue.menu.{menu}", word=OFF))
    lines.append(text("plan.rescue.console", command=undo_command(plan.plan_id)))
    if guard.strength is not GuardStrength.AUTOMATIC and written_paths(plan):
        lines.append(text("plan.rescue.files", paths=", ".join(written_paths(plan))))
    return tuple(lines)


def undo_command(plan_id: str) -> str:
    """What root types on a text console; the guard's own copy is there for as long as the plan awaits Keep."""
    return shlex.join(["sudo", "/usr/bin/python3", "-I", "-S", f"/{GUARD_CORE}", "--undo", "--plan", plan_id])


def written_paths(plan: Plan) -> tuple[str, ...]:
    """The files that acting at the restart rests on, for who has to remove them by hand."""
    steps = [step for phase in plan.phases if phase.writer is Writer.HOST for step in phase.steps]
    changes = [step.change for step in steps if isinstance(step, HostStep)]
    return tuple(subject_of_change(change) for change in changes if isinstance(change, WriteFile))

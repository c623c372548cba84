# SPDX-License-Identifier: GPL-3.0-or-later
"""The plainest screen that this machine type has: vga, else bochs, else ramfb."""

from __future__ import annotations

from vitrail.model.choice import Basic
from vitrail.model.errors import Refused
from vitrail.model.reading import Known
from vitrail.model.text import text
from vitrail.plan.cards import leaving
from vitrail.plan.draft import Draft, Ground
from vitrail.plan.leftovers import without_leftovers
from vitrail.plan.screens import seen_by
from vitrail.plan.video import one_video

_PLAIN = ("vga", "bochs", "ramfb")
# Where QEMU's VGA is not built or has no legacy window to live in; used only when no daemon was asked.
_WITHOUT_VGA = ("aarch64", "armv7l", "riscv32", "riscv64", "loongarch64")


def draft_basic(ground: Ground, choice: Basic) -> Draft:
    """One plain display, seen as the VM is seen now unless the choice says otherwise; no card."""
    draft = leaving(ground) + without_leftovers(ground) + seen_by(ground, choice.screen)
    return draft + one_video(ground, plainest(ground))


def plainest(ground: Ground) -> str:
    """The first plain model that this VM's machine type has. Raises Refused where the daemon names none."""
    if isinstance(ground.capabilities, Known) and isinstance(ground.capabilities.value.video_models, Known):
        offered = ground.capabilities.value.video_models.value
        for model in _PLAIN:
            if model in offered:
                return model
        raise Refused(text("plan.no-plain-screen", machine=ground.vm.machine or "-"), text("plan.no-plain-screen.next"))
    return "ramfb" if ground.vm.arch in _WITHOUT_VGA else "vga"

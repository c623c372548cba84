# SPDX-License-Identifier: GPL-3.0-or-later
"""SPICE's own screen."""

from __future__ import annotations

from vitrail.model.choice import Qxl
from vitrail.plan.cards import leaving
from vitrail.plan.draft import Draft, Ground
from vitrail.plan.leftovers import without_leftovers
from vitrail.plan.screens import seen_by
from vitrail.plan.video import one_video

# KiB. Enough for one 4K screen; QEMU wants vgamem to be a power of two.
_SIZES = (("ram", "65536"), ("vram", "65536"), ("vgamem", "16384"))


def draft_qxl(ground: Ground, choice: Qxl) -> Draft:
    """One QXL display, seen as the VM is seen now unless the choice says otherwise; no card."""
    draft = leaving(ground) + without_leftovers(ground) + seen_by(ground, choice.screen)
    return draft + one_video(ground, "qxl", sizes=_SIZES)

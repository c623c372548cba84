# SPDX-License-Identifier: GPL-3.0-or-later
"""The paravirtual screen, without 3D."""

from __future__ import annotations

from vitrail.model.choice import Virtio
from vitrail.plan.cards import leaving
from vitrail.plan.draft import Draft, Ground
from vitrail.plan.leftovers import without_leftovers
from vitrail.plan.screens import seen_by
from vitrail.plan.video import one_video


def draft_virtio(ground: Ground, choice: Virtio) -> Draft:
    """One virtio display, seen as the VM is seen now unless the choice says otherwise; no card."""
    return leaving(ground) + without_leftovers(ground) + seen_by(ground, choice.screen) + one_video(ground, "virtio")

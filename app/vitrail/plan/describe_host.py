# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change to this computer does and how it is taken back, each in one sentence."""

from __future__ import annotations

from vitrail.model.host_place import kind_of_change, subject_of_change
from vitrail.model.host_step import HostChange
from vitrail.model.text import Text, text


def summary_of_change(change: HostChange) -> Text:
    """What the step does."""
    return text(f"plan.step.{kind_of_change(change)}", subject=subject_of_change(change))


def undo_of_change(change: HostChange) -> Text:
    """How the step is taken back."""
    return text(f"plan.undo.{kind_of_change(change)}", subject=subject_of_change(change))

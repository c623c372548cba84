# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the place that the user named with every verb on it."""

from __future__ import annotations

from pathlib import Path

from vitrail.service.place import find_place
from vitrail.service.workplace import Workplace


def open_place(machine: str | None, connect: str | None, *, state_folder: Path | None = None) -> Workplace:
    """The workplace for `--machine` or `--connect`; without either, this computer and its system libvirt.

    `state_folder`: where its changes are kept instead of the user's own, for whoever only shows how they would look.
    Opens no connection yet. Raises Unreadable for a recording or URI that is not one.
    """
    return Workplace(find_place(machine, connect, state_folder=state_folder))

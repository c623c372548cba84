# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the place that the user named with every verb on it."""

from __future__ import annotations

from vitrail.service.place import find_place
from vitrail.service.workplace import Workplace


def open_place(machine: str | None, connect: str | None) -> Workplace:
    """The workplace for `--machine` or `--connect`; without either, this computer and its system libvirt.

    Opens no connection yet. Raises Unreadable for a recording or URI that is not one.
    """
    return Workplace(find_place(machine, connect))

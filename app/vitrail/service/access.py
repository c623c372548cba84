# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks at a place. Apart from the verbs, because it is the place's kind that decides whether anybody does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vitrail.model.machine import MachineKind
from vitrail.probe.access import read_access
from vitrail.service.uri import is_session

if TYPE_CHECKING:
    from vitrail.model.access import Access
    from vitrail.service.place import Place


def access_at(place: Place) -> Access | None:
    """Who asks and what confines VMs; None for a computer of which only its libvirt is reached."""
    if place.kind in (MachineKind.REMOTE, MachineKind.LISTING):
        return None
    real = place.kind is MachineKind.REAL
    uid = os.getuid() if real else None
    return read_access(place.root_now, session=real and is_session(place.connection), uid=uid)

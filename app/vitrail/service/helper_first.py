# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a plan needs a root helper that is not here yet, or another one: then it is shown and installed first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vitrail.model.errors import Unreachable
from vitrail.model.finding import Status
from vitrail.model.machine import MachineKind
from vitrail.model.plan import Plan, Writer
from vitrail.service.helper_install import FileChange, InstallPreview, preview_install
from vitrail.service.place import helper_is_installed

if TYPE_CHECKING:
    from vitrail.service.place import Place

_OF_THE_START = ("host.steps", "boot.stack")
"""Findings that stop a plan because too little of the computer's start could be read."""
_THERE = (FileChange.SAME, FileChange.ABSENT)


def helper_to_look(place: Place, plan: Plan) -> InstallPreview | None:
    """The helper where it would lend what this plan could not be made without: files of the start that only root reads.

    None where it is there already, where nothing is missing, and for root. Raises Unreachable where it was not built.
    """
    blind = any(one.id in _OF_THE_START and one.status is Status.UNKNOWN and one.stops for one in plan.findings)
    if place.kind is not MachineKind.REAL or place.host is not None or plan.writable or not blind:
        return None
    if helper_is_installed(place.root) or os.geteuid() == 0:
        return None
    return preview_install()


def helper_for(place: Place, plan: Plan) -> InstallPreview | None:
    """What has to be installed before this plan, None where nothing has. Raises Unreachable where it was not built.

    A helper that a package brought is the package's to update: what does not fit is told when it is asked.
    """
    changes_host = any(phase.writer is Writer.HOST for phase in plan.phases)
    if place.kind is not MachineKind.REAL or place.host is not None or not changes_host or not plan.writable:
        return None
    installed = helper_is_installed(place.root)
    try:
        preview = preview_install()
    except Unreachable:
        if installed:
            return None
        raise
    if all(file.change in _THERE for file in preview.files):
        return None
    if installed and any(file.package is not None for file in preview.files):
        return None
    return preview

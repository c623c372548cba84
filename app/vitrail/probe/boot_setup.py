# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the start rests on: the files that it edits, where they lie, how the loader picks. Read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.boot import BootSetup
from vitrail.model.reading import Unknown
from vitrail.model.text import text

if TYPE_CHECKING:
    from vitrail.source.root import Root


def unread_setup(unknown: Unknown) -> BootSetup:
    """A setup of which nothing was read, for one reason."""
    return BootSetup((), unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown)


def read_setup(root: Root) -> BootSetup:
    """Everything that a plan for the host is made on."""
    _ = root
    return unread_setup(Unknown(text("probe.boot.setup-unread")))

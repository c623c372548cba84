# SPDX-License-Identifier: GPL-3.0-or-later
"""What this boot runs on, read where the kernel says it: its release, the firmware, its command line.

Separate because keeping notes it, and every later look compares with it.
"""

from __future__ import annotations

import time

from vitrail.helper.machine import boot_id
from vitrail.helper.tree import Tree
from vitrail.model.host_journal import HostRunKept
from vitrail.model.host_story import Foundation
from vitrail.model.kernel_argument import OFF, PlanToken, word_of

_LINE = "proc/cmdline"
_RELEASE = "proc/sys/kernel/osrelease"
_DMI = "sys/class/dmi/id"


def foundation(tree: Tree) -> Foundation:
    """This boot's."""
    return Foundation(
        tree.words(_RELEASE) or None,
        tree.words(f"{_DMI}/bios_version") or None,
        tree.words(f"{_DMI}/bios_date") or None,
    )


def kept_line(tree: Tree) -> HostRunKept:
    """The journal's line for a Keep in this boot. Raises Refusal where the boot has no id."""
    return HostRunKept(boot_id(tree), time.time(), foundation(tree))


def line_words(tree: Tree) -> frozenset[str] | None:
    """The words that this kernel was started with, None where they cannot be read."""
    words = tree.words(_LINE)
    return None if words is None else frozenset(words.split())


def is_on_line(tree: Tree, plan_id: str) -> bool | None:
    """Whether the plan's word is on the line, None where that cannot be read. It says nothing about `vitrail=off`."""
    words = line_words(tree)
    return None if words is None else word_of(PlanToken(plan_id)) in words


def is_off(tree: Tree) -> bool:
    """Whether everything of ours was turned off for this start."""
    words = line_words(tree)
    return words is not None and OFF in words

# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel arguments that may ever be written: a closed table with typed values.

Separate because three sides read it: what plans a change, what renders it, and the root helper, which takes no word
that is not made here. Arguments that bind by vendor and device id, or that weaken isolation, have no entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_PLAN_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class Flag(StrEnum):
    """Arguments without a value of the user's."""

    INTEL_IOMMU_ON = "intel_iommu=on"
    IOMMU_PASSTHROUGH = "iommu=pt"
    PANIC = "panic=30"
    """A trial that panics restarts by itself; without it the machine waits for the power button."""
    GUARD = "systemd.wants=vitrail-guard.service"
    NO_LEGACY_VGA = "vfio_pci.disable_vga=1"


@dataclass(frozen=True, slots=True)
class PlanToken:
    """What every early effect of a plan waits for: without this word on the line it does nothing."""

    plan_id: str

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)


KernelArgument = Flag | PlanToken

OFF = "vitrail=off"
"""Typed in the loader, it disables everything of ours for one start."""


def check_plan_id(words: str) -> str:
    """The id of a plan, as it was given. Raises ValueError where it is none."""
    if not _PLAN_ID.fullmatch(words):
        raise ValueError("plan_id")
    return words


MAX_ARGUMENTS = 16


def check_arguments(arguments: tuple[KernelArgument, ...]) -> None:
    """Nothing, where these can stand on one line. Raises ValueError."""
    if not 0 < len(arguments) <= MAX_ARGUMENTS or len(set(arguments)) != len(arguments):
        raise ValueError("arguments")


def word_of(argument: KernelArgument) -> str:
    """The one word that stands on the line."""
    return argument.value if isinstance(argument, Flag) else f"vitrail.plan={argument.plan_id}"


def words_of(arguments: tuple[KernelArgument, ...]) -> tuple[str, ...]:
    """Their words, in their order."""
    return tuple(word_of(argument) for argument in arguments)


def argument_of(word: str) -> KernelArgument | None:
    """The argument that this word spells, None where the table has none."""
    name, _, value = word.partition("=")
    if name == "vitrail.plan" and _PLAN_ID.fullmatch(value):
        return PlanToken(value)
    return next((flag for flag in Flag if flag.value == word), None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's part of a plan for one lit card beside another screen, and what of it is asked for in tests."""

from __future__ import annotations

from fakes import hosts
from vitrail.model.finding import Finding
from vitrail.model.host_step import (
    Fixed,
    FixedFile,
    HostChange,
    WriteFile,
    arguments_of,
)
from vitrail.model.kernel_argument import words_of
from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import When
from vitrail.model.reservation import ReservedCards
from vitrail.model.step import HostStep
from vitrail.model.trial import StoreGuard
from vitrail.plan.host_phase import HostPart, host_part

PLAN = "0123456789abcdef"
OTHER = "fedcba9876543210"
LIT = hosts.nvidia_card(outputs=(hosts.output(),))


def machine(facts: dict[str, object], card: Gpu = LIT, **said: object) -> Host:
    return hosts.host(hosts.amd_integrated(), card, **(facts | said))


def part(facts: dict[str, object], card: Gpu = LIT, **said: object) -> HostPart:
    return host_part(machine(facts, card, **said), card, PLAN)


def changes(found: HostPart, when: When | None = None) -> tuple[HostChange, ...]:
    steps = [step for phase in found.phases if when in (None, phase.when) for step in phase.steps]
    return tuple(step.change for step in steps if isinstance(step, HostStep))


def lasting(found: HostPart) -> tuple[HostChange, ...]:
    """What stays: the phase for Keep, or the only one without what is the guard's."""
    return changes(found, When.KEEP) or tuple(one for one in changes(found) if not is_of_guard(one))


def is_of_guard(change: HostChange) -> bool:
    files = (Fixed.GUARD_UNIT, Fixed.GUARD_AT_START, Fixed.GUARD_IN_EMERGENCY)
    if isinstance(change, WriteFile):
        return isinstance(change.template, FixedFile) and change.template.which in files
    return isinstance(change, StoreGuard)


def why_not(found: HostPart) -> str:
    assert found.phases == ()
    (finding,) = found.findings
    assert finding.stops
    assert finding.remedy is not None
    return finding.title.id.removeprefix("plan.host.")


def table_of(found: HostPart) -> ReservedCards:
    (only,) = [one.template for one in lasting(found) if isinstance(one, WriteFile) and is_table(one)]
    assert isinstance(only, ReservedCards)
    return only


def is_table(change: WriteFile) -> bool:
    return isinstance(change.template, ReservedCards)


def asked(found: HostPart, when: When | None = None) -> set[str]:
    return {word for one in changes(found, when) for word in words_of(arguments_of(one))}


def said_of_steps(found: HostPart) -> list[Finding]:
    """What there is to say of the steps themselves, without what was looked at before the restart."""
    return [finding for finding in found.findings if finding.id.startswith("host.")]

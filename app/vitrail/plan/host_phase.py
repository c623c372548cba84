# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer needs before it can give a card: shown in the plan, carried out by a later version."""

from __future__ import annotations

from vitrail.judge.card import own_functions
from vitrail.judge.passthrough import host_needs
from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import Phase, Writer
from vitrail.model.reading import Known, known_or
from vitrail.model.step import HostStep, RebuildInitramfs, ReserveCard, SetKernelArguments

HOST_PHASE = "prepare-host"


def host_phase(host: Host, card: Gpu) -> Phase | None:
    """The host's steps for this card, None where it needs none.

    Where nobody knows what writes the boot entries, no step sets arguments: the findings name them.
    """
    needs = host_needs(host, card)
    steps: list[HostStep] = []
    if needs.arguments:
        stack = known_or(host.boot.stack, None)
        if stack is not None:
            steps.append(SetKernelArguments(stack, needs.arguments, known_or(host.cmdline, "")))
    if needs.reserve:
        steps.append(_reservation(card))
        tool = known_or(host.boot.initramfs, None)
        if tool is not None:
            steps.append(RebuildInitramfs(tool))
    return Phase(HOST_PHASE, Writer.HOST, tuple(steps), writable=False) if steps else None


def _reservation(card: Gpu) -> ReserveCard:
    addresses = own_functions(card)
    functions = [function for function in card.functions if function.address in addresses]
    drivers = tuple(
        (function.driver.value or "-") if isinstance(function.driver, Known) else "?" for function in functions
    )
    return ReserveCard(tuple(function.identity for function in functions), drivers)

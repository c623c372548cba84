# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer needs before it can give a card: shown in the plan, carried out by a later version."""

from __future__ import annotations

from vitrail.judge.passthrough import host_needs
from vitrail.model.finding import Evidence
from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import Phase, Writer
from vitrail.model.reading import Known, known_or
from vitrail.model.step import HostStep, RebuildInitramfs, ReserveCard, SetKernelArguments
from vitrail.model.text import text
from vitrail.plan.cards import own_functions
from vitrail.plan.draft import Draft, warning

HOST_PHASE = "prepare-host"


def host_phase(host: Host, card: Gpu) -> tuple[Phase | None, Draft]:
    """The host's steps for this card, None where it needs none, and what could not be made a step."""
    needs = host_needs(host, card)
    steps: list[HostStep] = []
    draft = Draft()
    if needs.arguments:
        stack = known_or(host.boot.stack, None)
        if stack is None:
            draft += _unknown_stack(needs.arguments)
        else:
            steps.append(SetKernelArguments(stack, needs.arguments, known_or(host.cmdline, "")))
    if needs.reserve:
        steps.append(_reservation(card))
        tool = known_or(host.boot.initramfs, None)
        if tool is not None:
            steps.append(RebuildInitramfs(tool))
    phase = Phase(HOST_PHASE, Writer.HOST, tuple(steps), writable=False) if steps else None
    return phase, draft


def _reservation(card: Gpu) -> ReserveCard:
    addresses = own_functions(card)
    functions = [function for function in card.functions if function.address in addresses]
    drivers = tuple(
        (function.driver.value or "-") if isinstance(function.driver, Known) else "?" for function in functions
    )
    return ReserveCard(tuple(function.identity for function in functions), drivers)


def _unknown_stack(arguments: tuple[str, ...]) -> Draft:
    words = " ".join(arguments)
    title = text("plan.boot-stack-unknown", arguments=words)
    remedy = text("plan.boot-stack-unknown.remedy", arguments=words)
    evidence = Evidence("boot", words)
    return Draft(findings=(warning("plan.boot-stack-unknown", title, remedy, evidence, known=False),))

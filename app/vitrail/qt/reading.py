# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the facts: reads and judges in one go. Runs on the reader's thread and knows nothing of windows."""

from __future__ import annotations

from collections import defaultdict

from vitrail.judge.card import whole_cards
from vitrail.judge.hostuse import host_things
from vitrail.judge.isolation import judge_card, judge_groups, tied_to
from vitrail.judge.passthrough import apply_gates, host_needs
from vitrail.judge.reports import is_management_screen
from vitrail.model.errors import VitrailError
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host
from vitrail.model.outcome import HistoryEntry
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown, known_or
from vitrail.model.text import Text
from vitrail.model.vm import Vm
from vitrail.qt.facts import CardFacts, Facts
from vitrail.service.workplace import Workplace


def read_facts(workplace: Workplace) -> Facts:
    """One look at the machine. Raises VitrailError where not even /sys or the recording could be read."""
    host = workplace.read()
    cards = card_facts(host, workplace.knowledge)
    return Facts(
        kind=workplace.kind,
        label=workplace.label,
        connection=workplace.connection,
        host=host,
        daemon=workplace.daemon(),
        cards=cards,
        verdicts=judge_groups(host),
        findings=workplace.findings(host),
        history=_history(workplace),
        knowledge=workplace.knowledge,
        vms=_ordered(host, cards),
        way_to_vms=_way_to_vms(workplace, host),
    )


def card_facts(host: Host, knowledge: Knowledge) -> tuple[CardFacts, ...]:
    """Every card with what is concluded about it; the place in the order of addresses decides its colour."""
    every = known_or(host.gpus, ())
    takers: dict[PciAddress, list[Vm]] = defaultdict(list)
    for vm in known_or(host.vms, ()):
        for address in {hostdev.pci for hostdev in vm.hostdevs if hostdev.pci is not None}:
            takers[address].append(vm)
    found = []
    for hue, gpu in enumerate(sorted(whole_cards(host), key=lambda gpu: gpu.address)):
        shares = tuple(part for part in every if part.device.physical_function == gpu.address)
        given = {vm.uuid: vm for part in (gpu, *shares) for vm in takers.get(part.address, ())}
        needed = host_things(host, gpu)
        found.append(
            CardFacts(
                gpu,
                hue,
                verdict=judge_card(host, gpu),
                tied=tied_to(host, gpu),
                gates=apply_gates(host, gpu),
                prepared=not host_needs(host, gpu).any_step,
                shares=shares,
                management=is_management_screen(gpu.device, knowledge) is not None,
                needed=needed if needed.stops else None,
                takers=tuple(given.values()),
            )
        )
    return tuple(found)


def _ordered(host: Host, cards: tuple[CardFacts, ...]) -> tuple[Vm, ...]:
    hues = {part.address: card.hue for card in cards for part in (card.gpu, *card.shares)}

    def order(vm: Vm) -> tuple[int, str, str]:
        fed = [hues[one.gpu] for one in vm.graphics if one.gpu in hues]
        return (min(fed, default=len(cards)), vm.name.casefold(), vm.uuid)

    return tuple(sorted(known_or(host.vms, ()), key=order))


def _way_to_vms(workplace: Workplace, host: Host) -> tuple[Text, ...]:
    """What the service advises where it could not list VMs: asking for any VM is answered with that."""
    if isinstance(host.vms, Known):
        return ()
    try:
        workplace.find_vm(host, "")
    except VitrailError as error:
        return error.next_steps
    return ()


def _history(workplace: Workplace) -> Reading[tuple[HistoryEntry, ...]]:
    # A state folder that cannot be read must not hide the machine.
    try:
        return Known(workplace.history(), "state")
    except VitrailError as error:
        return Unknown(error.what)

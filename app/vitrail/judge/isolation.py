# SPDX-License-Identifier: GPL-3.0-or-later
"""What each IOMMU group allows: can a card be given alone, or is something of this computer tied to it.

Separate from the other judgements because it is the one fact that nothing in software changes: only another slot or
the firmware does.
"""

from __future__ import annotations

from vitrail.judge.card import Bus, bus_of, companions
from vitrail.judge.words import is_sound, kinds, listed, plain
from vitrail.model.machine import Gpu, Host, IommuGroup, PciDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import GroupVerdict, Isolation


def judge_groups(host: Host) -> tuple[GroupVerdict, ...]:
    """One verdict a group, in the order of the groups; empty where no groups were read."""
    bus = bus_of(host)
    groups = host.groups.value if isinstance(host.groups, Known) else ()
    return tuple(_judge_group(bus, group) for group in groups)


def endpoints(group: IommuGroup) -> tuple[PciDevice, ...]:
    """The members that would go to the VM; bridges stay."""
    return tuple(member for member in group.members if not member.pci_class.is_bridge)


def _card_key(device: PciDevice) -> tuple[int, int, int]:
    # A virtual function is a part of its card, wherever its address falls.
    return (device.physical_function or device.address).slot_key


def _judge_group(bus: Bus, group: IommuGroup) -> GroupVerdict:
    members = endpoints(group)
    card = next((member for member in members if member.pci_class.is_display), None)
    if card is not None:
        return _against(bus, group, card)
    if len({_card_key(member) for member in members}) > 1:
        return GroupVerdict(group.number, Isolation.SHARED, (text("judge.group.together", what=kinds(members)),))
    return _alone(group, text("judge.group.alone") if members else text("judge.group.only-bridges"))


def _alone(group: IommuGroup, reason: Text) -> GroupVerdict:
    if group.silent:
        # What could not be read may be anything.
        where = listed([plain(address.short) for address in group.silent])
        return GroupVerdict(group.number, Isolation.UNKNOWN, (text("judge.group.silent", where=where),))
    return GroupVerdict(group.number, Isolation.ISOLATED, (reason,))


def strangers(bus: Bus, card: PciDevice, members: tuple[PciDevice, ...]) -> tuple[PciDevice, ...]:
    """Which of these devices are no part of the card."""
    own: set[PciAddress] = {one.address for one in companions(bus, card)}
    return tuple(one for one in members if _card_key(one) != _card_key(card) and one.address not in own)


def _against(bus: Bus, group: IommuGroup, card: PciDevice) -> GroupVerdict:
    foreign = strangers(bus, card, endpoints(group))
    if not foreign:
        return _alone(group, text("judge.group.alone"))
    if not bus.told and all(_may_be_its_sound(one, card) for one in foreign):
        return GroupVerdict(group.number, Isolation.UNKNOWN, (text("judge.group.maybe-own-sound"),))
    return GroupVerdict(group.number, Isolation.SHARED, (text("judge.group.tied", what=kinds(foreign)),))


def _may_be_its_sound(other: PciDevice, card: PciDevice) -> bool:
    same_maker = other.identity.vendor_id is not None and other.identity.vendor_id == card.identity.vendor_id
    return is_sound(other) and same_maker and other.address.bus != card.address.bus


def judge_card(host: Host, gpu: Gpu) -> GroupVerdict:
    """Whether all functions of this card can go to a VM without anything else; `number` is the graphics' own group.

    Recent boards put each function in a group of its own, so every group that the card touches is looked at.
    """
    group = gpu.device.group
    number = group.value if isinstance(group, Known) else None
    verdicts = _verdicts_of_functions(host, gpu)
    for isolation in (Isolation.SHARED, Isolation.UNKNOWN, Isolation.ISOLATED):
        reasons = _reasons(verdicts, isolation)
        if reasons:
            return GroupVerdict(number, isolation, reasons)
    return GroupVerdict(number, Isolation.UNKNOWN, (text("judge.group.none"),))


def _reasons(verdicts: tuple[GroupVerdict, ...], isolation: Isolation) -> tuple[Text, ...]:
    # A dict keeps the order and drops what two groups say alike.
    return tuple(
        dict.fromkeys(one for verdict in verdicts if verdict.isolation is isolation for one in verdict.reasons)
    )


def _verdicts_of_functions(host: Host, gpu: Gpu) -> tuple[GroupVerdict, ...]:
    if isinstance(host.groups, Unknown):
        return (GroupVerdict(None, Isolation.UNKNOWN, (text("judge.group.unread", reason=host.groups.reason),)),)
    bus = bus_of(host)
    found: list[GroupVerdict] = []
    judged: set[int] = set()
    for function in gpu.functions:
        if isinstance(function.group, Unknown):
            reason = text("judge.group.unread", reason=function.group.reason)
            found.append(GroupVerdict(None, Isolation.UNKNOWN, (reason,)))
            continue
        group = host.group_of(function)
        if group is None:
            found.append(GroupVerdict(None, Isolation.UNKNOWN, (text("judge.group.none"),)))
        elif group.number not in judged:
            judged.add(group.number)
            found.append(_against(bus, group, gpu.device))
    return tuple(found)


def tied_to(host: Host, gpu: Gpu) -> tuple[PciDevice, ...]:
    """Every device that is no part of the card but would have to go with it."""
    bus = bus_of(host)
    groups = {group.number: group for function in gpu.functions if (group := host.group_of(function)) is not None}
    members = tuple(member for group in groups.values() for member in endpoints(group))
    return strangers(bus, gpu.device, members)

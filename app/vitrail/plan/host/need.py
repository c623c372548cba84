# SPDX-License-Identifier: GPL-3.0-or-later
"""What one card needs of this computer's start, beside what plans that were kept before need of it already."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vitrail.judge.card import own_functions
from vitrail.judge.iommu import arguments_now
from vitrail.judge.passthrough import host_needs
from vitrail.model.boot import BootSetup
from vitrail.model.edited_lines import Unrenderable, block_of
from vitrail.model.finding import Evidence
from vitrail.model.host_place import place_of
from vitrail.model.host_step import ArgumentFile, ArgumentsFile
from vitrail.model.kernel_argument import (
    MAX_ARGUMENTS,
    Flag,
    KernelArgument,
    PlanToken,
    argument_of,
    check_arguments,
)
from vitrail.model.machine import Gpu, Host
from vitrail.model.pci import DeviceIdentity, PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.model.render import render
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.text import text
from vitrail.plan.host.files import no_step

TABLE = "etc/vitrail/reserved-cards"
_WORD = re.compile(r"[^\s\"'()+]+")


@dataclass(frozen=True, slots=True)
class Need:
    """`cards`: the functions to keep from the start, none where arguments alone are needed."""

    host: Host
    plan_id: str
    flags: tuple[Flag, ...]
    cards: tuple[DeviceIdentity, ...]
    kept: tuple[ReservedCard, ...]
    """Cards of plans that were kept before."""

    @property
    def setup(self) -> BootSetup:
        """What of the start was read."""
        return self.host.boot.setup

    @property
    def own(self) -> tuple[KernelArgument, ...]:
        """The arguments that this plan adds to the line for good."""
        return (*self.flags, PlanToken(self.plan_id))

    @property
    def table(self) -> ReservedCards | None:
        """Every card that is kept from the start once the plan is carried out, None where the plan keeps none."""
        if not self.cards:
            return None
        return ReservedCards((*self.kept, *(ReservedCard(self.plan_id, one) for one in self.cards)))

    @property
    def identities(self) -> tuple[DeviceIdentity, ...]:
        """The devices that the tables name."""
        return tuple(card.identity for card in self.table.cards) if self.table is not None else ()

    @property
    def running_tokens(self) -> tuple[PlanToken, ...]:
        """The other plans that the running system was started with."""
        found = (argument_of(word) for word in arguments_now(self.host))
        others = (one for one in found if isinstance(one, PlanToken) and one.plan_id != self.plan_id)
        return tuple(dict.fromkeys(others))


def need_of(host: Host, card: Gpu, plan_id: str) -> Need | None:
    """What has to change, None where nothing has to. Raises NoStep where earlier plans stand in the way."""
    needs = host_needs(host, card)
    if not needs.any_step:
        return None
    flags = tuple(flag for word in needs.arguments if isinstance(flag := argument_of(word), Flag))
    if not needs.reserve:
        return _fitting(Need(host, plan_id, flags, (), ()))
    addresses = own_functions(card)
    cards = tuple(function.identity for function in card.functions if function.address in addresses)
    unknown = next((one for one in cards if one.vendor_id is None or one.device_id is None), None)
    if unknown is not None:
        title = text("plan.host.card-unidentified", address=str(unknown.address))
        raise no_step(title, text("plan.host.card-unidentified.remedy"), known=False)
    return _fitting(Need(host, plan_id, flags, cards, _kept(host, plan_id, cards)))


def _fitting(need: Need) -> Need:
    """The need, where line and table have room for it beside what is there. Raises NoStep."""
    try:
        check_arguments((*need.own, *need.running_tokens, Flag.PANIC, Flag.GUARD))
        _ = need.table
    except ValueError as error:
        title, remedy = text("plan.host.too-many"), text("plan.host.too-many.remedy")
        raise no_step(title, remedy, Evidence("/proc/cmdline", str(error))) from error
    return need


def _kept(host: Host, plan_id: str, cards: tuple[DeviceIdentity, ...]) -> tuple[ReservedCard, ...]:
    """The cards that earlier plans keep, each still the device that it was. Raises NoStep."""
    content = host.boot.setup.content(TABLE)
    if isinstance(content, Unknown):
        title = text("plan.host.file-unread", path=f"/{TABLE}", reason=content.reason)
        raise no_step(title, text("plan.host.file-unread.remedy"), known=False)
    rows = [line for line in (content.value or "").split("\n") if line and not line.startswith("#")]
    kept = tuple(card for card in map(_card_of, rows) if card.plan_id != plan_id)
    mine = {identity.address for identity in cards}
    for card in kept:
        device = host.device_at(card.identity.address)
        if device is None or device.identity != card.identity or card.identity.address in mine:
            address = str(card.identity.address)
            title = text("plan.host.earlier-differs", plan=card.plan_id, address=address)
            remedy = text("plan.host.earlier-differs.remedy", plan=card.plan_id)
            raise no_step(title, remedy, Evidence(f"/{TABLE}", address))
    return kept


def _card_of(row: str) -> ReservedCard:
    try:
        plan_id, address, *ids = row.split()
        vendor, device, *subsystem = (None if word == "-" else int(word, 16) for word in ids)
        subsystem_vendor, subsystem_device = subsystem
        identity = DeviceIdentity(PciAddress.parse(address), vendor, device, subsystem_vendor, subsystem_device)
        return ReservedCard(plan_id, identity)
    except ValueError as error:
        title = text("plan.host.table-edited", path=f"/{TABLE}")
        raise no_step(title, text("plan.host.table-edited.remedy"), Evidence(f"/{TABLE}", row)) from error


def with_earlier(setup: BootSetup, which: ArgumentFile, own: tuple[KernelArgument, ...]) -> ArgumentsFile:
    """A file that is ours, or has a block of ours, with what earlier plans put there and what this one adds.

    Raises NoStep where somebody else put something there too.
    """
    place = place_of(ArgumentsFile(which, own))
    content = setup.content(place.path)
    words = (content.value or "") if isinstance(content, Known) else ""
    try:
        ours = words if place.ours else block_of(words) or ""
    except Unrenderable:
        # `render` meets the same, and says so.
        ours = ""
    lines = [line for line in ours.split("\n") if not line.startswith("#")]
    said = tuple(argument for line in lines for word in _WORD.findall(line) if (argument := argument_of(word)))
    earlier = tuple(dict.fromkeys(said))[:MAX_ARGUMENTS]
    if ours and not (earlier and _is_rendered(ArgumentsFile(which, earlier), words)):
        title = text("plan.host.own-edited", path=f"/{place.path}")
        raise no_step(title, text("plan.host.own-edited.remedy", path=f"/{place.path}"))
    together = tuple(dict.fromkeys((*earlier, *own)))
    if len(together) > MAX_ARGUMENTS:
        title, remedy = text("plan.host.too-many"), text("plan.host.too-many.remedy")
        raise no_step(title, remedy, Evidence(f"/{place.path}", str(len(together))))
    return ArgumentsFile(which, together)


def _is_rendered(template: ArgumentsFile, words: str) -> bool:
    content = words.encode("utf-8", "surrogateescape")
    return render(template, content) == content

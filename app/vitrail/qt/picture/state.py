# SPDX-License-Identifier: GPL-3.0-or-later
"""What the picture shows, as a pure function of facts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from vitrail.model.machine import Gpu, HolderKind, Output
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.verdict import Isolation
from vitrail.model.vm import Vm, VmState
from vitrail.qt.facts import CardFacts, Facts
from vitrail.qt.theme import Tone
from vitrail.qt.words import (
    Badge,
    Words,
    card_name,
    graphics_words,
    plugged_outputs,
    state_badge,
    tied_words,
    use_words,
    verdict_words,
)

WHOLE_CARDS = 6
WHOLE_VMS = 12
"""From these numbers on the picture is folded: one line a thing, lines for the selection only."""
_CHIPS = 4


@dataclass(frozen=True, slots=True)
class MonitorNode:
    """A monitor in a card's socket."""

    key: str
    title: Words
    sub: Words
    hue: int


@dataclass(frozen=True, slots=True)
class CardNode:
    """A card: its name, what its group means, who uses it, and one status."""

    key: str
    title: Words
    badge: Badge
    verdict: Badge
    use: Words
    address: str
    hue: int


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane of glass: an IOMMU group with its cards, and what else goes wherever they go."""

    number: int | None
    cards: tuple[CardNode, ...]
    tied: tuple[Words, ...]
    hue: int


@dataclass(frozen=True, slots=True)
class VmNode:
    """A VM: whether it runs and what gives it its picture."""

    key: str
    title: Words
    state: Badge
    graphics: tuple[Words, ...]
    hue: int | None


@dataclass(frozen=True, slots=True)
class Wire:
    """Who feeds whom; `now` is False where it begins with the VM's next start."""

    source: str
    target: str
    hue: int
    now: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it."""

    monitors: tuple[MonitorNode, ...]
    panes: tuple[Pane, ...]
    vms: tuple[VmNode, ...]
    wires: tuple[Wire, ...]
    folded: bool

    @property
    def cards(self) -> tuple[CardNode, ...]:
        """The cards of all panes, from top to bottom."""
        return tuple(card for pane in self.panes for card in pane.cards)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every node, column by column."""
        return tuple(node.key for column in (self.monitors, self.cards, self.vms) for node in column)


def card_key(gpu: Gpu) -> str:
    """The key of a card's node."""
    return f"card:{gpu.address}"


def vm_key(vm: Vm) -> str:
    """The key of a VM's node."""
    return f"vm:{vm.uuid}"


def _monitor_key(gpu: Gpu, output: Output) -> str:
    return f"monitor:{gpu.address}/{output.connector}"


def picture_of(facts: Facts) -> Picture:
    """The picture of these facts."""
    vms = facts.vms
    return Picture(
        monitors=tuple(
            MonitorNode(_monitor_key(card.gpu, output), output.connector, _display(output), card.hue)
            for card in facts.cards
            for output in plugged_outputs(card.gpu)
        ),
        panes=_panes(facts),
        vms=tuple(_vm_node(facts, vm) for vm in vms),
        wires=(*_monitor_wires(facts), *_vm_wires(facts)),
        folded=len(facts.cards) >= WHOLE_CARDS or len(vms) >= WHOLE_VMS,
    )


def _display(output: Output) -> Words:
    if isinstance(output.display, Known) and output.display.value:
        return output.display.value
    return text("qt.monitor.nameless")


def _group_number(card: CardFacts) -> int | None:
    group = card.gpu.device.group
    return group.value if isinstance(group, Known) else None


def _panes(facts: Facts) -> tuple[Pane, ...]:
    first: dict[int, int] = {}
    for card in facts.cards:
        number = _group_number(card)
        if number is not None:
            first.setdefault(number, card.hue)

    def order(card: CardFacts) -> tuple[int, int]:
        # Cards of one group stand together, where the first of them would stand.
        number = _group_number(card)
        return (card.hue if number is None else first[number], card.hue)

    panes = []
    for _, members in groupby(sorted(facts.cards, key=order), key=lambda card: order(card)[0]):
        cards = tuple(members)
        panes.append(
            Pane(
                _group_number(cards[0]),
                tuple(card_node(card) for card in cards),
                _tied(facts, cards),
                cards[0].hue,
            )
        )
    return tuple(panes)


def _tied(facts: Facts, cards: tuple[CardFacts, ...]) -> tuple[Words, ...]:
    own = {card.gpu.address.slot_key for card in cards}
    devices = {device.address: device for card in cards for device in card.tied if device.address.slot_key not in own}
    others = [tied_words(facts.host, device) for device in devices.values()]
    # The same words twice (two nameless USB controllers) say nothing more.
    distinct = list(dict.fromkeys(others))
    if len(distinct) <= _CHIPS:
        return tuple(distinct)
    return (*distinct[: _CHIPS - 1], text("qt.tied.more", count=len(distinct) - _CHIPS + 1))


def _parts_of(card: CardFacts, vm: Vm) -> tuple[Gpu, ...]:
    parts = (card.part_at(hostdev.pci) for hostdev in vm.hostdevs if hostdev.pci is not None)
    return tuple(part for part in parts if part is not None)


def card_node(card: CardFacts) -> CardNode:
    """The node of a card, here and on the page that lists cards."""
    return CardNode(
        card_key(card.gpu),
        card_name(card.gpu),
        _card_badge(card),
        Badge(text("qt.card.cut", count=len(card.shares)), Tone.INFO, "workflow")
        if card.shares
        else verdict_words(card),
        use_words(card),
        card.gpu.address.short,
        card.hue,
    )


def _card_badge(card: CardFacts) -> Badge:
    owners = card.takers
    holding = [vm for vm in owners if _feeds_now(card, vm)]
    plugged = plugged_outputs(card.gpu)
    if card.shares:
        given = text("qt.badge.shares", given=len(owners), total=len(card.shares))
        return Badge(given, Tone.INFO, "workflow")
    if holding:
        return Badge(text("qt.badge.given", name=holding[0].name), Tone.INFO, "server")
    if plugged:
        first = plugged[0].connector
        shows = text("qt.badge.shows-more", name=first, more=len(plugged) - 1)
        return Badge(shows if len(plugged) > 1 else text("qt.badge.shows", name=first), Tone.INFO, "monitor")
    if owners:
        return Badge(text("qt.badge.meant", name=owners[0].name), Tone.INFO, "server")
    users = _vms_holding(card)
    return Badge(text("qt.badge.serves", name=users[0]), Tone.INFO, "server") if users else _idle_badge(card)


def _vms_holding(card: CardFacts) -> tuple[str, ...]:
    seen = card.gpu.holders.value.seen if isinstance(card.gpu.holders, Known) else ()
    return tuple(holder.name for holder in seen if holder.kind is HolderKind.VM)


def _idle_badge(card: CardFacts) -> Badge:
    """A card that shows nothing and that no VM is meant to have."""
    if isinstance(card.gpu.outputs, Unknown):
        return Badge(text("qt.badge.screens-unknown"), Tone.UNKNOWN)
    if card.verdict.isolation is Isolation.SHARED:
        return Badge(text("qt.badge.tied"), Tone.WARN, "link-2")
    if card.verdict.isolation is Isolation.ISOLATED and card.is_spare:
        return Badge(text("qt.badge.free"), Tone.GOOD)
    return Badge(text("qt.badge.no-monitor"), Tone.PLAIN, "monitor-off")


def _vm_node(facts: Facts, vm: Vm) -> VmNode:
    words = tuple(graphics_words(facts, graphics) for graphics in vm.graphics)
    cards = [card for graphics in vm.graphics if (card := facts.card_at(graphics.gpu)) is not None]
    return VmNode(
        vm_key(vm),
        vm.name,
        state_badge(vm.state),
        words or (text("qt.graphics.none"),),
        cards[0].hue if cards else None,
    )


def _monitor_wires(facts: Facts) -> tuple[Wire, ...]:
    return tuple(
        Wire(_monitor_key(card.gpu, output), card_key(card.gpu), card.hue, now=True)
        for card in facts.cards
        for output in plugged_outputs(card.gpu)
    )


def _vm_wires(facts: Facts) -> tuple[Wire, ...]:
    found: dict[tuple[str, str], Wire] = {}
    for vm in facts.vms:
        for graphics in vm.graphics:
            card = facts.card_at(graphics.gpu)
            if card is not None:
                wire = Wire(card_key(card.gpu), vm_key(vm), card.hue, now=_feeds_now(card, vm))
                found[(wire.source, wire.target)] = wire
    return tuple(found.values())


def _feeds_now(card: CardFacts, vm: Vm) -> bool:
    """Running, and, where the VM takes the card itself, seen to hold it: a definition may be newer than the run."""
    if not isinstance(vm.state, Known) or vm.state.value not in (VmState.RUNNING, VmState.PAUSED):
        return False
    parts = _parts_of(card, vm)
    return not parts or any(_may_hold(part, vm) for part in parts)


def _may_hold(part: Gpu, vm: Vm) -> bool:
    if isinstance(part.holders, Unknown):
        return True
    return any(holder.kind is HolderKind.VM and holder.uuid == vm.uuid for holder in part.holders.value.seen)

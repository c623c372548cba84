# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Overview says: the headline, the computer in one line, what is missing, and the picture with its table."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.machine import IommuKind, MachineKind
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.model.text import Text, text
from vitrail.model.verdict import Isolation
from vitrail.model.vm import Vm
from vitrail.qt.facts import CardFacts, Facts
from vitrail.qt.picture.state import Picture, picture_of, vm_key
from vitrail.qt.theme import Tone
from vitrail.qt.words import (
    Badge,
    Words,
    card_name,
    plugged_outputs,
    state_badge,
    vm_graphics_words,
)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is not there or was not read: what, why, and whether reading again or the demo helps."""

    tone: Tone
    title: Text
    why: tuple[Text, ...]
    again: bool
    demo: bool


@dataclass(frozen=True, slots=True)
class TableLine:
    """One thing of the picture as a line of the table that equals it."""

    key: str
    kind: Text
    name: Words
    badge: Badge
    details: tuple[Words, ...]
    fed_by: Words


@dataclass(frozen=True, slots=True)
class OverviewState:
    """The whole page."""

    headline: Text
    computer: tuple[Words, ...]
    lacks: tuple[Lack, ...]
    story: tuple[Text, ...]
    picture: Picture
    can_give: bool

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.picture.keys


def page_state(facts: Facts) -> OverviewState:
    """The Overview of these facts."""
    return OverviewState(
        headline=_headline(facts),
        computer=_computer(facts),
        lacks=_lacks(facts),
        story=_story(facts),
        picture=picture_of(facts),
        can_give=bool(facts.vms),
    )


def _lit(facts: Facts) -> tuple[CardFacts, ...]:
    return tuple(card for card in facts.cards if plugged_outputs(card.gpu))


def _free(facts: Facts) -> tuple[CardFacts, ...]:
    """Cards that nothing forbids to hand over today: alone, dark, not held."""
    return tuple(
        card
        for card in facts.cards
        if card.verdict.isolation is Isolation.ISOLATED
        and not card.management
        and card.needed is None
        and card.is_spare
    )


def _headline(facts: Facts) -> Text:
    if isinstance(facts.host.gpus, Unknown):
        return text("qt.overview.cards-unread")
    if not facts.cards:
        return text("qt.overview.no-cards")
    screens = text("qt.overview.lit", count=len(_lit(facts))) if _lit(facts) else text("qt.overview.lit-none")
    if all(isinstance(card.gpu.outputs, Unknown) for card in facts.cards):
        screens = text("qt.overview.lit-unknown", count=len(facts.cards))
    clauses = [screens, *_gifts(facts)]
    sentence = clauses[0]
    for clause in clauses[1:]:
        sentence = text("qt.overview.and", first=sentence, then=clause)
    return text("qt.overview.headline", sentence=sentence)


def _gifts(facts: Facts) -> tuple[Text, ...]:
    """What VMs have of the cards, and what they could have."""
    with_vms = [card for card in facts.cards if card.takers]
    rest = [card for card in facts.cards if card not in with_vms]
    shared = sum(bool(card.shares) for card in with_vms)
    owned = len(with_vms) - shared
    found = [text("qt.overview.given", count=owned)] if owned else []
    found += [text("qt.overview.shared", count=shared)] if shared else []
    free = [card for card in _free(facts) if card in rest]
    alone = [
        card
        for card in rest
        if card.verdict.isolation is Isolation.ISOLATED and not card.management and card.needed is None
    ]
    if free:
        found.append(text("qt.overview.free", count=len(free)))
    elif alone:
        found.append(text("qt.overview.free-after", count=len(alone)))
    elif rest and not known_or(facts.host.iommu.active, otherwise=True):
        found.append(text("qt.overview.free-iommu"))
    elif any(card.verdict.isolation is Isolation.UNKNOWN for card in rest):
        found.append(text("qt.overview.free-unknown"))
    elif rest:
        found.append(text("qt.overview.free-none"))
    return tuple(found)


def _computer(facts: Facts) -> tuple[Words, ...]:
    host = facts.host
    return (
        host.cpu.model.value if isinstance(host.cpu.model, Known) else text("qt.computer.cpu-unknown"),
        text("qt.computer.kernel", version=host.kernel.value)
        if isinstance(host.kernel, Known)
        else text("qt.computer.kernel-unknown"),
        _iommu(facts),
        _libvirt(facts),
    )


def _iommu(facts: Facts) -> Text:
    active, kind = facts.host.iommu.active, facts.host.iommu.kind
    if isinstance(active, Unknown):
        return text("qt.computer.iommu-unknown")
    if not active.value:
        return text("qt.computer.iommu-off")
    names = {IommuKind.INTEL: "Intel VT-d", IommuKind.AMD: "AMD-Vi", IommuKind.ARM: "SMMU"}
    name = names.get(kind.value) if isinstance(kind, Known) and kind.value is not None else None
    return text("qt.computer.iommu-on-kind", kind=name) if name else text("qt.computer.iommu-on")


def _libvirt(facts: Facts) -> Text:
    if isinstance(facts.daemon, Unknown):
        recorded = facts.kind in (MachineKind.RECORDING, MachineKind.DEMO, MachineKind.LISTING)
        return text("qt.computer.libvirt-recorded") if recorded else text("qt.computer.libvirt-unknown")
    daemon = facts.daemon.value
    version = _dotted(daemon.libvirt_version)
    if isinstance(daemon.hypervisor, Known) and isinstance(daemon.hypervisor_version, Known):
        below = f"{daemon.hypervisor.value} {_dotted(daemon.hypervisor_version)}"
        return text("qt.computer.libvirt-on", version=version, below=below)
    return text("qt.computer.libvirt", version=version)


def _dotted(version: Known[tuple[int, int, int]] | Unknown) -> str:
    return ".".join(str(part) for part in version.value) if isinstance(version, Known) else "?"


def _lacks(facts: Facts) -> tuple[Lack, ...]:
    found = []
    real = facts.kind in (MachineKind.REAL, MachineKind.REMOTE)
    if isinstance(facts.host.gpus, Unknown):
        found.append(Lack(Tone.WARN, text("qt.lack.cards-unread"), (facts.host.gpus.reason,), again=True, demo=real))
    elif not facts.cards:
        virtual = facts.host.virtual
        inside = isinstance(virtual, Known) and virtual.value is not None
        why = text("qt.lack.no-cards.virtual") if inside else text("qt.lack.no-cards.why")
        found.append(Lack(Tone.INFO, text("qt.lack.no-cards"), (why,), again=False, demo=real))
    if isinstance(facts.host.vms, Unknown):
        found.append(
            Lack(
                Tone.WARN, text("qt.lack.vms-unread"), (facts.host.vms.reason, *facts.way_to_vms), again=real, demo=real
            )
        )
    elif not facts.vms:
        found.append(Lack(Tone.INFO, text("qt.lack.no-vms"), (text("qt.lack.no-vms.why"),), again=real, demo=real))
    return tuple(found)


def _story(facts: Facts) -> tuple[Text, ...]:
    """Three plain sentences where there is one card and one VM; nothing otherwise, the picture says it."""
    if len(facts.cards) != 1 or len(facts.vms) != 1:
        return ()
    card, vm = facts.cards[0], facts.vms[0]
    plugged = plugged_outputs(card.gpu)
    name = card_name(card.gpu)
    if isinstance(card.gpu.outputs, Unknown):
        first = text("qt.story.card-unknown", card=name)
    elif plugged:
        first = text("qt.story.card-lit", card=name, screen=plugged[0].connector)
    else:
        first = text("qt.story.card-dark", card=name)
    graphics = vm_graphics_words(facts, vm)[0]
    second = text("qt.story.vm", vm=vm.name, graphics=graphics)
    third = text("qt.story.only-lit") if plugged else text("qt.story.only-dark")
    return (first, second, third)


def table_of(facts: Facts, picture: Picture) -> tuple[TableLine, ...]:
    """The picture as a table: a line for every node."""
    titles = {card.key: card.title for card in picture.cards}
    fed_by = {wire.source: titles[wire.target] for wire in picture.wires if wire.target in titles}
    monitors = tuple(
        TableLine(
            node.key,
            text("qt.kind.monitor"),
            node.title,
            Badge(text("qt.monitor.plugged"), Tone.GOOD),
            (node.sub,),
            fed_by[node.key],
        )
        for node in picture.monitors
    )
    cards = tuple(
        TableLine(
            node.key,
            text("qt.kind.graphics-card"),
            node.title,
            node.badge,
            (node.verdict.words, *pane.tied, node.use, node.address),
            "",
        )
        for pane in picture.panes
        for node in pane.cards
    )
    return (*monitors, *cards, *(_vm_line(facts, vm) for vm in facts.vms))


def _vm_line(facts: Facts, vm: Vm) -> TableLine:
    cards = [card for graphics in vm.graphics if (card := facts.card_at(graphics.gpu)) is not None]
    fed_by: Words = card_name(cards[0].gpu) if cards else text("qt.picture.no-card")
    return TableLine(
        vm_key(vm), text("qt.kind.vm"), vm.name, state_badge(vm.state), vm_graphics_words(facts, vm), fed_by
    )

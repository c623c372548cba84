# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Graphics cards says of every card: plain sentence first, term in brackets, address last."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.machine import Connection, Gpu, Holder, HolderKind, Output
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.qt.facts import CardFacts, Facts
from vitrail.qt.picture.state import CardNode, card_node
from vitrail.qt.theme import Tone
from vitrail.qt.words import Badge, Words, card_name, device_name, finding_tone, maker_of, tied_words, verdict_words

_HOLDERS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: what it is about, and what there is to say, with a mark where it means something."""

    label: Text
    words: tuple[Words, ...]
    tone: Tone | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together."""

    title: Text
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CardState:
    """Everything about one card."""

    node: CardNode
    name: Words
    below: tuple[Words, ...]
    badge: Badge
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class CardsState:
    """The whole page."""

    headline: Text
    cards: tuple[CardState, ...]
    none: Text | None


def page_state(facts: Facts) -> CardsState:
    """The page of these facts."""
    cards = tuple(_card(facts, card, card_node(card)) for card in facts.cards)
    none = None
    if isinstance(facts.host.gpus, Unknown):
        none = facts.host.gpus.reason
    elif not cards:
        none = text("qt.lack.no-cards.why")
    return CardsState(text("qt.cards.headline", count=len(cards)), cards, none)


def _card(facts: Facts, card: CardFacts, node: CardNode) -> CardState:
    gpu = card.gpu
    return CardState(
        node,
        card_name(gpu),
        (maker_of(gpu.device), gpu.address.short),
        verdict_words(card),
        (
            Section(text("qt.card.section.give"), _giving(facts, card)),
            Section(text("qt.card.section.use"), _use(gpu)),
            Section(text("qt.card.section.hardware"), _hardware(gpu)),
        ),
    )


def _giving(facts: Facts, card: CardFacts) -> tuple[Line, ...]:
    verdict = verdict_words(card)
    lines = [Line(text("qt.card.alone-label"), card.verdict.reasons or (verdict.words,), verdict.tone)]
    parts = tuple(tied_words(facts.host, function) for function in card.gpu.functions)
    if len(parts) > 1:
        lines.append(Line(text("qt.card.parts"), parts))
    if card.tied:
        lines.append(Line(text("qt.card.tied-label"), _with_names(facts, card), Tone.WARN))
    stops = [gate for gate in (card.needed, *card.gates) if gate is not None and gate.stops]
    for gate in stops:
        words = (gate.title, gate.remedy) if gate.remedy is not None else (gate.title,)
        lines.append(Line(text("qt.card.in-the-way"), words, finding_tone(gate.status, gate.severity)))
    if not stops and not card.prepared:
        lines.append(Line(text("qt.card.in-the-way"), (text("qt.card.after-restart"),), Tone.INFO))
    elif not stops:
        lines.append(Line(text("qt.card.in-the-way"), (text("qt.card.nothing-in-the-way"),), Tone.GOOD))
    return tuple(lines)


def _with_names(facts: Facts, card: CardFacts) -> tuple[Words, ...]:
    return tuple(
        text("qt.card.tied-one", what=tied_words(facts.host, device), name=device_name(device)) for device in card.tied
    )


def _use(gpu: Gpu) -> tuple[Line, ...]:
    return (
        Line(text("qt.card.monitors"), _monitors(gpu.outputs)),
        Line(text("qt.card.first-screen"), (_yes(gpu.boot_vga, "qt.card.first-screen"),)),
        Line(text("qt.card.driver"), (_driver(gpu.device.driver),)),
        Line(text("qt.card.holders"), _holders(gpu)),
    )


def _monitors(outputs: Reading[tuple[Output, ...]]) -> tuple[Words, ...]:
    if isinstance(outputs, Unknown):
        return (outputs.reason,)
    return tuple(_socket(output) for output in outputs.value) or (text("qt.card.no-sockets"),)


def _socket(output: Output) -> Text:
    if isinstance(output.status, Unknown) or output.status.value is Connection.UNKNOWN:
        return text("qt.socket.unknown", name=output.connector)
    if output.status.value is Connection.DISCONNECTED:
        return text("qt.socket.empty", name=output.connector)
    if isinstance(output.display, Known) and output.display.value:
        return text("qt.socket.monitor", name=output.connector, monitor=output.display.value)
    return text("qt.socket.nameless", name=output.connector)


def _yes(reading: Reading[bool], message: str) -> Text:
    if isinstance(reading, Unknown):
        return reading.reason
    return text(f"{message}.yes" if reading.value else f"{message}.no")


def _driver(driver: Reading[str | None]) -> Words:
    if isinstance(driver, Unknown):
        return driver.reason
    if driver.value is None:
        return text("qt.driver.none")
    return text("qt.driver.vfio") if driver.value == "vfio-pci" else driver.value


def _holders(gpu: Gpu) -> tuple[Words, ...]:
    if isinstance(gpu.holders, Unknown):
        return (gpu.holders.reason,)
    seen = gpu.holders.value.seen
    lines: list[Words] = [_holder(holder) for holder in seen[:_HOLDERS]]
    if len(seen) > _HOLDERS:
        lines.append(text("qt.holder.more", count=len(seen) - _HOLDERS))
    hidden = gpu.holders.value.processes_not_seen
    if hidden:
        lines.append(text("qt.holder.hidden", count=hidden))
    return tuple(lines) or (text("qt.use.nobody"),)


def _holder(holder: Holder) -> Text:
    if holder.kind is HolderKind.VM:
        return text("qt.holder.vm", name=holder.name)
    if holder.kind is HolderKind.DRIVER:
        return text("qt.holder.driver", name=holder.name)
    return text("qt.holder.process", name=holder.name, pid=str(holder.pid) if holder.pid is not None else "?")


def _hardware(gpu: Gpu) -> tuple[Line, ...]:
    return (
        Line(text("qt.card.memory"), (_memory(gpu.vram_mib),)),
        Line(text("qt.card.link"), (_link(gpu),)),
        Line(text("qt.card.reset"), (_reset(gpu.reset_methods),)),
        Line(text("qt.card.power"), (_power(gpu.power_state),)),
        Line(text("qt.card.shares"), (_shares(gpu),)),
        Line(text("qt.card.identity"), (_identity(gpu),)),
    )


def _memory(vram: Reading[int | None]) -> Text:
    if isinstance(vram, Unknown):
        return vram.reason
    if vram.value is None:
        return text("qt.memory.none")
    gib = vram.value / 1024
    return text("qt.memory.gib", size=f"{gib:.0f}") if gib >= 1 else text("qt.memory.mib", size=str(vram.value))


def _link(gpu: Gpu) -> Text:
    if isinstance(gpu.link, Unknown):
        return gpu.link.reason
    link = gpu.link.value
    if link is None:
        return text("qt.link.none")
    best = (link.speed_best, link.width_best)
    now = text("qt.link.speed", speed=link.speed_now, lanes=str(link.width_now))
    if (link.speed_now, link.width_now) == best:
        return text("qt.link.full", now=now)
    top = text("qt.link.speed", speed=link.speed_best, lanes=str(link.width_best))
    return text("qt.link.lower", now=now, best=top)


def _reset(methods: Reading[tuple[str, ...]]) -> Text:
    if isinstance(methods, Unknown):
        return methods.reason
    if not methods.value:
        return text("qt.reset.none")
    return text("qt.reset.some", methods=", ".join(methods.value))


def _power(state: Reading[str]) -> Text:
    if isinstance(state, Unknown):
        return state.reason
    if state.value == "D0":
        return text("qt.power.awake")
    return (
        text("qt.power.asleep", state=state.value)
        if state.value.startswith("D3")
        else text("qt.power.other", state=state.value)
    )


def _shares(gpu: Gpu) -> Text:
    if isinstance(gpu.sriov, Known) and gpu.sriov.value is not None and gpu.sriov.value.total:
        return text("qt.shares.sriov", total=str(gpu.sriov.value.total), active=str(gpu.sriov.value.active))
    if isinstance(gpu.mdev_types, Known) and gpu.mdev_types.value:
        return text("qt.shares.mdev", count=len(gpu.mdev_types.value))
    if isinstance(gpu.sriov, Unknown):
        return gpu.sriov.reason
    return text("qt.shares.none")


def _identity(gpu: Gpu) -> Words:
    identity = gpu.device.identity
    if identity.vendor_id is None or identity.device_id is None:
        return text("qt.unknown.ids")
    return f"{identity.vendor_id:04x}:{identity.device_id:04x} · {gpu.address}"

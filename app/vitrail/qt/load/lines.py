# SPDX-License-Identifier: GPL-3.0-or-later
"""What one tick says of every VM and card, as a pure function of it: the words, the hue, and why something is missing.

The picture with its curves and the table that equals it are both made of these lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vitrail.load.history import card_key, vm_key
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample, EngineLoad, LoadOf, LoadSource, Sample, Silence, VmSample, silence_of
from vitrail.model.text import Text, text
from vitrail.qt.facts import CardFacts, Facts
from vitrail.qt.words import Words, card_name

T = TypeVar("T")
_NO_ENGINE_BELOW = 0.5
_MOST_ENGINES = 5
_GIB_MIB = 1024


@dataclass(frozen=True, slots=True)
class Told:
    """A value in words; `why` says why there is none, `percent` is how full its bar is."""

    words: Text
    why: Text | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class LoadLine:
    """One VM on one card, or one card.

    `key`: of its curve. `thing`: what opens it elsewhere. `load` is None for a VM without a card behind it.
    """

    key: str
    thing: str
    title: Words
    on: Words
    hue: int | None
    load: Told | None
    of: Text | None
    share: Told | None
    memory: Told | None
    facts: tuple[Told, ...]
    told_by: Text | None


@dataclass(frozen=True, slots=True)
class LoadLines:
    """Everything of one tick: the VMs with the busiest first, then the cards; why there is none of a kind."""

    vms: tuple[LoadLine, ...]
    cards: tuple[LoadLine, ...]
    no_vms: Text | None
    no_cards: Text | None

    @property
    def every(self) -> tuple[LoadLine, ...]:
        """The VMs, then the cards."""
        return (*self.vms, *self.cards)


def lines_of(sample: Sample, facts: Facts, order: tuple[str, ...] = ()) -> LoadLines:
    """The lines of this tick. `order`: keys of VMs that stay as they were, so that rows do not jump each second."""
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    cards = sample.cards.value if isinstance(sample.cards, Known) else ()
    places = {key: place for place, key in enumerate(order)}
    lines = [(vm, _vm_line(vm, facts)) for vm in vms]
    lines.sort(key=lambda pair: (places.get(pair[1].key, len(places)), *_by_load(pair[0])))
    return LoadLines(
        tuple(line for _, line in lines),
        tuple(_card_line(card, facts) for card in sorted(cards, key=lambda card: card.address)),
        _why_no_vms(sample, facts) if not lines else None,
        _why_no_cards(sample) if not cards else None,
    )


def order_of(sample: Sample) -> tuple[str, ...]:
    """The VMs' keys, the busiest first, then those of which it is not known, then those without a card."""
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    return tuple(vm_key(vm.uuid, vm.gpu) for vm in sorted(vms, key=_by_load))


def _by_load(vm: VmSample) -> tuple[float, str, str]:
    if vm.load is None:
        return 2.0, vm.name.casefold(), vm.uuid
    rank = -vm.load[0].value if isinstance(vm.load[0], Known) else 1.0
    return rank, vm.name.casefold(), vm.uuid


def _why_no_vms(sample: Sample, facts: Facts) -> Text:
    if isinstance(sample.vms, Unknown):
        return sample.vms.reason
    return text("qt.load.none-runs") if facts.vms else text("qt.load.no-vms")


def _why_no_cards(sample: Sample) -> Text:
    return sample.cards.reason if isinstance(sample.cards, Unknown) else text("qt.load.no-cards")


def _vm_line(vm: VmSample, facts: Facts) -> LoadLine:
    key = vm_key(vm.uuid, vm.gpu)
    card = facts.card_at(vm.gpu)
    if vm.load is None:
        on: Words = text("qt.load.no-card-behind")
        return LoadLine(key, f"vm:{vm.uuid}", vm.name, on, None, None, None, None, None, _waits(vm), None)
    reading, of = vm.load
    both = of is LoadOf.CARD and vm.share_percent is not None
    return LoadLine(
        key=key,
        thing=f"vm:{vm.uuid}",
        title=vm.name,
        on=_on(vm.gpu, card),
        hue=None if card is None else card.hue,
        load=_percent(reading),
        of=text(f"qt.load.of.{of.value}"),
        share=_told(vm.share_percent, lambda value: _of_share(value)) if both else None,  # noqa: PLW0108 - typed
        memory=_memory(vm.memory_used_mib, vm.memory_share_mib),
        facts=(*_engines(vm.engines), *_frames(vm), *_waits(vm)),
        told_by=None if vm.source is None else _told_by(vm.source),
    )


def _of_share(value: float) -> Text:
    return text("qt.load.also-of-share", value=f"{value:.0f}")


def _on(address: PciAddress | None, card: CardFacts | None) -> Words:
    if card is not None:
        return text("qt.load.on", card=card_name(card.gpu))
    return text("qt.load.on-some") if address is None else text("qt.load.on-gone", address=address.short)


def _frames(vm: VmSample) -> tuple[Told, ...]:
    found = (
        _told(vm.frame_rate_fps, lambda value: text("qt.load.frames", value=f"{value:.0f}")),
        _told(vm.latency_ms, lambda value: text("qt.load.latency", value=f"{value:.1f}")),
        _told(vm.encoder_sessions, lambda value: text("qt.load.encodes", count=value)),
    )
    return tuple(one for one in found if one is not None and one.why is None)


def _waits(vm: VmSample) -> tuple[Told, ...]:
    if vm.context is None:
        return ()
    parts = (
        ("cpu", vm.context.cpu_percent),
        ("vcpu-wait", vm.context.vcpu_wait_percent),
        ("disk-wait", vm.context.disk_wait_percent),
    )
    return tuple(
        _unknown(reading, name)
        if isinstance(reading, Unknown)
        else Told(text(f"qt.load.waits.{name}", value=f"{reading.value:.0f}"))
        for name, reading in parts
    )


def _card_line(card: CardSample, facts: Facts) -> LoadLine:
    known = facts.card_at(card.address)
    fan = card.fan_percent if card.fan_percent is not None else card.fan_rpm
    parts = (
        ("temperature", card.temperature_c, "qt.load.degrees"),
        ("power", card.power_w, "qt.load.watts"),
        ("fan", fan, "qt.load.percent" if card.fan_percent is not None else "qt.load.rpm"),
        ("clock", card.clock_mhz, "qt.load.mhz"),
    )
    told = tuple(_named(name, reading, unit) for name, reading, unit in parts if reading is not None)
    return LoadLine(
        key=card_key(card.address),
        thing=f"card:{card.address}",
        title=card_name(known.gpu) if known is not None else card.address.short,
        on=text("qt.load.card-at", address=card.address.short),
        hue=None if known is None else known.hue,
        load=_percent(card.load_percent),
        of=text("qt.load.of.card"),
        share=None,
        memory=_memory(card.memory_used_mib, card.memory_total_mib),
        facts=(*_engines(card.engines), *told, *_slowed(card), *_link(card)),
        told_by=None,
    )


def _slowed(card: CardSample) -> tuple[Told, ...]:
    if card.slowed_by is None:
        return ()
    if isinstance(card.slowed_by, Unknown):
        return (_unknown(card.slowed_by, "slowed"),)
    reasons = card.slowed_by.value
    return (Told(text("qt.load.slowed", why=", ".join(reasons)) if reasons else text("qt.load.full-speed")),)


def _link(card: CardSample) -> tuple[Told, ...]:
    if card.pcie_link is None:
        return ()
    if isinstance(card.pcie_link, Unknown):
        return (_unknown(card.pcie_link, "link"),)
    return (Told(text("qt.load.link", link=card.pcie_link.value)),)


def _engines(engines: tuple[EngineLoad, ...]) -> tuple[Told, ...]:
    busy = sorted((one for one in engines if one.percent >= _NO_ENGINE_BELOW), key=lambda one: -one.percent)
    return tuple(
        Told(text("qt.load.engine", name=one.name, value=f"{one.percent:.0f}"), percent=one.percent)
        for one in busy[:_MOST_ENGINES]
    )


def _percent(reading: Reading[float]) -> Told:
    if isinstance(reading, Unknown):
        return _unknown(reading)
    return Told(text("qt.load.percent", value=f"{reading.value:.0f}"), percent=reading.value)


def _told(reading: Reading[T] | None, form: Callable[[T], Text]) -> Told | None:
    if reading is None:
        return None
    return _unknown(reading) if isinstance(reading, Unknown) else Told(form(reading.value))


def _named(name: str, reading: Reading[float] | Reading[int], unit: str) -> Told:
    if isinstance(reading, Unknown):
        return _unknown(reading, name)
    value = text(unit, value=f"{reading.value:.0f}")
    return Told(text("qt.load.fact", name=text(f"qt.load.fact.{name}"), value=value))


def _unknown(reading: Unknown, name: str | None = None) -> Told:
    """The short reason; the whole one is its `why`."""
    silence = silence_of(reading) or Silence.FAILED
    short = text(f"qt.load.silence.{silence.value}")
    if name is None:
        return Told(text("qt.load.unknown", why=short), reading.reason)
    return Told(text("qt.load.fact", name=text(f"qt.load.fact.{name}"), value=short), reading.reason)


def _memory(used: Reading[int] | None, total: Reading[int] | None) -> Told | None:
    if used is None:
        return None
    if isinstance(used, Unknown):
        return _unknown(used, "memory")
    if isinstance(total, Known) and total.value:
        words = text("qt.load.memory-of", used=size_words(used.value), total=size_words(total.value))
        return Told(words, percent=100 * used.value / total.value)
    return Told(text("qt.load.memory", used=size_words(used.value)))


def size_words(mib: float) -> str:
    """A size with its unit, as short as it can be read."""
    return f"{mib:.0f} MiB" if mib < _GIB_MIB else f"{mib / _GIB_MIB:.1f} GiB"


def _told_by(source: LoadSource) -> Text:
    names = {
        LoadSource.NVML_SHARE: "nvidia",
        LoadSource.NVML_PROCESS: "nvidia",
        LoadSource.FDINFO: "driver",
        LoadSource.PMU: "counters",
        LoadSource.GUEST: "guest",
    }
    return text(f"qt.load.by.{names[source]}")

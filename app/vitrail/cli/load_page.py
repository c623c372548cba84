# SPDX-License-Identifier: GPL-3.0-or-later
"""`load` for people: the cards, then the VMs by load; on a terminal in place of the former tick."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from vitrail.cli.banner import banner
from vitrail.cli.outlet import STDOUT
from vitrail.cli.page import Page, Words
from vitrail.model.machine import Host
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample, LoadOf, LoadSource, Sample, VmSample
from vitrail.model.text import Text, text
from vitrail.service.live_load import LiveLoad
from vitrail.text.speaker import speaker

T = TypeVar("T")
_TOP_AND_CLEAR = "\x1b[H\x1b[J"
_WHOLE = "\x1b[2J"


class LoadPage:
    """One table that is drawn again with every tick."""

    def __init__(self, language: str | None, load: LiveLoad, *, refreshes: bool) -> None:
        self._load = load
        self._speaker = speaker(language)
        self._in_place = refreshes and STDOUT.is_terminal and os.environ.get("TERM", "dumb") != "dumb"
        self._begun = False
        self._reasons: list[Text] = []

    def show(self, sample: Sample) -> None:
        """Draw this tick."""
        if self._in_place:
            STDOUT.put(_TOP_AND_CLEAR if self._begun else _WHOLE + _TOP_AND_CLEAR)
        self._begun = True
        self._reasons = []
        page = Page(self._speaker)
        host = self._load.host
        banner(page, self._load.kind, self._load.label)
        self._cards(page, sample.cards, host)
        self._vms(page, sample.vms, host)
        if self._reasons:
            page.write()
        for number, reason in enumerate(self._reasons, start=1):
            page.entry(f"{number}  ", reason, 2)
        if self._in_place:
            page.write()
            page.paragraph(text("cli.load.end"))

    def _cards(self, page: Page, cards: Reading[tuple[CardSample, ...]], host: Host) -> None:
        page.heading(text("cli.scan.cards"))
        if isinstance(cards, Unknown):
            page.entry("", cards, 2)
        elif not cards.value:
            page.paragraph(text("cli.scan.no-cards"), 2)
        else:
            heads = ("card", "load", "memory", "temperature", "power", "fan")
            rows: list[tuple[Words, ...]] = [self._card(card, host) for card in cards.value]
            page.table(tuple(text(f"cli.load.{head}") for head in heads), rows)

    def _card(self, card: CardSample, host: Host) -> tuple[Words, ...]:
        fan = card.fan_percent if card.fan_percent is not None else card.fan_rpm
        unit = "cli.load.percent" if card.fan_percent is not None else "cli.load.rpm"
        return (
            _card_name(card.address, host),
            self._cell(card.load_percent, _percent),
            self._memory(card.memory_used_mib, card.memory_total_mib),
            self._cell(card.temperature_c, lambda value: text("cli.load.degrees", value=f"{value:.0f}")),
            self._cell(card.power_w, lambda value: text("cli.load.watts", value=f"{value:.0f}")),
            self._cell(fan, lambda value: text(unit, value=str(value))),
        )

    def _vms(self, page: Page, vms: Reading[tuple[VmSample, ...]], host: Host) -> None:
        page.heading(text("cli.scan.vms"))
        if isinstance(vms, Unknown):
            page.entry("", vms, 2)
        elif not vms.value:
            page.paragraph(text("cli.load.no-vms"), 2)
        else:
            heads = ("vm", "on", "load", "of-share", "memory", "frames", "told-by")
            rows: list[tuple[Words, ...]] = [self._vm(vm, host) for vm in sorted(vms.value, key=_by_load)]
            page.table(tuple(text(f"cli.load.{head}") for head in heads), rows)

    def _vm(self, vm: VmSample, host: Host) -> tuple[Words, ...]:
        if vm.load is None:
            return (vm.name, text("cli.load.no-card"), None, None, None, None, None)
        of_card = vm.card_percent if vm.load[1] is LoadOf.CARD else None
        return (
            vm.name,
            _card_name(vm.gpu, host) if vm.gpu is not None else None,
            self._cell(of_card, _percent),
            self._cell(vm.share_percent, _percent),
            self._memory(vm.memory_used_mib, vm.memory_share_mib),
            self._cell(vm.frame_rate_fps, lambda value: text("cli.load.fps", value=f"{value:.0f}")),
            None if vm.source is None else _told_by(vm.source),
        )

    def _memory(self, used: Reading[int] | None, total: Reading[int] | None) -> Words:
        if isinstance(used, Known) and isinstance(total, Known):
            return text("cli.load.mib-of", used=used.value, total=total.value)
        return self._cell(used, lambda value: text("cli.card.mib", mib=value))

    def _cell(self, reading: Known[T] | Unknown | None, form: Callable[[T], Text]) -> Words:
        """The value, or the number of the line below that says why it is not known."""
        if reading is None:
            return None
        if isinstance(reading, Known):
            return form(reading.value)
        if reading.reason not in self._reasons:
            self._reasons.append(reading.reason)
        return text("cli.load.unknown", number=self._reasons.index(reading.reason) + 1)


def _card_name(address: PciAddress, host: Host) -> Words:
    gpu = host.gpu_at(address)
    name = None if gpu is None else gpu.device.common_name
    return (
        text("cli.load.address", address=address.short)
        if name is None
        else text("cli.card.named", name=name, address=address.short)
    )


def _percent(value: float) -> Text:
    return text("cli.load.percent", value=f"{value:.0f}")


def _told_by(source: LoadSource) -> Text:
    match source:
        case LoadSource.NVML_SHARE | LoadSource.NVML_PROCESS:
            return text("cli.load.by-nvidia")
        case LoadSource.FDINFO:
            return text("cli.load.by-driver")
        case LoadSource.PMU:
            return text("cli.load.by-counters")
        case LoadSource.GUEST:
            return text("cli.load.by-guest")


def _by_load(vm: VmSample) -> tuple[float, str]:
    """The busiest first, then those of which it is not known, then those without a card."""
    if vm.load is None:
        return 2.0, vm.name
    return (-vm.load[0].value, vm.name) if isinstance(vm.load[0], Known) else (1.0, vm.name)

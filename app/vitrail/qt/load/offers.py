# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done so that more is known, or less is asked: the administrator's word, a VM that is asked itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import LoadSource, Sample, VmSample
from vitrail.model.text import Text, text
from vitrail.qt.pages.page import clear
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say

_MOST = 3
_PERMISSION = "load.needs-helper.permission"
_ASK = "load.needs-agent.ask"


class Deed(Enum):
    """What a button does."""

    PERMIT = "permit"
    ASK = "ask"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Offer:
    """One sentence and its button; `uuid`: of the VM, empty where it is about all."""

    deed: Deed
    uuid: str
    words: Text
    does: Text


def offers_of(sample: Sample) -> tuple[Offer, ...]:
    """What this tick calls for, a few at most."""
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    found: dict[tuple[Deed, str], Offer] = {}
    for vm in vms:
        offer = _offer(vm)
        if offer is not None:
            found.setdefault((offer.deed, offer.uuid), offer)
    return tuple(sorted(found.values(), key=lambda offer: list(Deed).index(offer.deed))[:_MOST])


def _offer(vm: VmSample) -> Offer | None:
    if vm.source is LoadSource.GUEST and isinstance(vm.card_percent, Known):
        return Offer(Deed.STOP, vm.uuid, text("qt.load.offer.asked", vm=vm.name), text("qt.load.offer.stop"))
    reading = vm.load[0] if vm.load is not None else None
    if not isinstance(reading, Unknown):
        return None
    if reading.reason.id == _PERMISSION:
        return Offer(Deed.PERMIT, "", text("qt.load.offer.hidden"), text("qt.load.offer.permit"))
    if reading.reason.id == _ASK:
        return Offer(Deed.ASK, vm.uuid, text("qt.load.offer.inside", vm=vm.name), text("qt.load.offer.ask"))
    return None


class OffersStrip(QWidget):
    """The offers, a line each; hidden where there are none."""

    def __init__(self, say: Say, take: Callable[[Offer], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say, self._take = say, take
        self._shown: tuple[Offer, ...] = ()
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(GAP // 2)
        self.hide()

    def show_offers(self, offers: tuple[Offer, ...]) -> None:
        """Show these; the same again changes nothing, so that no button moves away under the pointer."""
        if offers == self._shown:
            return
        self._shown = offers
        clear(self._list)
        for offer in offers:
            self._list.addWidget(self._line(offer))
        self.setVisible(bool(offers))

    def _line(self, offer: Offer) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        words = self._say(offer.words)
        row.addWidget(PlainLabel(words, Kind.BODY), 1)
        made = button(self._say(offer.does), lambda: self._take(offer), small=True)
        made.setAccessibleDescription(words)
        row.addWidget(made)
        return line

# SPDX-License-Identifier: GPL-3.0-or-later
"""The load in one word, for pages that are about something else. What is not known is left out there.

Apart from the lines because the first picture of the window loads it, and it needs nothing but the model.
"""

from __future__ import annotations

from typing import NamedTuple

from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import Sample
from vitrail.model.text import Text, text


class ShortLoad(NamedTuple):
    """How much, in words that say of what."""

    percent: float
    words: Text


def short_loads(sample: Sample) -> dict[str, ShortLoad]:
    """Of every card (`card:` and its address) and VM (`vm:` and its UUID) the known load; a VM's highest of several."""
    found: dict[str, ShortLoad] = {}
    for card in sample.cards.value if isinstance(sample.cards, Known) else ():
        if isinstance(card.load_percent, Known):
            found[f"card:{card.address}"] = _short(card.load_percent.value, "card")
    for vm in sample.vms.value if isinstance(sample.vms, Known) else ():
        if vm.load is None or isinstance(vm.load[0], Unknown):
            continue
        key, percent = f"vm:{vm.uuid}", vm.load[0].value
        if key not in found or found[key].percent < percent:
            found[key] = _short(percent, vm.load[1].value)
    return found


def _short(percent: float, of: str) -> ShortLoad:
    # The whole percent only: a picture that is the same is not drawn again.
    return ShortLoad(float(round(percent)), text(f"qt.load.short.{of}", value=f"{percent:.0f}"))

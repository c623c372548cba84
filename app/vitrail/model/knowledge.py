# SPDX-License-Identifier: GPL-3.0-or-later
"""What Vitrail was told rather than what it read: traits of modes, known quirks, words. Each entry names its source.

`service` loads it from resources/knowledge and hands it to `judge`; nothing else looks at the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.mode import Mode
from vitrail.model.text import Text


@dataclass(frozen=True, slots=True)
class Traits:
    """What a mode costs and gives, as short texts, and how well it fits each purpose (0 no to 3 best)."""

    mode: Mode
    performance: Text
    sharing: Text
    isolation: Text
    migration: Text
    effort: Text
    cost: Text
    fits: tuple[tuple[str, int], ...]
    """(purpose, 0..3); purposes are those of `PURPOSES`."""


PURPOSES = ("games", "desktop", "cad", "compute", "video", "legacy", "unknown")
"""Why a VM wants graphics; `unknown` is the user's "I don't know yet"."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """A known report about certain devices: shown as a report with its source, never as a certainty."""

    id: str
    vendor_id: int
    device_ids: tuple[tuple[int, int], ...]
    """Inclusive ranges of device ids; empty means every display device of the vendor."""
    title: Text
    remedy: Text | None
    source: str
    confidence: str
    """`documented`, `reported` or `general`."""
    never_offer: bool = False
    """The device is a management controller's screen: listed, and no mode offers it."""


class CardAbility(StrEnum):
    """What the maker of a card says that it can do and no file of a running system shows beforehand."""

    VGPU = "vgpu"
    MIG = "mig"
    GVT_G = "gvt-g"
    SRIOV = "sriov"
    """Shares its graphics by virtual functions with drivers that come with the kernel or from its maker."""
    SRIOV_OUT_OF_TREE = "sriov-out-of-tree"
    """Likewise, with a driver that somebody else maintains outside the kernel."""


@dataclass(frozen=True, slots=True)
class CardFamily:
    """Cards of one vendor that share an ability; never a full list, so absence proves nothing by itself."""

    ability: CardAbility
    name: str
    vendor_id: int
    device_ids: tuple[tuple[int, int], ...]
    """Inclusive ranges of device ids; never empty."""
    source: str


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the glossary: the word itself and what it means, both as texts."""

    id: str
    name: Text
    meaning: Text


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All of it, frozen, with the files' own version."""

    version: str
    traits: tuple[Traits, ...]
    quirks: tuple[Quirk, ...]
    families: tuple[CardFamily, ...] = ()
    glossary: tuple[Term, ...] = ()

    def traits_of(self, mode: Mode) -> Traits:
        """The traits of a mode; every mode has an entry (tested)."""
        return next(entry for entry in self.traits if entry.mode is mode)

    def quirks_of(self, vendor_id: int | None, device_id: int | None) -> tuple[Quirk, ...]:
        """Every known report that covers this device; none where its ids are not told."""
        if vendor_id is None or device_id is None:
            return ()
        return tuple(
            quirk
            for quirk in self.quirks
            if quirk.vendor_id == vendor_id
            and (not quirk.device_ids or any(low <= device_id <= high for low, high in quirk.device_ids))
        )

    def family_of(self, ability: CardAbility, vendor_id: int | None, device_id: int | None) -> CardFamily | None:
        """The entry that says that this device has the ability, None where no entry says so."""
        if vendor_id is None or device_id is None:
            return None
        return next(
            (
                family
                for family in self.families
                if family.ability is ability
                and family.vendor_id == vendor_id
                and any(low <= device_id <= high for low, high in family.device_ids)
            ),
            None,
        )

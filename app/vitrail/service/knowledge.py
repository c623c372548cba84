# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads resources/knowledge into one frozen value, strictly: these files are ours, so anything odd in them is a fault.

Nothing else looks at the files; `judge` and the pages get the value.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from vitrail.model.errors import Unreadable
from vitrail.model.knowledge import PURPOSES, CardAbility, CardFamily, Knowledge, Quirk, Term, Traits
from vitrail.model.mode import Mode
from vitrail.model.text import Text, text
from vitrail.source.resources import resources

_TRAITS = ("performance", "sharing", "isolation", "migration", "effort", "cost")
_CONFIDENCES = ("documented", "reported", "general")
_BEST_FIT = 3
_IDS = re.compile(r"([0-9a-f]{4})(?:-([0-9a-f]{4}))?")
_TEXT_ID = re.compile(r"knowledge\.[a-z0-9.-]+")


class _Table:
    """One table of a file, whose keys are taken one by one; what is left over is refused."""

    def __init__(self, file: str, where: str, data: object) -> None:
        self._file = file
        self._where = where
        if not isinstance(data, dict):
            raise self.fault()
        self._left: dict[str, object] = dict(data)

    def fault(self, key: str | None = None) -> Unreadable:
        """What to raise for this table, or for one key of it."""
        where = f"{self._where}.{key}" if key else self._where
        return Unreadable(text("knowledge.unreadable", file=self._file, where=where), text("knowledge.reinstall"))

    def take(self, key: str, kind: type, default: object = None) -> Any:
        """The value of a key, of exactly this type; without a default it has to be there."""
        value = self._left.pop(key, default)
        if type(value) is not kind:
            raise self.fault(key)
        return value

    def message(self, key: str) -> Text:
        """A key that holds the id of a text."""
        message_id = self.take(key, str)
        if _TEXT_ID.fullmatch(message_id) is None:
            raise self.fault(key)
        return text(message_id)

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """A key that holds one of these words."""
        word: str = self.take(key, str)
        if word not in allowed:
            raise self.fault(key)
        return word

    def vendor(self) -> int:
        """The PCI id of a vendor."""
        low, high = self._range("vendor", self.take("vendor", str))
        if low != high:
            raise self.fault("vendor")
        return low

    def devices(self) -> tuple[tuple[int, int], ...]:
        """PCI ids of devices, single ones and ranges."""
        return tuple(self._range("devices", words) for words in self.take("devices", list))

    def _range(self, key: str, words: object) -> tuple[int, int]:
        match = _IDS.fullmatch(words) if isinstance(words, str) else None
        if match is None:
            raise self.fault(key)
        low, high = int(match[1], 16), int(match[2] or match[1], 16)
        if high < low:
            raise self.fault(key)
        return low, high

    def left(self) -> tuple[str, ...]:
        """The keys that nobody took yet."""
        return tuple(self._left)

    def end(self) -> None:
        """Refuse what nobody asked for: a misspelt key would be silently without effect."""
        if self._left:
            raise self.fault(next(iter(self._left)))


def load_knowledge(folder: Path | None = None) -> Knowledge:
    """What Vitrail was told, from this folder, else from the shipped one. Raises Unreadable, naming file and key."""
    place = resources() / "knowledge" if folder is None else folder
    modes = _read(place, "modes.toml")
    version: str = modes.take("version", str)
    return Knowledge(
        version=version,
        traits=_traits(modes),
        quirks=_quirks(_read(place, "quirks.toml")),
        families=_families(_read(place, "families.toml")),
        glossary=_glossary(_read(place, "glossary.toml")),
    )


def _read(folder: Path, name: str) -> _Table:
    try:
        return _Table(name, name, tomllib.loads((folder / name).read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fault = text("knowledge.unreadable", file=name, where=str(error))
        raise Unreadable(fault, text("knowledge.reinstall")) from error


def _each(table: _Table, file: str) -> list[tuple[str, _Table]]:
    return [(key, _Table(file, key, table.take(key, dict))) for key in table.left()]


def _traits(table: _Table) -> tuple[Traits, ...]:
    found = []
    for mode in Mode:
        entry = _Table("modes.toml", mode.value, table.take(mode.value, dict))
        words = {trait: entry.message(trait) for trait in _TRAITS}
        found.append(Traits(mode=mode, fits=_fits(entry), **words))
        entry.end()
    table.end()
    return tuple(found)


def _fits(entry: _Table) -> tuple[tuple[str, int], ...]:
    fits = _Table("modes.toml", "fits", entry.take("fits", dict))
    found = tuple((purpose, fits.take(purpose, int)) for purpose in PURPOSES)
    fits.end()
    for purpose, fit in found:
        if not 0 <= fit <= _BEST_FIT:
            raise fits.fault(purpose)
    return found


def _quirks(table: _Table) -> tuple[Quirk, ...]:
    found = []
    for quirk_id, entry in _each(table, "quirks.toml"):
        found.append(
            Quirk(
                id=quirk_id,
                vendor_id=entry.vendor(),
                device_ids=entry.devices(),
                title=entry.message("title"),
                remedy=entry.message("remedy") if "remedy" in entry.left() else None,
                source=entry.take("source", str),
                confidence=entry.one_of("confidence", _CONFIDENCES),
                never_offer=entry.take("never_offer", bool, default=False),
            )
        )
        entry.end()
    return tuple(found)


def _families(table: _Table) -> tuple[CardFamily, ...]:
    found = []
    for data in table.take("family", list):
        entry = _Table("families.toml", "family", data)
        ability = CardAbility(entry.one_of("ability", tuple(CardAbility)))
        name: str = entry.take("name", str)
        vendor, devices = entry.vendor(), entry.devices()
        if not devices:
            # An empty list means every device of the vendor elsewhere; no ability is that broad.
            raise entry.fault("devices")
        found.append(CardFamily(ability, name, vendor, devices, entry.take("source", str)))
        entry.end()
    table.end()
    return tuple(found)


def _glossary(table: _Table) -> tuple[Term, ...]:
    found = []
    for term, entry in _each(table, "glossary.toml"):
        found.append(Term(term, entry.message("name"), entry.message("meaning")))
        entry.end()
    return tuple(found)

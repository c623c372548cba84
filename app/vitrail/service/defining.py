# SPDX-License-Identifier: GPL-3.0-or-later
"""One write of one domain, settled: after this call it is known what the store holds, or it is said that it is not.

libvirt has no compare-and-swap and drops what it does not know without a word; so the text is read just before, read
back after, and what became of it is an answer instead of a hope.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.errors import Unreachable
from vitrail.model.reading import Known
from vitrail.model.text import Text
from vitrail.service.stores import DefineRefused, DefineUnknown, DomainStore, StoredDomain


class Vanished(Exception):
    """There is no such domain any more."""


class Moved(Exception):
    """The domain's text is not the one that the write was made for."""


class Unsure(Exception):
    """The write was sent and nothing that was read since tells what became of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the store holds after the write. `refused`: its message where it did not take the text."""

    seen: str
    refused: str | Text | None = None


def read_text(store: DomainStore, uuid: str) -> tuple[StoredDomain, str]:
    """The domain and its text now. Raises Vanished, Unreachable."""
    domain = store.read(uuid)
    if domain is None:
        raise Vanished
    if not isinstance(domain.text, Known):
        raise Unreachable(domain.text.reason)
    return domain, domain.text.value


def write(store: DomainStore, uuid: str, words: str, *, instead_of: str, strict: bool) -> Written:
    """Define `words` where the store still holds `instead_of`, and read back.

    Raises Vanished or Moved before anything was sent, Unsure after; Unreachable only before.
    """
    _domain, current = read_text(store, uuid)
    if current != instead_of:
        raise Moved
    refused: str | Text | None = None
    try:
        _define(store, uuid, words, current, strict=strict)
    except DefineRefused as error:
        refused = error.message
    except DefineUnknown:
        return _settle(store, uuid, current)
    try:
        return Written(read_text(store, uuid)[1], refused)
    except (Unreachable, Vanished) as error:
        raise Unsure from error


def _define(store: DomainStore, uuid: str, words: str, current: str, *, strict: bool) -> None:
    try:
        store.define(uuid, words, strict=strict)
    except DefineRefused as error:
        # Some definitions broke the schema before us (an older libvirt took them): then its word is no judgement of
        # our change, and reading back finds whatever gets lost.
        if not error.schema or _fits_schema(store, uuid, current):
            raise
        store.define(uuid, words, strict=False)


def _fits_schema(store: DomainStore, uuid: str, current: str) -> bool:
    try:
        store.define(uuid, current, strict=True)
    except DefineRefused as error:
        return not error.schema
    return True


def _settle(store: DomainStore, uuid: str, before: str) -> Written:
    """A write without an answer: a text that changed tells that it arrived, an unchanged one tells nothing."""
    try:
        _domain, seen = read_text(store, uuid)
    except (Unreachable, Vanished) as error:
        raise Unsure from error
    if seen == before:
        raise Unsure
    return Written(seen)

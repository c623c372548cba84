# SPDX-License-Identifier: GPL-3.0-or-later
"""A fact that was read, or the reason why it was not.

"Could not read" is never 0, never False and never an empty list; `Known(None, ...)` means that it was read and there
is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from vitrail.model.text import Text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Known(Generic[T_co]):
    """A value and where it was read (a path of this machine, a call, a line of a listing)."""

    value: T_co
    source: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing was read; `reason` says why, in words that a user can act on."""

    reason: Text


Reading = Known[T] | Unknown


def known_or(reading: Known[T] | Unknown, otherwise: T) -> T:
    """The value, or `otherwise` where nothing was read. Only for places where not knowing and `otherwise` act alike."""
    return reading.value if isinstance(reading, Known) else otherwise

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to the user, before it is said in a language.

Findings, steps, outcomes and errors hold a `Text`; only `vitrail.text` turns one into a sentence. So a plan's id does
not depend on the language, and untrusted words (a VM's name, a tool's output) are arguments that can be made harmless
in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Text:
    """A message id of the catalogue with its arguments; `count` selects the plural form where there is one."""

    id: str
    args: tuple[tuple[str, str | int | Text], ...] = ()
    count: int | None = None


def text(message_id: str, /, count: int | None = None, **args: str | int | Text) -> Text:
    """The `Text` with this id; arguments are kept in the order of their names, so equal texts compare equal."""
    if not args and count is None:
        return _plain(message_id)
    return Text(message_id, tuple(sorted(args.items())), count)


@cache
def _plain(message_id: str) -> Text:
    """Without arguments the same words are the same object, however many VMs they are said of."""
    return Text(message_id)


class Secret:
    """A value that no output may show: it prints as `•••` and leaves only through `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one writer that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "•••"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which language to speak: what was asked for, else what the environment says, else English."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = "en"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_LONGEST = 32
"""No language has a longer name, and file systems know no folder with a far longer one."""


def wanted_languages(asked: str | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Language names in the order of preference, `de_AT` before `de`; empty where English is meant."""
    named = asked or next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    found: list[str] = []
    for entry in named.split(":"):
        locale = entry.partition(".")[0].partition("@")[0].replace("-", "_")
        for name in (locale, locale.partition("_")[0]):
            if name in ("C", "POSIX", ENGLISH):
                return tuple(found)
            if _is_name(name) and name not in found:
                found.append(name)
    return tuple(found)


def _is_name(name: str) -> bool:
    # The name becomes a folder: nothing else may get through.
    return len(name) <= _LONGEST and all(part.isalnum() and part.isascii() for part in name.split("_"))

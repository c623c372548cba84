# SPDX-License-Identifier: GPL-3.0-or-later
"""The few settings of GRUB that are asked for, out of files that a shell would run.

Separate because only lines that mean the same whatever runs around them are believed: a value with a substitution, or
an assignment inside a condition, is told as unclear instead.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_LINE = re.compile(r"(\s*)(?:export\s+)?(GRUB_[A-Z0-9_]+)(\+?=)(.*)")


def grub_settings(files: Iterable[str]) -> dict[str, str | None]:
    """Each setting's value in these files, read in their order; None for one that only a shell could tell."""
    found: dict[str, str | None] = {}
    for words in files:
        for line in words.split("\n"):
            match = _LINE.match(line)
            if match:
                indent, key, operator, rest = match.groups()
                found[key] = None if indent or operator != "=" else _value(rest)
    return found


def _value(rest: str) -> str | None:
    if "$" in rest or "`" in rest:
        return None
    try:
        parts = shlex.split(rest, comments=True)
    except ValueError:
        return None
    if not parts or rest[:1].isspace():
        return ""
    # `A=1 B=2` and `A=1; B=2` both set A; `A=1 program` sets it for the program alone.
    return parts[0] if len(parts) == 1 and ";" not in parts[0] else None

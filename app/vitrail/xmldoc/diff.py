# SPDX-License-Identifier: GPL-3.0-or-later
"""A change as people see it: a unified diff with everything secret masked."""

from __future__ import annotations

import difflib
import re

from vitrail.model.text import Secret

MASK = str(Secret(""))

_ATTRIBUTE = re.compile(r"""(?P<head>\b(?:passwd|password)\s*=\s*)(?P<quote>["'])(?P<value>.*?)(?P=quote)""", re.DOTALL)
# QEMU's own arguments: `password=x`, `"password":"x"` (quotes may be entities) and `secret,...,data=x`.
_OPTION = re.compile(r"(?P<head>\b(?:passwd|password)=)(?P<value>[^\s,'\"<>&•]+)")
_JSON = re.compile(
    r"(?P<head>(?:\"|&quot;|')(?:passwd|password)(?:\"|&quot;|')\s*:\s*(?:\"|&quot;|'))(?P<value>.*?)(?=\"|&quot;|')"
)
_SECRET_OBJECT = re.compile(r"(?P<head>\bsecret\b[^<>'\"]*?\bdata=)(?P<value>[^\s,'\"<>&]+)")
_SECRET_JSON = re.compile(
    r"(?P<head>(?:\"|&quot;)qom-type(?:\"|&quot;):(?:\"|&quot;)secret(?:\"|&quot;)[^<>]*?"
    r"(?:\"|&quot;)data(?:\"|&quot;):(?:\"|&quot;))(?P<value>.*?)(?=\"|&quot;)"
)


def _without_line_ends(match: re.Match[str]) -> str:
    return f"{match['head']}{match['quote']}{MASK}{match['quote']}"


def masked(words: str) -> str:
    """The text with every password in it shown as `•••`; what is not a secret stays as it is."""
    words = _ATTRIBUTE.sub(_without_line_ends, words)
    for pattern in (_OPTION, _JSON, _SECRET_OBJECT, _SECRET_JSON):
        words = pattern.sub(lambda match: match["head"] + MASK, words)
    return words


def shown_diff(before: str, after: str) -> str:
    """A unified diff of two documents, secrets masked; a carriage return at a line's end is not shown."""
    old, new = (masked(words).splitlines() for words in (before, after))
    lines = list(difflib.unified_diff(old, new, "before", "after", lineterm=""))
    return "\n".join(lines) + "\n" if lines else ""

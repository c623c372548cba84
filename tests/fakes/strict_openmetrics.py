# SPDX-License-Identifier: GPL-3.0-or-later
"""A small reader of OpenMetrics text that takes nothing but what the specification allows of gauges."""

from __future__ import annotations

import math
import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_META = re.compile(rf"# (TYPE|UNIT|HELP) ({_NAME}) (.+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_UNESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(content: bytes) -> Series:
    """Every sample by name and labels. Raises AssertionError for anything that is not allowed."""
    words = content.decode("utf-8")
    assert words.endswith("\n# EOF\n") or words == "# EOF\n"
    found: Series = {}
    seen: set[str] = set()
    meta: dict[str, str] = {}
    current = ""
    for line in words.removesuffix("# EOF\n").split("\n")[:-1]:
        head = _META.fullmatch(line)
        if head is not None:
            kind, name, rest = head.groups()
            if name != current:
                assert name not in seen, f"{name} is interleaved"
                seen.add(name)
                current, meta = name, {}
            assert kind not in meta, line
            assert not any(at == name for at, _ in found), "a description behind its samples"
            meta[kind] = rest
            assert kind != "UNIT" or name.endswith(f"_{rest}"), line
            continue
        match = _SAMPLE.fullmatch(line)
        assert match is not None, line
        assert match[1] == current, line
        assert meta.keys() == {"TYPE", "UNIT", "HELP"}, line
        key = (match[1], _labels(match[2] or ""))
        assert key not in found, f"twice: {line}"
        found[key] = float(match[3])
        assert math.isfinite(found[key]), line
    return found


def _labels(words: str) -> frozenset[tuple[str, str]]:
    at, found = 0, []
    while at < len(words):
        match = _LABEL.match(words, at)
        assert match is not None, words
        found.append((match[1], re.sub(r'\\["\\n]', lambda escape: _UNESCAPED[escape[0]], match[2])))
        at = match.end()
        assert at == len(words) or words[at] == ",", words
        at += 1
    names = [name for name, _ in found]
    assert len(set(names)) == len(names), words
    return frozenset(found)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM steps that remain, as the command lines that take them back by hand, where a user's state folder is named.

Root reads a folder that a user writes: nothing there is believed but its form, links are not followed, and the result
is only shown. Lines are read field by field, so that what a newer Vitrail added does not hide what is known here.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal
from vitrail.model.outcome import RunResult, StepResult

_RUN = re.compile(r"\d{6,12}-[0-9a-f]{16}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CONNECTION = re.compile(r"(qemu|test)(\+\w+)?:[\x21-\x7e]+", re.ASCII)
_MOST = 4 * 1024 * 1024
_SETTLED = (StepResult.TAKEN_BACK.value, StepResult.SAME.value, StepResult.MERGED.value)


def commands_left(folder: str) -> tuple[str, ...]:
    """One line for each VM step that may still be in effect, in the order in which they are to be run."""
    tree = Tree(folder)
    found: list[str] = []
    for run in sorted((name for name in tree.names("runs") if _RUN.fullmatch(name)), reverse=True):
        try:
            lines = tree.fact(f"runs/{run}/journal.jsonl", _MOST).split(b"\n")[:-1]
            found += _commands(folder, [line for line in map(json.loads, lines) if isinstance(line, dict)])
        except (OSError, ValueError, RecursionError, Refusal):
            continue
    return tuple(found)


def _commands(folder: str, lines: list[dict[str, Any]]) -> list[str]:
    connection = str(lines[0].get("connection")) if lines else ""
    if not _CONNECTION.fullmatch(connection):
        return []
    ends = [line.get("result") for line in lines if line.get("class") == "RunEnded"]
    if ends and ends[-1] == RunResult.TAKEN_BACK.value:
        return []
    settled = [line.get("index") for line in lines if line.get("result") in _SETTLED]
    digests = [
        str(line.get("before_digest"))
        for line in reversed(lines)
        if line.get("class") == "StepStarted" and line.get("step") == "edit-vm" and line.get("index") not in settled
    ]
    objects = f"{folder.rstrip('/')}/objects"
    good = [digest for digest in digests if _DIGEST.fullmatch(digest)]
    return [shlex.join(["virsh", "-c", connection, "define", f"{objects}/{digest}"]) for digest in good]

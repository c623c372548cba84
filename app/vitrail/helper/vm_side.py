# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM steps that remain, as the command lines that take them back by hand, where a user's state folder is named.

Root reads a folder that a user writes: nothing there is believed but its form, links are not followed, and the result
is only shown.
"""

from __future__ import annotations

import json
import re
import shlex

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal
from vitrail.model.journal import Line, RunEnded, RunStarted, StepStarted, StepTakenBack
from vitrail.model.outcome import RunResult, StepResult
from vitrail.model.wire import from_wire

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
            found += _commands(folder, [from_wire(Line, json.loads(line)) for line in lines])
        except (OSError, ValueError, RecursionError, Refusal):
            continue
    return tuple(found)


def _commands(folder: str, lines: list[Line]) -> list[str]:
    first = lines[0] if lines else None
    if not isinstance(first, RunStarted) or not _CONNECTION.fullmatch(first.connection):
        return []
    ends = [line.result for line in lines if isinstance(line, RunEnded)]
    if ends and ends[-1] == RunResult.TAKEN_BACK.value:
        return []
    settled = {line.index for line in lines if isinstance(line, StepTakenBack) and line.result in _SETTLED}
    steps = [line for line in lines if isinstance(line, StepStarted) and line.index not in settled]
    good = [step for step in reversed(steps) if step.step == "edit-vm" and _DIGEST.fullmatch(step.before_digest)]
    objects = f"{folder.rstrip('/')}/objects"
    return [shlex.join(["virsh", "-c", first.connection, "define", f"{objects}/{one.before_digest}"]) for one in good]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's lines that tell why a start went wrong: warnings, errors, and what is about cards and their drivers.

Never all of it: bounded in number and length, the first ones (causes) and the last ones (where it stopped).
"""

from __future__ import annotations

import json
import os
import re

from vitrail.helper.run import SystemTool, ask_system
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Refusal
from vitrail.model.kernel_argument import PlanToken, word_of

_RING = "dev/kmsg"
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_RECORD = re.compile(r"(?P<flags>\d{1,4}),\d+,(?P<micros>\d+),[^;]*;(?P<words>.*)")
_OURS = re.compile(
    r"vitrail|vfio|\bdrm\b|iommu|DMAR|AMD-Vi|nvidia|NVRM|nouveau|amdgpu|radeon|i915|\bxe\b|simpledrm|efifb|vesafb|fbcon|"
    r"vgaarb|Command line:",
    re.IGNORECASE,
)
_WARNING = 4
_SEVERITY = 7
_MOST_FIRST, _MOST_LAST, _MOST_CHARACTERS = 120, 80, 300
_MOST_BYTES = 8 * 1024 * 1024
_BEFORE = (SystemTool.KERNEL_LOG_1, SystemTool.KERNEL_LOG_2, SystemTool.KERNEL_LOG_3)


def kernel_lines(tree: Tree) -> tuple[str, ...] | None:
    """Of this boot, None where the kernel's ring cannot be read."""
    try:
        records = _records(tree)
    except (OSError, Refusal):
        return None
    return _bounded([line for severity, line in records if severity <= _WARNING or _OURS.search(line)])


def earlier_kernel_lines(tree: Tree, plan_id: str) -> tuple[str, tuple[str, ...]] | None:
    """The newest of the boots before this one that was a trial of this plan: its id and its lines; None: not found."""
    token = re.compile(rf"Command line:.*\b{re.escape(word_of(PlanToken(plan_id)))}\b")
    for tool in _BEFORE:
        try:
            ran = ask_system(tree, tool)
        except Refusal:
            return None
        if not ran.well:
            return None
        entries = [entry for line in ran.output.split(b"\n") if (entry := _entry(line)) is not None]
        if any(token.search(words) for _, _, words in entries):
            chosen = [words for _, severity, words in entries if severity <= _WARNING or _OURS.search(words)]
            return entries[0][0], _bounded(chosen)
    return None


def _records(tree: Tree) -> list[tuple[int, str]]:
    """Severity and text of every record in the ring. Raises OSError."""
    with tree.parent(_RING) as (folder, name):
        descriptor = os.open(name, _READ, dir_fd=folder)
    found, size = list[tuple[int, str]](), 0
    try:
        while size < _MOST_BYTES:
            try:
                piece = os.read(descriptor, 65536)
            except BrokenPipeError:
                # The record was overwritten before it was read; the next read goes on behind it.
                continue
            except BlockingIOError:
                break
            if not piece:
                break
            size += len(piece)
            matches = (_RECORD.match(line) for line in piece.decode("utf-8", "replace").split("\n"))
            found += [_told(match) for match in matches if match is not None]
    finally:
        os.close(descriptor)
    return found


def _told(match: re.Match[str]) -> tuple[int, str]:
    return int(match["flags"]) & _SEVERITY, f"[{int(match['micros']) / 1e6:12.6f}] {match['words']}"


def _entry(line: bytes) -> tuple[str, int, str] | None:
    """Boot id, severity and text of one line of journalctl's, None where it is none."""
    try:
        data = json.loads(line)
        return str(data["_BOOT_ID"]), int(data.get("PRIORITY", _SEVERITY)), str(data["MESSAGE"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _bounded(lines: list[str]) -> tuple[str, ...]:
    shown = [line[:_MOST_CHARACTERS] for line in lines]
    if len(shown) > _MOST_FIRST + _MOST_LAST:
        return (*shown[:_MOST_FIRST], "...", *shown[-_MOST_LAST:])
    return tuple(shown)

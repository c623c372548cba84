# SPDX-License-Identifier: GPL-3.0-or-later
"""One VM's own agent (QEMU guest agent), asked what its card does: a closed list of commands with fixed arguments.

What may be run inside a VM stands here and nowhere else. Nothing of it comes from the VM, the user or a file. The
answers may be hostile: only numbers of expected form leave this module.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vitrail.load.ports import GuestLoad
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import text
from vitrail.service.guest_reply import GARBLED, NO_CARD, Parser, amd_load, nvidia_load, windows_load

MOST_BYTES = 64 * 1024
_NVIDIA_VENDOR, _AMD_VENDOR = 0x10DE, 0x1002
_WINDOWS = "mswindows"
_WAITS_S = (0.1, 0.3, 0.7, 1.5, 2.5)
_MOST_PID = (1 << 31) - 1
_AMD_FILES = ("gpu_busy_percent", "mem_info_vram_used", "mem_info_vram_total")
_MOST_CARDS = 8
_COUNTERS = (
    "foreach($i in Get-CimInstance -ClassName Win32_PerfFormattedData_GPUPerformanceCounters_GPUEngine)"
    "{if($i.Name -match '_luid_(0x[0-9A-F]+_0x[0-9A-F]+)_phys_\\d+_eng_(\\d+)_')"
    "{$k=$Matches[1]+','+$Matches[2];$e[$k]+=[int64]$i.UtilizationPercentage}};"
    "foreach($k in $e.Keys){'E,'+$k+','+$e[$k]};"
    "foreach($i in Get-CimInstance -ClassName Win32_PerfFormattedData_GPUPerformanceCounters_GPUAdapterMemory)"
    "{if($i.Name -match 'luid_(0x[0-9A-F]+_0x[0-9A-F]+)_'){'M,'+$Matches[1]+','+[int64]$i.DedicatedUsage}}"
)
"""Classes and properties have English names in every Windows, unlike the counters of `typeperf`."""

BLOCKED = Unknown(text("load.blocked-in-guest.exec"))
LATE = Unknown(text("load.stale.guest-late"))
_NO_WAY = Unknown(text("load.unsupported.guest-card"))
_NO_AGENT = Unknown(text("load.needs-agent.silent"))


@dataclass(frozen=True, slots=True)
class _Way:
    """How a kind of guest is asked: the program with its words, and who understands what it prints."""

    program: str
    words: tuple[str, ...]
    parse: Parser


_NVIDIA = _Way(
    "nvidia-smi",
    (
        "--query-gpu=utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw",
        "--format=csv,noheader,nounits",
    ),
    nvidia_load,
)
_AMD = _Way(
    "grep",
    (
        *("-s", "-H", ""),
        *(f"/sys/class/drm/card{card}/device/{name}" for card in range(_MOST_CARDS) for name in _AMD_FILES),
    ),
    amd_load,
)
_COUNTED = _Way("powershell.exe", ("-NoProfile", "-NonInteractive", "-Command", f"$e=@{{}};{_COUNTERS}"), windows_load)


class AgentRefused(Exception):
    """The agent answered with an error; `words` are its own, to be compared and never to be shown."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class AgentGone(Exception):
    """There is no agent to talk to now; `why` says it."""

    def __init__(self, why: Unknown) -> None:
        super().__init__(why.reason.id)
        self.why = why


Command = Callable[[str], str]
"""A line of JSON to the agent, and its answer. Raises AgentRefused or AgentGone."""


@dataclass(slots=True)
class GuestAgent:
    """One VM's agent from one question to the next. For one thread."""

    vendor: int | None
    _pid: int | None = None
    """A program that has not ended yet: there is never a second one."""
    _windows: bool | None = None
    _waits: tuple[float, ...] = field(default=_WAITS_S)

    def ask(self, command: Command) -> Reading[GuestLoad]:
        """What the card does, as the VM says. Takes a few seconds at most, as far as `command` does."""
        try:
            return self._ask(command)
        except AgentGone as gone:
            if gone.why is not LATE:
                # Another system may be running when it comes back.
                self._windows = self._pid = None
            return gone.why
        except AgentRefused as refused:
            return BLOCKED if _forbids(refused.words) else NO_CARD
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return GARBLED

    def _ask(self, command: Command) -> Reading[GuestLoad]:
        if self._pid is not None and self._ended(command, self._pid) is None:
            return LATE
        self._pid = None
        if self._windows is None:
            if not _enabled(_say(command, "guest-info", {})):
                return BLOCKED
            self._windows = _is_windows(command)
        way = self._way()
        if way is None:
            return _NO_WAY
        given = {"path": way.program, "arg": list(way.words), "capture-output": True}
        pid = _say(command, "guest-exec", given)["pid"]
        if type(pid) is not int or not 0 < pid <= _MOST_PID:
            return GARBLED
        self._pid = pid
        return self._await(command, pid, way)

    def _way(self) -> _Way | None:
        if self._windows:
            return _COUNTED
        return {_NVIDIA_VENDOR: _NVIDIA, _AMD_VENDOR: _AMD}.get(self.vendor or 0)

    def _await(self, command: Command, pid: int, way: _Way) -> Reading[GuestLoad]:
        for seconds in self._waits:
            time.sleep(seconds)
            ended = self._ended(command, pid)
            if ended is not None:
                self._pid = None
                return _understood(ended, way)
        return LATE

    def _ended(self, command: Command, pid: int) -> dict[str, Any] | None:
        """How the program ended, None while it runs."""
        try:
            told = _say(command, "guest-exec-status", {"pid": pid})
        except AgentRefused:
            # Another agent, after a restart, knows nothing of it.
            self._pid = None
            raise
        if type(told["exited"]) is not bool:
            raise TypeError
        return told if told["exited"] else None


def _say(command: Command, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The agent's answer. Raises ValueError, TypeError or KeyError for anything but an answer."""
    line = {"execute": name, "arguments": arguments} if arguments else {"execute": name}
    answer = command(json.dumps(line))
    if len(answer) > MOST_BYTES:
        raise ValueError
    told = json.loads(answer)
    if not isinstance(told, dict):
        raise TypeError
    if "error" in told:
        raise AgentRefused(str(told["error"].get("desc", ""))[:400] if isinstance(told["error"], dict) else "")
    found = told["return"]
    if not isinstance(found, dict):
        raise TypeError
    return found


def _enabled(info: dict[str, Any]) -> bool:
    """Whether this agent lets programs be run. Raises for what no agent says."""
    return any(
        one.get("name") == "guest-exec" and one.get("enabled") is True
        for one in info["supported_commands"]
        if isinstance(one, dict)
    )


def _is_windows(command: Command) -> bool:
    try:
        return bool(_say(command, "guest-get-osinfo", {}).get("id") == _WINDOWS)
    except AgentRefused:
        # Older than this question, or not allowed; then it is most likely not Windows.
        return False


def _forbids(words: str) -> bool:
    return any(said in words for said in ("has been disabled", "not allowed", "has not been found", "is not allowed"))


def _understood(told: dict[str, Any], way: _Way) -> Reading[GuestLoad]:
    code, data = told.get("exitcode"), told.get("out-data", "")
    if type(code) is not int and code is not None:
        return GARBLED
    # Of the files that were asked for most are not there, which grep calls a failure.
    if code != 0 and way is not _AMD:
        return NO_CARD
    if not isinstance(data, str) or told.get("out-truncated") is True:
        return GARBLED
    try:
        return way.parse(base64.b64decode(data, validate=True))
    except binascii.Error:
        return GARBLED


def not_connected() -> AgentGone:
    """Nobody answers inside the VM."""
    return AgentGone(_NO_AGENT)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM says of its card, understood or refused. Everything here comes from inside the VM and may be anything.

A number is taken only in the form and within the bounds that such a number has; nothing of what was said is repeated in
a reason, so that no VM puts words into Vitrail's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vitrail.load.ports import GuestLoad
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text

SOURCE = "reported by the guest"
GARBLED = Unknown(text("load.failed.guest-garbled"))
SEVERAL = Unknown(text("load.unsupported.guest-several"))
NO_CARD = Unknown(text("load.needs-agent.no-tool"))
_UNTOLD = Unknown(text("load.unsupported.guest"))
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)
_NOTHING = frozenset({"[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "[GPU requires reset]"})
_MOST_ROWS = 4096
_MOST_MIB, _MOST_C, _MOST_W = 1 << 24, 200.0, 5000.0
_MIB = 1 << 20
_NVIDIA_FIELDS = 5
_AMD_FILE = re.compile(
    r"/sys/class/drm/card(\d{1,2})/device/(gpu_busy_percent|mem_info_vram_used|mem_info_vram_total):(\d{1,18})",
    re.ASCII,
)
_ENGINE = re.compile(r"E,(0x[0-9A-Fa-f]{1,16}_0x[0-9A-Fa-f]{1,16}),(\d{1,4}),(\d{1,9})", re.ASCII)
_MEMORY = re.compile(r"M,(0x[0-9A-Fa-f]{1,16}_0x[0-9A-Fa-f]{1,16}),(\d{1,18})", re.ASCII)

Parser = Callable[[bytes], Reading[GuestLoad]]


def nvidia_load(said: bytes) -> Reading[GuestLoad]:
    """What `nvidia-smi` prints: a line a card, of load, memory used and in all, temperature, power."""
    lines = _lines(said)
    if not lines:
        return GARBLED
    if len(lines) > 1:
        return SEVERAL
    fields = [field.strip() for field in lines[0].split(",")]
    if len(fields) != _NVIDIA_FIELDS:
        return GARBLED
    percent, used, total, heat, power = fields
    return Known(
        GuestLoad(
            _number(percent, 100.0),
            _whole(_number(used, _MOST_MIB)),
            _whole(_number(total, _MOST_MIB)),
            _number(heat, _MOST_C),
            _number(power, _MOST_W),
        ),
        SOURCE,
    )


def amd_load(said: bytes) -> Reading[GuestLoad]:
    """What `grep` prints of amdgpu's files: a path and a number a line."""
    cards: dict[str, dict[str, int]] = {}
    for line in _lines(said) or ():
        found = _AMD_FILE.fullmatch(line)
        if found is None:
            return GARBLED
        cards.setdefault(found[1], {})[found[2]] = int(found[3])
    if not cards:
        return NO_CARD
    if len(cards) > 1:
        return SEVERAL
    ((_, files),) = cards.items()
    return Known(
        GuestLoad(
            _bounded(files.get("gpu_busy_percent"), 100.0),
            _whole(_bounded(_mib(files.get("mem_info_vram_used")), _MOST_MIB)),
            _whole(_bounded(_mib(files.get("mem_info_vram_total")), _MOST_MIB)),
            _UNTOLD,
            _UNTOLD,
        ),
        SOURCE,
    )


def windows_load(said: bytes) -> Reading[GuestLoad]:
    """What our PowerShell line prints: each adapter's engines in percent, and the memory of its own that it uses."""
    busy: dict[str, float] = {}
    memory: dict[str, int] = {}
    for line in _lines(said) or ():
        engine, own = _ENGINE.fullmatch(line), _MEMORY.fullmatch(line)
        if engine is not None:
            # Many short uses are rounded up, one by one.
            busy[engine[1]] = max(busy.get(engine[1], 0.0), min(100.0, float(engine[3])))
        elif own is not None:
            memory[own[1]] = memory.get(own[1], 0) + int(own[2])
        else:
            return GARBLED
    adapters = [adapter for adapter, used in memory.items() if used] or list(busy)
    if not adapters:
        return _UNTOLD
    if len(adapters) > 1:
        return SEVERAL
    (adapter,) = adapters
    return Known(
        GuestLoad(
            _bounded(busy.get(adapter), 100.0),
            _whole(_bounded(_mib(memory.get(adapter)), _MOST_MIB)),
            _UNTOLD,
            _UNTOLD,
            _UNTOLD,
        ),
        SOURCE,
    )


def _lines(said: bytes) -> list[str] | None:
    """The lines that are not empty; None where it is no text, or far too much of it."""
    try:
        lines = [line.strip() for line in said.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return ["\0"]
    return lines if len(lines) <= _MOST_ROWS else ["\0"]


def _number(words: str, most: float) -> Reading[float]:
    if words in _NOTHING:
        return _UNTOLD
    return _bounded(float(words), most) if _NUMBER.fullmatch(words) else GARBLED


def _bounded(value: float | None, most: float) -> Reading[float]:
    if value is None:
        return _UNTOLD
    return Known(float(value), SOURCE) if 0 <= value <= most else GARBLED


def _whole(reading: Reading[float]) -> Reading[int]:
    return reading if isinstance(reading, Unknown) else Known(int(reading.value), reading.source)


def _mib(count: int | None) -> int | None:
    return None if count is None else count // _MIB

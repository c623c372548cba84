# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON contract as a schema, and a small checker for it: exactly these keys, these types, these words.

A schema is a type, a set of words, a list of one schema, a dict of schemas, `Maybe` (null allowed) or `Unread` (an
`{"unknown": reason}` allowed). Kept here and not derived from the code: it has to fail when the code drifts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
ID = re.compile(r"[0-9a-f]{4}")
PLAN_ID = re.compile(r"[0-9a-f]{16}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MODES = {
    "passthrough",
    "single-gpu",
    "looking-glass",
    "vgpu",
    "sriov",
    "mig-vgpu",
    "gvt-g",
    "gvt-d",
    "virtio",
    "virgl",
    "venus",
    "native-context",
    "qxl",
    "basic",
}


@dataclass(frozen=True)
class Maybe:
    """Null is allowed: it was read and there is none."""

    inner: Any


@dataclass(frozen=True)
class Unread:
    """`{"unknown": reason}` is allowed: it was not read."""

    inner: Any


@dataclass(frozen=True)
class Left:
    """May be left out of its object: it does not apply."""

    inner: Any


FINDING = {
    "id": str,
    "status": {"pass", "fail", "unknown"},
    "severity": {"blocks", "warns", "info"},
    "title": str,
    "evidence": [{"source": str, "value": str}],
    "remedy": Maybe(str),
}
ERROR = {"schema": int, "error": {"id": str, "message": str, "next": [str]}}
REFUSED = ERROR | {"findings": [FINDING]}
SCAN = {
    "schema": int,
    "host": {
        "kernel": Unread(str),
        "cmdline": Unread(str),
        "virtual": Unread(Maybe(str)),
        "iommu": {"active": Unread(bool), "kind": Unread(Maybe(str))},
        "boot": {
            "loader": Unread(Maybe(str)),
            "stack": Unread(Maybe(str)),
            "initramfs": Unread(Maybe(str)),
            "secure_boot": Unread(Maybe(bool)),
        },
    },
    "gpus": Unread(
        [
            {
                "address": ADDRESS,
                "vendor_id": Unread(ID),
                "device_id": Unread(ID),
                "vendor": Unread(str),
                "name": Unread(str),
                "class": Unread(ID),
                "driver": Unread(Maybe(str)),
                "boot_vga": Unread(bool),
                "vram_mib": Unread(Maybe(int)),
                "outputs": Unread(
                    [
                        {
                            "connector": str,
                            "status": Unread({"connected", "disconnected", "unknown"}),
                            "display": Unread(Maybe(str)),
                        }
                    ]
                ),
                "iommu_group": Unread(Maybe(int)),
                "functions": [{"address": ADDRESS, "class": Unread(ID)}],
                "physical_function": Maybe(ADDRESS),
                "reset_methods": Unread([str]),
                "used_by": Unread(
                    [{"kind": {"process", "vm", "driver"}, "name": str, "pid": Maybe(int), "uuid": Maybe(str)}]
                ),
            }
        ]
    ),
    "groups": Unread(
        [
            {
                "number": int,
                "members": [
                    {"address": ADDRESS, "class": Unread(ID), "name": Unread(str), "driver": Unread(Maybe(str))}
                ],
                "verdict": {"isolated", "shared", "unknown"},
                "reasons": [str],
            }
        ]
    ),
    "vms": Unread(
        [
            {
                "uuid": str,
                "name": str,
                "state": Unread(str),
                "graphics": [{"mode": MODES | {"other"}, "gpu": Maybe(ADDRESS), "detail": str}],
            }
        ]
    ),
}
DOCTOR = {"schema": int, "findings": [FINDING]}
FEASIBLE = {"ready", "after_changes", "impossible", "unknown"}
MODES_ANSWER = {
    "schema": int,
    "modes": [
        {
            "mode": MODES,
            "feasible": FEASIBLE,
            "available": bool,
            "reasons": [str],
            "needs": [str],
            "gpus": [{"address": ADDRESS, "feasible": FEASIBLE, "reasons": [str]}],
            "settings": [{"key": str, "type": str, "values": [str], "default": str}],
            "traits": {
                "performance": str,
                "sharing": str,
                "isolation": str,
                "migration": str,
                "effort": str,
                "cost": str,
            },
        }
    ],
}
PLAN = {
    "schema": int,
    "plan_id": PLAN_ID,
    "choice": {"vm": {"uuid": str, "name": str}, "mode": MODES, "gpu": Maybe(ADDRESS), "settings": dict},
    "needs_reboot": bool,
    "guard": Maybe({"automatic", "by-menu", "guard-unit"}),
    "losses": [{"what": str, "when": str, "until": str}],
    "phases": [
        {
            "name": {"resume", "prepare-host", "keep-host", "vm"},
            "writer": {"user", "host", "vm"},
            "steps": [
                {"kind": str, "subject": str, "summary": str, "diff": str, "undo": str, "writable": bool},
            ],
        }
    ],
    "findings": [FINDING],
}
RUN = {
    "schema": int,
    "plan_id": Maybe(PLAN_ID),
    "run": Maybe(str),
    "result": {"applied", "awaiting_keep", "taken_back", "incomplete", "unknown", "nothing_to_do"},
    "steps": [{"kind": str, "subject": str, "result": str, "detail": Maybe(str)}],
}
HISTORY = {
    "schema": int,
    "plans": [
        {"plan_id": PLAN_ID, "run": str, "applied_at": TIME, "vm": Unread(str), "mode": Unread(MODES), "state": str}
    ],
}
STATUS = {"schema": int, "awaiting": [{"plan_id": PLAN_ID, "until": Unread(TIME)}]}
LOAD = {
    "schema": int,
    "taken_at": TIME,
    "gpus": Unread(
        [
            {
                "address": ADDRESS,
                "load_percent": Unread(float),
                "memory_used_mib": Unread(int),
                "memory_total_mib": Unread(int),
                "engines": Left([{"name": str, "load_percent": float}]),
                "temperature_c": Left(Unread(float)),
                "power_w": Left(Unread(float)),
                "fan_percent": Left(Unread(int)),
                "fan_rpm": Left(Unread(int)),
                "clock_mhz": Left(Unread(int)),
                "slowed_by": Left(Unread([str])),
                "pcie_link": Left(Unread(str)),
            }
        ]
    ),
    "vms": Unread(
        [
            {
                "uuid": str,
                "name": str,
                "gpu": Left(ADDRESS),
                "source": Left(str),
                "load_percent": Left(Unread(float)),
                "of": Left({"card", "share"}),
                "memory_used_mib": Left(Unread(int)),
                "frame_rate_fps": Left(Unread(float)),
                "latency_ms": Left(Unread(float)),
            }
        ]
    ),
}
VERIFY = {
    "schema": int,
    "outcomes": [
        {
            "step": str,
            "result": {"kept", "broken", "unknown"},
            "expected": Unread(Maybe(str)),
            "seen": Unread(Maybe(str)),
            "evidence": [{"source": str, "value": str}],
        }
    ],
}


def wrong(schema: Any, value: Any, path: str = "$") -> list[str]:
    """Everywhere that the value is not what the schema says."""
    match schema:
        case Maybe(inner=inner) | Left(inner=inner):
            return [] if value is None and isinstance(schema, Maybe) else wrong(inner, value, path)
        case Unread(inner=inner):
            if isinstance(value, dict) and list(value) == ["unknown"]:
                return wrong(str, value["unknown"], f"{path}.unknown")
            return wrong(inner, value, path)
        case dict():
            return _wrong_object(schema, value, path)
        case list():
            return _wrong_array(schema[0], value, path)
    return [] if _fits(schema, value) else [f"{path}: {value!r} is not {schema}"]


def _fits(schema: Any, value: Any) -> bool:
    match schema:
        case set():
            return value in schema
        case re.Pattern():
            return isinstance(value, str) and schema.fullmatch(value) is not None
    return type(value) is schema


def _wrong_array(schema: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: no array"]
    return [fault for place, item in enumerate(value) for fault in wrong(schema, item, f"{path}[{place}]")]


def _wrong_object(schema: dict[str, Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    needed = {key for key, inner in schema.items() if not isinstance(inner, Left)}
    faults = [f"{path}: {key} is missing" for key in sorted(needed - set(value))]
    faults += [f"{path}: {key} is too much" for key in sorted(set(value) - set(schema))]
    return faults + [
        fault for key in schema if key in value for fault in wrong(schema[key], value[key], f"{path}.{key}")
    ]

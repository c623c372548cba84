# SPDX-License-Identifier: GPL-3.0-or-later
"""Frozen values to JSON and back, strictly: an unknown field, type or class is refused whole.

One rule for every type: a dataclass is an object of its fields; where the annotation is a union of dataclasses, the
object also names its class under `class`, which no
field can be called. Tuples are arrays, enums their value, addresses their text.
"""

from __future__ import annotations

import hashlib
import json
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from vitrail.model.pci import PciAddress


class WireError(ValueError):
    """The data is not what the type says; the message names the field, for logs."""


def to_wire(value: object) -> Any:
    """The JSON form of a frozen value; dataclasses always name their class, so unions can be told apart."""
    match value:
        case PciAddress():
            return str(value)
        case Enum():
            return value.value
        case tuple():
            return [to_wire(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    if is_dataclass(value) and not isinstance(value, type):
        members = {field.name: to_wire(getattr(value, field.name)) for field in fields(value)}
        return {"class": type(value).__name__, **members}
    raise WireError(type(value).__name__)


def canonical(value: object) -> str:
    """The one text of a value: JSON with sorted keys and no blanks. Digests are taken over it."""
    return json.dumps(to_wire(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """SHA-256 over `canonical`, hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def text_digest(words: str) -> str:
    """SHA-256 of a text as UTF-8, hexadecimal."""
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def from_wire(kind: Any, data: Any) -> Any:
    """The value of type `kind` that `data` spells. Raises WireError where it is anything else."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _from_union(get_args(kind), data)
    if origin is tuple:
        if not isinstance(data, list):
            raise WireError("not an array")
        (item_kind, *_) = get_args(kind)
        return tuple(from_wire(item_kind, item) for item in data)
    if kind is PciAddress and isinstance(data, str):
        try:
            return PciAddress.parse(data)
        except ValueError as error:
            raise WireError(data) from error
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError as error:
            raise WireError(str(data)) from error
    if is_dataclass(kind) and isinstance(kind, type):
        return _from_object(kind, data)
    return _plain(kind, data)


def _plain(kind: Any, data: Any) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    if kind is type(None) and data is None:
        return None
    # bool is an int to isinstance; the wire keeps them apart.
    if kind in (bool, int, float, str) and type(data) is kind:
        return data
    raise WireError(f"{data!r} is no {getattr(kind, '__name__', kind)}")


def _from_union(kinds: tuple[Any, ...], data: Any) -> Any:
    if data is None and type(None) in kinds:
        return None
    if isinstance(data, dict):
        for kind in kinds:
            if is_dataclass(kind) and isinstance(kind, type) and kind.__name__ == data.get("class"):
                return _from_object(kind, data)
        raise WireError(str(data.get("class")))
    for kind in kinds:
        try:
            return from_wire(kind, data)
        except WireError:
            continue
    raise WireError(repr(data))


def _from_object(kind: Any, data: Any) -> Any:
    if not isinstance(data, dict) or data.get("class", kind.__name__) != kind.__name__:
        raise WireError(kind.__name__)
    hints = _hints(kind)
    names = {field.name for field in fields(kind)}
    given = set(data) - {"class"}
    if given != names:
        raise WireError(f"{kind.__name__}: {sorted(given ^ names)}")
    return kind(**{name: from_wire(hints[name], data[name]) for name in names})

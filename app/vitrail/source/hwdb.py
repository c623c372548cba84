# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads names from udev's compiled hardware database, without loading libudev for it.

pyudev has no call for the database. Its file is a prefix tree of patterns; PCI makers and devices stand in it under
patterns that are known word for word, so walking two of them is enough and no pattern has to be matched.
"""

from __future__ import annotations

import struct

_SIGNATURE = b"KSLPHHRH"
_HEADER = struct.Struct("<8s9Q")
_NODE = struct.Struct("<QB7xQ")
_CHILD = struct.Struct("<B7xQ")
_VALUE = struct.Struct("<QQ")


class Hwdb:
    """The database's bytes. Raises ValueError where they are none."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER.size or not content.startswith(_SIGNATURE):
            raise ValueError("no hardware database")
        self._content = content
        header = _HEADER.unpack_from(content)
        self._node_size, self._child_size, self._value_size, self._top = header[4:8]

    def maker(self, vendor_id: int) -> str | None:
        """The maker's name, None where it is not listed."""
        return self._value(f"pci:v{vendor_id:08X}*", "ID_VENDOR_FROM_DATABASE")

    def device(self, vendor_id: int, device_id: int) -> str | None:
        """The device's name, None where it is not listed."""
        return self._value(f"pci:v{vendor_id:08X}d{device_id:08X}*", "ID_MODEL_FROM_DATABASE")

    def _value(self, pattern: str, key: str) -> str | None:
        try:
            node = self._node(pattern.encode())
            return None if node is None else self._property(node, b" " + key.encode())
        except (struct.error, OverflowError):
            return None

    def _node(self, pattern: bytes) -> int | None:
        node: int = self._top
        rest = pattern
        # Every step takes at least one character, so a circle in a broken file ends too.
        while True:
            prefix_at, children, _ = _NODE.unpack_from(self._content, node)
            prefix = self._string(prefix_at)
            if not rest.startswith(prefix):
                return None
            rest = rest[len(prefix) :]
            if not rest:
                return node
            found = self._child(node, children, rest[0])
            if found is None:
                return None
            node, rest = found, rest[1:]

    def _child(self, node: int, children: int, letter: int) -> int | None:
        for index in range(children):
            sign, place = _CHILD.unpack_from(self._content, node + self._node_size + index * self._child_size)
            if sign == letter:
                return int(place)
        return None

    def _property(self, node: int, key: bytes) -> str | None:
        _, children, values = _NODE.unpack_from(self._content, node)
        start = node + self._node_size + children * self._child_size
        for index in range(min(values, 1000)):
            key_at, value_at = _VALUE.unpack_from(self._content, start + index * self._value_size)
            if self._string(key_at) == key:
                return self._string(value_at).decode("utf-8", "replace")
        return None

    def _string(self, at: int) -> bytes:
        end = self._content.find(b"\0", at, at + 4096)
        return self._content[at:end] if end >= at else b""

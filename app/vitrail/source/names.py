# SPDX-License-Identifier: GPL-3.0-or-later
"""What PCI devices are called. Decoration only: nothing is ever decided by a name.

Four places know names, asked in this order: the recording's own table, udev's database (which holds what its hardware
database said), pci.ids, and udev's hardware database itself. Each is opened at the first question that the ones before
could not answer; a machine has a handful of different ids, so no table is ever parsed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.source.hwdb import Hwdb
from vitrail.source.root import FolderRoot, Root

UDEV_DATA = "run/udev/data"
_PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
_HWDB = ("etc/udev/hwdb.bin", "usr/lib/udev/hwdb.bin", "lib/udev/hwdb.bin")
_MAX_TABLE_BYTES = 64 * 1024 * 1024
_NEXT_VENDOR = re.compile(rb"\n[0-9a-fC]")

Pair = tuple[Reading[str], Reading[str]]


class Names:
    """Names for the devices of one machine. `machine` is the computer that Vitrail runs on, for its tables."""

    def __init__(
        self, root: Root, recorded: Mapping[str, tuple[str, str]] | None = None, machine: Root | None = None
    ) -> None:
        self._root = root
        self._recorded = recorded or {}
        self._machine = machine or FolderRoot("/")
        self._by_id: dict[tuple[int, int], Pair] = {}
        self._in_udev: frozenset[str] | None = None
        self._table: PciIds | HwdbTable | None = None

    def of(self, address: PciAddress, vendor_id: int, device_id: int) -> Pair:
        """The maker's and the device's name."""
        key = (vendor_id, device_id)
        known = self._by_id.get(key)
        if known is None:
            known = self._recorded_pair(key) or self._udev_pair(address) or self._table_pair(key)
            self._by_id[key] = known
        return known

    def _recorded_pair(self, key: tuple[int, int]) -> Pair | None:
        names = self._recorded.get(f"{key[0]:04x}:{key[1]:04x}")
        return names and (Known(names[0], "machine.toml"), Known(names[1], "machine.toml"))

    def _udev_pair(self, address: PciAddress) -> Pair | None:
        if self._in_udev is None:
            try:
                self._in_udev = frozenset(self._root.names(UDEV_DATA))
            except OSError:
                self._in_udev = frozenset()
        name = f"+pci:{address}"
        if name not in self._in_udev:
            return None
        path = f"{UDEV_DATA}/{name}"
        try:
            lines = self._root.read(path).split("\n")
        except OSError:
            return None
        facts = {key: value for key, _, value in (line[2:].partition("=") for line in lines if line.startswith("E:"))}
        vendor, device = facts.get("ID_VENDOR_FROM_DATABASE"), facts.get("ID_MODEL_FROM_DATABASE")
        return (Known(vendor, f"/{path}"), Known(device, f"/{path}")) if vendor and device else None

    def _table_pair(self, key: tuple[int, int]) -> Pair:
        if self._table is None:
            self._table = _open_table(self._machine)
        return self._table.find(*key)


class PciIds:
    """The text of pci.ids; looked through only for the ids that are asked for."""

    def __init__(self, content: bytes, source: str) -> None:
        self._content = b"\n" + content
        self._source = source
        self._blocks: dict[int, tuple[Reading[str], int, int]] = {}

    def find(self, vendor_id: int, device_id: int) -> Pair:
        """Both names; each Unknown where the table does not list it."""
        vendor, start, end = self._block(vendor_id)
        at = self._content.find(b"\n\t%04x  " % device_id, start, end) if start < end else -1
        if at < 0:
            return vendor, self._unlisted(device=f"{vendor_id:04x}:{device_id:04x}")
        return vendor, Known(self._line(at + 8), self._source)

    def _block(self, vendor_id: int) -> tuple[Reading[str], int, int]:
        block = self._blocks.get(vendor_id)
        if block is None:
            at = self._content.find(b"\n%04x  " % vendor_id)
            if at < 0:
                block = (self._unlisted(device=f"{vendor_id:04x}"), 0, 0)
            else:
                following = _NEXT_VENDOR.search(self._content, at + 1)
                end = following.start() + 1 if following else len(self._content)
                block = (Known(self._line(at + 7), self._source), at + 1, end)
            self._blocks[vendor_id] = block
        return block

    def _line(self, start: int) -> str:
        end = self._content.find(b"\n", start)
        return self._content[start : end if end >= 0 else None].decode("utf-8", "replace").strip()

    def _unlisted(self, device: str) -> Unknown:
        if not self._source:
            return Unknown(text("source.names.no-table"))
        return Unknown(text("source.names.not-listed", device=device, table=self._source))


class HwdbTable:
    """udev's hardware database as a table of names: the same data, ten times the size, so it is asked last."""

    def __init__(self, database: Hwdb, source: str) -> None:
        self._database = database
        self._source = source

    def find(self, vendor_id: int, device_id: int) -> Pair:
        """Both names; each Unknown where the database does not list it."""
        maker, device = self._database.maker(vendor_id), self._database.device(vendor_id, device_id)
        return self._reading(maker, f"{vendor_id:04x}"), self._reading(device, f"{vendor_id:04x}:{device_id:04x}")

    def _reading(self, name: str | None, asked: str) -> Reading[str]:
        if name is None:
            return Unknown(text("source.names.not-listed", device=asked, table=self._source))
        return Known(name, self._source)


def _open_table(machine: Root) -> PciIds | HwdbTable:
    for path in _PCI_IDS:
        try:
            return PciIds(machine.read_bytes(path, _MAX_TABLE_BYTES), f"/{path}")
        except OSError:
            continue
    for path in _HWDB:
        try:
            return HwdbTable(Hwdb(machine.read_bytes(path, _MAX_TABLE_BYTES)), f"/{path}")
        except (OSError, ValueError):
            continue
    return PciIds(b"", "")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What devices are called, and who is asked first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.sysfs import Tree
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.source.hwdb import Hwdb
from vitrail.source.names import HwdbTable, Names, PciIds
from vitrail.source.root import AbsentRoot, FolderRoot

CARD = PciAddress.parse("0000:01:00.0")
TABLE = b"""# comment
1002  AMD
\t73bf  Navi 21
10de  NVIDIA Corporation
\t2204  GA102 \xff
\t\t1458 2783  Subsystem
\t2783  AD104 [GeForce RTX 4070 SUPER]
8086  Intel
C 03  Display controller
\t00  VGA
"""


def test_the_recordings_own_names_come_first(tmp_path):
    udev = "E:ID_VENDOR_FROM_DATABASE=V\nE:ID_MODEL_FROM_DATABASE=M"
    root = FolderRoot(Tree(tmp_path).file(f"run/udev/data/+pci:{CARD}", udev).folder)
    names = Names(root, {"10de:2783": ("NVIDIA", "RTX")}, AbsentRoot())
    assert names.of(CARD, 0x10DE, 0x2783)[1] == Known("RTX", "machine.toml")
    assert names.of(CARD, 0x10DE, 1)[1] == Known("M", f"/run/udev/data/+pci:{CARD}")


def test_pci_ids_is_the_last_to_be_asked(tmp_path):
    machine = FolderRoot(Tree(tmp_path).file("usr/share/misc/pci.ids", TABLE).folder)
    vendor, device = Names(AbsentRoot(), None, machine).of(CARD, 0x10DE, 0x2783)
    assert (vendor, device) == (
        Known("NVIDIA Corporation", "/usr/share/misc/pci.ids"),
        Known("AD104 [GeForce RTX 4070 SUPER]", "/usr/share/misc/pci.ids"),
    )


def test_a_device_is_looked_up_below_its_own_maker_only():
    table = PciIds(TABLE, "t")
    assert isinstance(table.find(0x1002, 0x2783)[1], Unknown)
    assert isinstance(table.find(0x8086, 0x0000)[1], Unknown)
    assert isinstance(table.find(0x1458, 0x2783)[0], Unknown)
    assert table.find(0x10DE, 0x2204)[1] == Known("GA102 \ufffd", "t")


def test_without_any_table_the_name_is_unknown():
    _, device = Names(AbsentRoot(), None, AbsentRoot()).of(CARD, 1, 2)
    assert isinstance(device, Unknown)
    assert device.reason.id == "source.names.no-table"


def test_a_look_at_the_machine_loads_no_heavy_library():
    heavy = ("pyudev", "pynvml", "lxml", "libvirt", "tarfile")
    program = f"import sys, vitrail.probe; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def compiled() -> Path | None:
    places = (Path("/usr/lib/udev/hwdb.bin"), Path("/etc/udev/hwdb.bin"))
    return next((path for path in places if path.is_file()), None)


@pytest.mark.skipif(compiled() is None, reason="this machine has no compiled hardware database")
def test_udevs_own_database_is_read_where_there_is_no_pci_ids():
    path = compiled()
    assert path is not None
    vendor, device = HwdbTable(Hwdb(path.read_bytes()), str(path)).find(0x8086, 0x1237)
    assert vendor == Known("Intel Corporation", str(path))
    assert isinstance(device, Known)
    assert "440FX" in device.value
    assert isinstance(HwdbTable(Hwdb(path.read_bytes()), str(path)).find(0xFFFE, 1)[1], Unknown)


@pytest.mark.parametrize("content", [b"", b"KSLPHHRH", b"KSLPHHRH" + b"\xff" * 72, b"KSLPHHRH" + b"\0" * 500])
def test_a_broken_database_names_nothing(content):
    if len(content) < 80:
        with pytest.raises(ValueError, match="no hardware database"):
            Hwdb(content)
        return
    assert Hwdb(content).maker(0x8086) is None


def test_a_machine_with_a_broken_database_only_has_no_table(tmp_path):
    machine = FolderRoot(Tree(tmp_path).file("etc/udev/hwdb.bin", b"x").folder)
    _, device = Names(AbsentRoot(), None, machine).of(CARD, 1, 2)
    assert isinstance(device, Unknown)
    assert device.reason.id == "source.names.no-table"

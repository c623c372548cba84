# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail scan`, the whole process, against `lspci -nnkvv` on the same tree of 2,000 devices."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import report, seconds_in_turns

from fakes.sysfs import ETHERNET, HDA, PCI_BRIDGE, VGA, Tree

DEVICES = 2000


def big_tree(folder: Path) -> None:
    """A recording with 2,000 functions: bridges, each with a card, its sound, or network functions behind it."""
    tree = Tree(folder / "root", for_lspci=True)
    (folder / "machine.toml").write_text("format = 1\n", encoding="utf-8")
    made = 0
    for bus in range(1, 251):
        bridge = (
            f"{bus // 128:04x}:00:{bus % 32:02x}.{bus // 32 % 8:x}"
            if bus < 128
            else f"0001:00:{bus % 32:02x}.{bus // 32 % 4:x}"
        )
        tree.pci(bridge, PCI_BRIDGE, 0x8086, 0x7AB8, driver="pcieport", group=made)
        made += 1
        domain = bridge[:4]
        for function in range(7):
            address = f"{domain}:{bus:02x}:00.{function}"
            group = 1000 + bus
            if bus <= 8 and function == 0:
                tree.pci(address, VGA, 0x10DE, 0x2786, behind=bridge, driver="nvidia", group=group, boot_vga=bus == 1)
            elif bus <= 8 and function == 1:
                tree.pci(address, HDA, 0x10DE, 0x22BC, behind=bridge, driver="snd_hda_intel", group=group)
            else:
                tree.pci(address, ETHERNET, 0x8086, 0x1572, behind=bridge, driver="i40e", group=group)
            made += 1
    assert made == DEVICES, made


def measure_scan() -> bool:
    """Print the ratio; True when it is within the budget."""
    with tempfile.TemporaryDirectory() as folder:
        big_tree(Path(folder))
        vitrail = str(Path(sys.executable).with_name("vitrail"))
        times = seconds_in_turns(
            {
                "vitrail": [vitrail, "scan", "--machine", folder],
                "lspci": ["lspci", "-nnkvv", "-O", f"sysfs.path={folder}/root/sys/bus/pci"],
            }
        )
    return report(f"scan of {DEVICES} devices", times["vitrail"], times["lspci"], 1.0)

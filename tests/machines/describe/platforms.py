# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices that every board of a kind has, whatever cards are plugged into it."""

from __future__ import annotations

from fakes.sysfs import ETHERNET, HDA, NVME, SATA, USB_XHCI
from machines.describe.board import Board, full
from machines.describe.names import AMD, INTEL, REALTEK, SAMSUNG

_ISA_BRIDGE = 0x060100
_SMBUS = 0x0C0500
_IOMMU = 0x080600
_CRYPTO = 0x108000


def am5_root(board: Board) -> None:
    """What an AM5 processor has on bus 0, before the slots."""
    board.host_bridge("00:00.0", AMD, 0x14D8)
    board.tree.pci(full("00:00.2"), _IOMMU, AMD, 0x14D9, attributes=False)
    board.ids.append((AMD, 0x14D9))
    board.host_bridge("00:01.0", AMD, 0x14DA)
    board.bridge("00:01.1", AMD, 0x14DB)
    board.host_bridge("00:02.0", AMD, 0x14DA)
    board.bridge("00:02.1", AMD, 0x14DB)
    board.bridge("00:02.2", AMD, 0x14DB)
    board.bridge("00:02.3", AMD, 0x14DB)
    board.host_bridge("00:08.0", AMD, 0x14DA)
    board.bridge("00:08.1", AMD, 0x14DD)
    shared = board.plug("00:14.0", _SMBUS, AMD, 0x790B, driver="piix4_smbus")
    board.plug("00:14.3", _ISA_BRIDGE, AMD, 0x790E, group=shared)
    board.tree.iommu("ivhd0")


def am5_inner(board: Board) -> None:
    """What sits beside the processor's own graphics at 0e:00: keyboard and mouse hang on one of them."""
    board.plug("0e:00.2", _CRYPTO, AMD, 0x1649, behind="00:08.1", driver="ccp")
    board.plug("0e:00.3", USB_XHCI, AMD, 0x15B6, behind="00:08.1", driver="xhci_hcd")
    board.plug("0e:00.4", USB_XHCI, AMD, 0x15B7, behind="00:08.1", driver="xhci_hcd")
    board.plug("0e:00.6", HDA, AMD, 0x15E3, behind="00:08.1", driver="snd_hda_intel")
    board.tree.sound(full("0e:00.6"), 9)
    desk(board, "0e:00.3")


def desk(board: Board, controller: str) -> None:
    """A keyboard and a mouse on a USB controller."""
    board.tree.keyboard(full(controller), "Logitech USB Keyboard", 0)
    board.tree.keyboard(full(controller), "Logitech USB Optical Mouse", 1, handlers="event1 mouse0")


def am4_root(board: Board) -> None:
    """What an AM4 processor has on bus 0, with an NVMe disk on bus 1."""
    board.host_bridge("00:00.0", AMD, 0x1480)
    board.tree.pci(full("00:00.2"), _IOMMU, AMD, 0x1481, attributes=False)
    board.ids.append((AMD, 0x1481))
    board.host_bridge("00:01.0", AMD, 0x1482)
    board.bridge("00:01.1", AMD, 0x1483)
    board.bridge("00:01.3", AMD, 0x1483)
    board.host_bridge("00:03.0", AMD, 0x1482)
    board.bridge("00:03.1", AMD, 0x1483)
    board.bridge("00:03.2", AMD, 0x1483)
    board.host_bridge("00:08.0", AMD, 0x1482)
    board.bridge("00:08.1", AMD, 0x1484)
    shared = board.plug("00:14.0", _SMBUS, AMD, 0x790B, driver="piix4_smbus")
    board.plug("00:14.3", _ISA_BRIDGE, AMD, 0x790E, group=shared)
    board.plug("01:00.0", NVME, SAMSUNG, 0xA808, behind="00:01.1", driver="nvme")
    board.tree.disk(full("01:00.0"), "nvme0n1")
    board.tree.iommu("ivhd0")


def am4_inner(board: Board) -> None:
    """The processor's own USB and sound on bus 0b."""
    board.plug("0b:00.0", 0x130000, AMD, 0x1485, behind="00:08.1")
    board.plug("0b:00.3", USB_XHCI, AMD, 0x149C, behind="00:08.1", driver="xhci_hcd")
    board.plug("0b:00.4", HDA, AMD, 0x1487, behind="00:08.1", driver="snd_hda_intel")
    board.tree.sound(full("0b:00.4"), 9)
    desk(board, "0b:00.3")


def lan(board: Board, address: str, name: str, device: int = 0x8125, **facts: object) -> None:
    """A network card with its interface; the driver follows from the maker."""
    vendor = REALTEK if device in (0x8125, 0x8168) else INTEL
    drivers = {0x8125: "r8169", 0x8168: "r8169", 0x15F3: "igc", 0x15BC: "e1000e", 0x1592: "ice"}
    board.plug(address, ETHERNET, vendor, device, driver=drivers[device], **facts)
    board.tree.network(full(address), name)


def sata(board: Board, address: str, vendor: int, device: int, *disks: str, **facts: object) -> None:
    """A SATA controller with its disks."""
    board.plug(address, SATA, vendor, device, driver="ahci", **facts)
    for number, disk in enumerate(disks):
        way = f"ata{number + 1}/host{number}/target{number}:0:0/{number}:0:0:0/block"
        board.tree.disk(full(address), disk, way)

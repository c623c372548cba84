# SPDX-License-Identifier: GPL-3.0-or-later
"""A card in a chipset slot on Pop!_OS: it is tied to the network card and to the disks."""

from __future__ import annotations

from fakes.sysfs import USB_XHCI, VGA, Connector
from machines.describe import entries, layouts
from machines.describe.board import MIB, Board, full, nvidia_bars
from machines.describe.daemon import Daemon
from machines.describe.domains import QXL_VIDEO, SPICE, TABLET, VGA_VIDEO, VNC, Domain
from machines.describe.machine import Machine
from machines.describe.names import AMD, NVIDIA
from machines.describe.platforms import am4_inner, am4_root, lan, sata

_Q35 = "pc-q35-8.2"
_BRIDGE = 0x43C6
_PORT = 0x43C7


def _fill(board: Board) -> None:
    am4_root(board)
    tied = board.plug("02:00.0", USB_XHCI, AMD, 0x43D5, behind="00:01.3", driver="xhci_hcd")
    sata(board, "02:00.1", AMD, 0x43C8, "sda", "sdb", behind="00:01.3", group=tied)
    board.bridge("02:00.2", AMD, _BRIDGE, behind="00:01.3", group=tied)
    for slot in ("00", "01", "04"):
        board.bridge(f"03:{slot}.0", AMD, _PORT, behind="02:00.2", group=tied)
    lan(board, "04:00.0", "enp4s0", 0x8168, behind="03:00.0", group=tied)
    board.card(
        "06:00.0",
        VGA,
        NVIDIA,
        0x1B81,
        behind="03:04.0",
        group=tied,
        driver="nouveau",
        subsystem=(0x1043, 0x8598),
        boot_vga=False,
        bars=nvidia_bars(256 * MIB),
        reset_methods="bus",
        link=("2.5 GT/s PCIe", 4, "8.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    board.sound_of("06:00.1", NVIDIA, 0x10F0, 1, behind="03:04.0", group=tied, subsystem=(0x1043, 0x8598))
    own = board.card(
        "07:00.0",
        VGA,
        NVIDIA,
        0x1D01,
        behind="00:03.1",
        driver="nouveau",
        subsystem=(0x1458, 0x375C),
        boot_vga=True,
        bars=nvidia_bars(256 * MIB),
        reset_methods="bus",
        revision=0xA1,
    )
    board.sound_of("07:00.1", NVIDIA, 0x0FB8, 0, behind="00:03.1", group=own, subsystem=(0x1458, 0x375C))
    am4_inner(board)
    board.tree.drm(full("07:00.0"), (Connector("DVI-D-1"), Connector("HDMI-A-1", "connected", "VG248QE")), number=0)
    board.tree.drm(full("06:00.0"), (Connector("DP-1"), Connector("HDMI-A-2")), number=1)
    entries.pop_kernelstub(board.tree, "6.12.10-76061203-generic")
    layouts.firmware_at(board.tree, "nvme0n1", "/boot/efi")
    board.tree.cpu(model="AMD Ryzen 5 3600 6-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    board.tree.dmi("Micro-Star International Co., Ltd.", "MS-7B86").uefi()
    board.tree.process(1, "systemd").process(1533, "cosmic-comp", "/dev/dri/card0", "/dev/dri/renderD128")


MACHINE = Machine(
    title="A card that is tied to the network and the disks",
    fill=_fill,
    daemon=Daemon(machines=(_Q35, "pc-i440fx-8.2")),
    domains=(
        Domain(
            "win10-games",
            "e81b0f5c-6a57-4f0c-b9c4-7f1d0ac84001",
            "http://microsoft.com/win/10",
            (TABLET, SPICE, QXL_VIDEO, "<sound model='ich9'/>"),
            memory_gib=12,
            vcpus=6,
            machine=_Q35,
        ),
        Domain(
            "mint-test",
            "e81b0f5c-6a57-4f0c-b9c4-7f1d0ac84002",
            "http://linuxmint.com/linuxmint/22",
            (TABLET, VNC, VGA_VIDEO),
            memory_gib=4,
            machine=_Q35,
            uefi=False,
            state="running",
        ),
    ),
)

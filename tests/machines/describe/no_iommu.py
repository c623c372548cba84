# SPDX-License-Identifier: GPL-3.0-or-later
"""An Intel desktop on Debian whose firmware has VT-d switched off: nothing can be passed through yet."""

from __future__ import annotations

from fakes.sysfs import HDA, USB_XHCI, VGA, Connector
from machines.describe import boots, layouts
from machines.describe.board import MIB, Board, full, intel_bars, nvidia_bars
from machines.describe.daemon import Daemon
from machines.describe.domains import QXL_VIDEO, SPICE, TABLET, VIRTIO_VIDEO, VNC, Domain
from machines.describe.machine import Machine
from machines.describe.names import INTEL, NVIDIA
from machines.describe.platforms import desk, lan, sata

_Q35 = "pc-q35-7.2"


def _fill(board: Board) -> None:
    board.host_bridge("00:00.0", INTEL, 0x3EC2)
    board.bridge("00:01.0", INTEL, 0x1901)
    board.card(
        "00:02.0",
        VGA,
        INTEL,
        0x3E92,
        driver="i915",
        subsystem=(0x1458, 0xD000),
        boot_vga=True,
        bars=intel_bars(256 * MIB),
        reset_methods="flr",
    )
    board.plug("00:14.0", USB_XHCI, INTEL, 0xA36D, driver="xhci_hcd")
    desk(board, "00:14.0")
    sata(board, "00:17.0", INTEL, 0xA352, "sda")
    board.bridge("00:1d.0", INTEL, 0xA33C)
    board.plug("00:1f.0", 0x060100, INTEL, 0xA308)
    board.plug("00:1f.3", HDA, INTEL, 0xA348, driver="snd_hda_intel")
    board.tree.sound(full("00:1f.3"), 0)
    lan(board, "00:1f.6", "eno1", 0x15BC)
    board.card(
        "01:00.0",
        VGA,
        NVIDIA,
        0x1C82,
        behind="00:01.0",
        driver="nouveau",
        subsystem=(0x1043, 0x85CF),
        boot_vga=False,
        bars=nvidia_bars(256 * MIB),
        reset_methods="bus",
        link=("2.5 GT/s PCIe", 16, "8.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    board.sound_of("01:00.1", NVIDIA, 0x0FB9, 1, behind="00:01.0", subsystem=(0x1043, 0x85CF))
    board.tree.drm(full("00:02.0"), (Connector("DP-1", "connected", "HP E243"), Connector("HDMI-A-1")), number=0)
    board.tree.drm(full("01:00.0"), (Connector("DP-2"), Connector("HDMI-A-2"), Connector("DVI-D-1")), number=1)
    board.tree.iommu()
    boots.debian_grub(board.tree, "6.1.0-39-amd64")
    layouts.plain(board.tree, "sda")
    board.tree.cpu("GenuineIntel", "Intel(R) Core(TM) i5-8400 CPU @ 2.80GHz", "fpu vme vmx sse4_2 aes avx2")
    board.tree.dmi("Gigabyte Technology Co., Ltd.", "B360M DS3H").uefi()
    board.tree.process(1, "systemd").process(1201, "Xorg", "/dev/dri/card0")


MACHINE = Machine(
    title="IOMMU switched off",
    fill=_fill,
    grouped=False,
    daemon=Daemon(machines=(_Q35, "pc-i440fx-7.2"), backends=()),
    domains=(
        Domain(
            "win10",
            "b3d90c44-8a3b-4f0e-a0f9-3c2d11f68001",
            "http://microsoft.com/win/10",
            (TABLET, SPICE, QXL_VIDEO),
            machine=_Q35,
        ),
        Domain(
            "debian",
            "b3d90c44-8a3b-4f0e-a0f9-3c2d11f68002",
            "http://debian.org/debian/12",
            (TABLET, VNC, VIRTIO_VIDEO),
            machine=_Q35,
            uefi=False,
            state="running",
        ),
    ),
)

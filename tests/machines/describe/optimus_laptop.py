# SPDX-License-Identifier: GPL-3.0-or-later
"""A laptop on Bazzite: Intel shows the panel, the GeForce has no sockets (3D controller) and sleeps."""

from __future__ import annotations

from fakes.sysfs import DISPLAY_3D, HDA, NVME, USB_XHCI, VGA, Connector
from machines.describe import boots, layouts
from machines.describe.board import MIB, Board, full, intel_bars, nvidia_bars
from machines.describe.daemon import Daemon
from machines.describe.domains import SPICE, TABLET, TPM, VIRTIO_VIDEO, Domain, virgl
from machines.describe.machine import Machine
from machines.describe.names import INTEL, NVIDIA, SAMSUNG
from machines.describe.platforms import desk

_Q35 = "pc-q35-9.2"


def _fill(board: Board) -> None:
    board.card(
        "00:02.0",
        VGA,
        INTEL,
        0x9A60,
        driver="i915",
        subsystem=(0x103C, 0x88D0),
        boot_vga=True,
        bars=intel_bars(256 * MIB),
        reset_methods="flr",
        runtime_status="active",
        revision=0x01,
    )
    panel = Connector("eDP-1", "connected", "B156HAN02.1")
    board.tree.drm(full("00:02.0"), (panel, Connector("DP-1"), Connector("HDMI-A-1")), number=1)
    board.host_bridge("00:00.0", INTEL, 0x9A36)
    board.bridge("00:01.0", INTEL, 0x9A01)
    board.plug("00:14.0", USB_XHCI, INTEL, 0x43ED, driver="xhci_hcd")
    desk(board, "00:14.0")
    board.bridge("00:1d.0", INTEL, 0x43B0)
    board.bridge("00:1d.4", INTEL, 0x43B0)
    chipset = board.plug("00:1f.0", 0x060100, INTEL, 0x4389)
    board.plug("00:1f.3", HDA, INTEL, 0x43C8, group=chipset, driver="snd_hda_intel")
    board.tree.sound(full("00:1f.3"), 0)
    board.card(
        "01:00.0",
        DISPLAY_3D,
        NVIDIA,
        0x1F97,
        behind="00:01.0",
        driver="nvidia",
        subsystem=(0x103C, 0x88D0),
        bars=nvidia_bars(256 * MIB),
        reset_methods="flr bus",
        power_state="D3cold",
        runtime_status="suspended",
        link=("Unknown", 63, "8.0 GT/s PCIe", 4),
        revision=0xA1,
    )
    board.tree.drm(full("01:00.0"), (), number=0)
    board.plug("02:00.0", 0x028000, INTEL, 0x2725, behind="00:1d.0", driver="iwlwifi")
    board.tree.network(full("02:00.0"), "wlp2s0")
    board.plug("03:00.0", NVME, SAMSUNG, 0xA808, behind="00:1d.4", driver="nvme")
    board.tree.disk(full("03:00.0"), "nvme0n1")
    board.tree.iommu("dmar0", "dmar1")
    boots.bazzite_ostree(board.tree, "6.15.11-103.bazzite.fc42.x86_64", "rhgb quiet intel_iommu=on")
    layouts.image_based(board.tree, "nvme0n1")
    board.tree.cpu("GenuineIntel", "11th Gen Intel(R) Core(TM) i5-11400H @ 2.70GHz", "fpu vme vmx sse4_2 aes avx2")
    board.tree.dmi("HP", "Pavilion Gaming Laptop 15").uefi(
        secure_boot=True, lockdown="none [integrity] confidentiality"
    )
    board.tree.process(1, "systemd").process(1890, "kwin_wayland", "/dev/dri/card1", "/dev/dri/renderD129")


MACHINE = Machine(
    title="Laptop with a sleeping GeForce (Optimus)",
    fill=_fill,
    daemon=Daemon(machines=(_Q35, "pc-i440fx-9.2")),
    nvml=(("0000:01:00.0", "NVIDIA GeForce MX450", 2048),),
    domains=(
        Domain(
            "windows-office",
            "4a8fd0e1-55d2-4d3e-9f65-1de37b096001",
            "http://microsoft.com/win/11",
            (TABLET, TPM, SPICE, VIRTIO_VIDEO),
            machine=_Q35,
        ),
        Domain(
            "silverblue",
            "4a8fd0e1-55d2-4d3e-9f65-1de37b096002",
            "http://fedoraproject.org/silverblue/42",
            (TABLET, virgl("/dev/dri/by-path/pci-0000:00:02.0-render")),
            machine=_Q35,
            memory_gib=6,
        ),
    ),
)

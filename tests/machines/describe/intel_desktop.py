# SPDX-License-Identifier: GPL-3.0-or-later
"""An Intel desktop on Fedora: the processor's graphics run the screen, a Radeon waits for a VM on vfio-pci."""

from __future__ import annotations

from fakes.sysfs import HDA, NVME, USB_XHCI, VGA, Connector
from machines.describe import boots, layouts
from machines.describe.board import GIB, MIB, Board, full, intel_bars, radeon_bars
from machines.describe.domains import LOOKING_GLASS, SPICE, TABLET, TPM, VIRTIO_VIDEO, VNC, Domain, passed_through
from machines.describe.machine import Machine
from machines.describe.names import ATI, INTEL, SAMSUNG
from machines.describe.platforms import desk, lan, sata


def _fill(board: Board) -> None:
    board.card(
        "00:02.0",
        VGA,
        INTEL,
        0x4680,
        driver="i915",
        subsystem=(0x1043, 0x8882),
        boot_vga=True,
        bars=intel_bars(256 * MIB),
        reset_methods="flr",
        revision=0x0C,
    )
    board.tree.drm(full("00:02.0"), (Connector("DP-1", "connected", "BenQ PD2700U"), Connector("HDMI-A-1")), number=0)
    board.host_bridge("00:00.0", INTEL, 0x4668)
    board.bridge("00:01.0", INTEL, 0x460D)
    board.plug("00:14.0", USB_XHCI, INTEL, 0x7AE0, driver="xhci_hcd")
    desk(board, "00:14.0")
    sata(board, "00:17.0", INTEL, 0x7AE2, "sda")
    board.bridge("00:1c.0", INTEL, 0x7AB8)
    board.bridge("00:1c.4", INTEL, 0x7AB8)
    chipset = board.plug("00:1f.0", 0x060100, INTEL, 0x7A84)
    board.plug("00:1f.3", HDA, INTEL, 0x7AD0, group=chipset, driver="snd_hda_intel")
    board.tree.sound(full("00:1f.3"), 0)
    board.plug("00:1f.4", 0x0C0500, INTEL, 0x7AA3, group=chipset, driver="i801_smbus")
    _radeon(board)
    lan(board, "04:00.0", "enp4s0", 0x15F3, behind="00:1c.0")
    board.plug("05:00.0", NVME, SAMSUNG, 0xA80C, behind="00:1c.4", driver="nvme")
    board.tree.disk(full("05:00.0"), "nvme0n1")
    board.tree.iommu("dmar0", "dmar1")
    boots.fedora_bls(board.tree, "6.16.7-200.fc42.x86_64", "rhgb quiet intel_iommu=on iommu=pt")
    layouts.boot_apart(board.tree, "nvme0n1")
    board.tree.file(
        "etc/modprobe.d/vfio.conf", "options vfio-pci ids=1002:73ff,1002:ab28\nsoftdep amdgpu pre: vfio-pci\n"
    )
    board.tree.file("etc/dracut.conf.d/vfio.conf", 'force_drivers+=" vfio_pci vfio vfio_iommu_type1 "\n')
    board.tree.cpu("GenuineIntel", "12th Gen Intel(R) Core(TM) i7-12700K", "fpu vme vmx sse4_2 aes avx2")
    board.tree.dmi("ASUS", "PRIME Z690-P").uefi(secure_boot=True, lockdown="none [integrity] confidentiality")
    board.tree.process(1, "systemd")
    board.tree.process(1655, "gnome-shell", "/dev/dri/card0", "/dev/dri/renderD128")


def _radeon(board: Board) -> None:
    """A Radeon brings a switch of its own."""
    board.bridge("01:00.0", ATI, 0x1478, behind="00:01.0")
    board.bridge("02:00.0", ATI, 0x1479, behind="01:00.0")
    board.card(
        "03:00.0",
        VGA,
        ATI,
        0x73FF,
        behind="02:00.0",
        driver="vfio-pci",
        subsystem=(0x1DA2, 0xE447),
        boot_vga=False,
        bars=radeon_bars(8 * GIB),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 8, "16.0 GT/s PCIe", 16),
        revision=0xC7,
    )
    board.sound_of("03:00.1", ATI, 0xAB28, 1, behind="02:00.0", driver="vfio-pci", subsystem=(0x1002, 0xAB28))


MACHINE = Machine(
    title="Intel desktop: a Radeon that is free for a VM",
    fill=_fill,
    domains=(
        Domain(
            "win10-work",
            "7b0c3e52-1d1b-4c2e-8a50-64e1f2aa2001",
            "http://microsoft.com/win/10",
            (
                TABLET,
                TPM,
                SPICE,
                VIRTIO_VIDEO,
                passed_through("03:00.0", 7, whole=True),
                passed_through("03:00.1", 7, 1),
                LOOKING_GLASS,
            ),
            memory_gib=16,
            vcpus=8,
            shared_memory=True,
        ),
        Domain(
            "ubuntu-ml",
            "7b0c3e52-1d1b-4c2e-8a50-64e1f2aa2002",
            "http://ubuntu.com/ubuntu/24.04",
            (TABLET, VNC, VIRTIO_VIDEO),
            memory_gib=12,
            vcpus=6,
        ),
        Domain(
            "router",
            "7b0c3e52-1d1b-4c2e-8a50-64e1f2aa2003",
            "http://freebsd.org/freebsd/14.2",
            (),
            memory_gib=1,
            vcpus=1,
            uefi=False,
            state="running",
            autostart=True,
        ),
    ),
)

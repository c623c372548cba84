# SPDX-License-Identifier: GPL-3.0-or-later
"""An AMD desktop on Arch: the processor's graphics and a GeForce, both lit, the GeForce in a group of its own."""

from __future__ import annotations

from fakes.sysfs import NVME, VGA, Connector
from machines.describe import entries, layouts
from machines.describe.board import GIB, MIB, Board, full, nvidia_bars, radeon_bars
from machines.describe.domains import (
    QXL_VIDEO,
    SPICE,
    SPICE_LOCAL,
    TABLET,
    TPM,
    VIRTIO_VIDEO,
    VNC,
    Domain,
    virgl,
)
from machines.describe.machine import Machine
from machines.describe.names import AMD, ATI, NVIDIA, SAMSUNG
from machines.describe.platforms import am5_inner, am5_root, lan, sata


def _fill(board: Board) -> None:
    am5_root(board)
    group = board.card(
        "01:00.0",
        VGA,
        NVIDIA,
        0x2786,
        behind="00:01.1",
        driver="nvidia",
        subsystem=(0x1458, 0x4123),
        boot_vga=False,
        bars=nvidia_bars(16 * GIB),
        reset_methods="flr bus",
        link=("2.5 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    board.sound_of("01:00.1", NVIDIA, 0x22BC, 1, behind="00:01.1", group=group, subsystem=(0x1458, 0x4123))
    screens = (Connector("DP-2"), Connector("DP-3"), Connector("HDMI-A-2", "connected", "LG ULTRAGEAR"))
    board.tree.drm(full("01:00.0"), screens, number=1)
    tied = board.bridge("02:00.0", AMD, 0x43F4, behind="00:02.1")
    board.bridge("03:00.0", AMD, 0x43F5, behind="02:00.0", group=tied)
    board.bridge("03:01.0", AMD, 0x43F5, behind="02:00.0", group=tied)
    sata(board, "04:00.0", AMD, 0x43F6, "sda", behind="03:00.0", group=tied)
    lan(board, "05:00.0", "enp5s0", behind="03:01.0", group=tied)
    board.plug("0b:00.0", NVME, SAMSUNG, 0xA80C, behind="00:02.3", driver="nvme")
    board.tree.disk(full("0b:00.0"), "nvme0n1")
    board.card(
        "0e:00.0",
        VGA,
        ATI,
        0x164E,
        behind="00:08.1",
        driver="amdgpu",
        subsystem=(0x1458, 0xD000),
        boot_vga=True,
        bars=radeon_bars(256 * MIB),
        reset_methods="",
        revision=0xC1,
        extra={"mem_info_vram_total": str(512 * MIB)},
    )
    board.sound_of("0e:00.1", ATI, 0x1640, 0, behind="00:08.1", subsystem=(0x1458, 0xA194))
    am5_inner(board)
    board.tree.drm(full("0e:00.0"), (Connector("DP-1", "connected", "DELL U2723QE"), Connector("HDMI-A-1")), number=0)
    entries.arch_systemd_boot(board.tree, "6.16.8-arch3-1", "rw quiet")
    layouts.firmware_at(board.tree, "nvme0n1", "/boot")
    board.tree.cpu(model="AMD Ryzen 7 7700X 8-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    board.tree.dmi("Gigabyte Technology Co., Ltd.", "B650 AORUS ELITE AX").uefi(secure_boot=False)
    board.tree.process(1, "systemd")
    board.tree.process(1402, "gnome-shell", "/dev/dri/card0", "/dev/dri/renderD128", "/dev/dri/card1")
    board.tree.process(1733, "chrome", "/dev/dri/renderD128")
    board.tree.process(1810, "pipewire", "/dev/snd/controlC1")


MACHINE = Machine(
    title="AMD desktop: processor graphics and a GeForce, both with a monitor",
    fill=_fill,
    nvml=(("0000:01:00.0", "NVIDIA GeForce RTX 4070", 12282),),
    domains=(
        Domain(
            "windows-11",
            "2f1d6c0e-7e5b-4a7b-9a33-2c9c5b8e1001",
            "http://microsoft.com/win/11",
            (TABLET, TPM, SPICE, QXL_VIDEO, "<sound model='ich9'/>"),
            memory_gib=16,
            vcpus=8,
        ),
        Domain(
            "debian-dev",
            "2f1d6c0e-7e5b-4a7b-9a33-2c9c5b8e1002",
            "http://debian.org/debian/13",
            (TABLET, VNC, VIRTIO_VIDEO),
            state="running",
            autostart=True,
            comment="<!-- kept by hand: the network bridge is set in /etc/qemu/bridge.conf -->\n",
        ),
        Domain(
            "fedora-3d",
            "2f1d6c0e-7e5b-4a7b-9a33-2c9c5b8e1003",
            "http://fedoraproject.org/fedora/42",
            (TABLET, virgl("/dev/dri/by-path/pci-0000:0e:00.0-render")),
        ),
        Domain(
            "headless",
            "2f1d6c0e-7e5b-4a7b-9a33-2c9c5b8e1004",
            None,
            (SPICE_LOCAL,),
            memory_gib=2,
            vcpus=2,
            uefi=False,
            managed_save=True,
        ),
    ),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo machine: four cards that each tell another story, and five VMs.

The processor's own graphics run the desktop, a GeForce is lit and could be given alone, an old Radeon is tied to the
network and the disks, and an Arc is cut into four shares of which two are given.
"""

from __future__ import annotations

from fakes.sysfs import NVME, VGA, VIRTUAL_FUNCTION_DISPLAY, Connector
from machines.describe import boots, layouts
from machines.describe.board import GIB, MIB, Board, full, intel_bars, nvidia_bars, radeon_bars
from machines.describe.domains import (
    NO_VIDEO,
    QXL_VIDEO,
    SPICE,
    TABLET,
    TPM,
    VIRTIO_VIDEO,
    VNC,
    Domain,
    passed_through,
    virgl,
)
from machines.describe.machine import Machine
from machines.describe.names import AMD, ATI, INTEL, NVIDIA, SAMSUNG
from machines.describe.platforms import am5_inner, am5_root, lan, sata

_PROGRAMS = (
    *("kwin_wayland", "Xwayland", "plasmashell", "firefox", "thunderbird", "konsole", "dolphin", "kate", "krunner"),
    *("ksmserver", "kded6", "xdg-desktop-por", "polkit-kde-auth", "systemsettings", "discover", "okular", "gwenview"),
    *("spectacle", "elisa", "vlc", "element-desktop", "signal-desktop", "steam", "steamwebhelper", "code"),
    *("virt-manager", "obsidian", "libreoffice", "kdeconnectd", "baloo_file", "akonadi_control", "kalendarac"),
    *("Web Content", "WebExtensions", "RDD Process", "Isolated Web Co", "GPU Process", "korganizer", "ark", "yakuake"),
)
"""Forty programs with a window; the fedora VM's QEMU is the one after them."""
_FEDORA_PID = 2900


def _fill(board: Board) -> None:
    am5_root(board)
    _geforce(board)
    _chipset(board)
    _arc(board)
    _built_in(board)
    tree = board.tree
    boots.debian_grub(tree, "6.12.48+deb13-amd64", "quiet splash xe.max_vfs=4")
    tree.file("boot/grub/grubenv", boots.grub_block())
    layouts.plain(tree, "nvme0n1")
    tree.file("proc/modules", "\n".join(f"{name} 16384 0 - Live 0x0000000000000000" for name in _MODULES))
    tree.cpu(model="AMD Ryzen 9 7950X 16-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    tree.dmi("ASRock", "X670E Taichi").uefi()
    tree.file("sys/class/vtconsole/vtcon1/bind", "1").file("sys/class/vtconsole/vtcon1/name", "(M) frame buffer device")


_MODULES = ("amdgpu", "kvm", "kvm_amd", "nvidia", "nvidia_drm", "r8169", "vfio", "vfio_pci", "xe")


def _geforce(board: Board) -> None:
    group = board.card(
        "01:00.0",
        VGA,
        NVIDIA,
        0x2786,
        behind="00:01.1",
        driver="nvidia",
        subsystem=(0x10DE, 0x16FA),
        boot_vga=False,
        bars=nvidia_bars(16 * GIB),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    board.sound_of("01:00.1", NVIDIA, 0x22BC, 1, behind="00:01.1", group=group, subsystem=(0x10DE, 0x16FA))
    screens = (Connector("DP-2"), Connector("DP-3"), Connector("DP-4"), Connector("HDMI-A-2", "connected", "LG 24MP59"))
    board.tree.drm(full("01:00.0"), screens, number=0)
    board.tree.process(2101, "kwin_wayland", "/dev/dri/card0", "/dev/dri/renderD128", "/dev/dri/card1")
    board.tree.file(
        "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA GeForce RTX 4070\nDevice Minor: \t 0\n"
    )


def _chipset(board: Board) -> None:
    """Everything behind the chipset's switch shares one group: its ports keep nothing apart."""
    tied = board.bridge("02:00.0", AMD, 0x43F4, behind="00:02.1")
    for slot in ("00", "01", "02"):
        board.bridge(f"03:{slot}.0", AMD, 0x43F5, behind="02:00.0", group=tied)
    sata(board, "04:00.0", AMD, 0x43F6, "sda", "sdb", behind="03:00.0", group=tied)
    board.card(
        "05:00.0",
        VGA,
        ATI,
        0x67DF,
        behind="03:01.0",
        group=tied,
        driver="amdgpu",
        subsystem=(0x1DA2, 0xE366),
        boot_vga=False,
        bars=radeon_bars(256 * MIB),
        reset_methods="bus",
        link=("2.5 GT/s PCIe", 4, "8.0 GT/s PCIe", 16),
        revision=0xE7,
        extra={"mem_info_vram_total": str(8 * GIB)},
    )
    board.sound_of("05:00.1", ATI, 0xAAF0, 2, behind="03:01.0", group=tied, subsystem=(0x1DA2, 0xAAF0))
    board.tree.drm(full("05:00.0"), (Connector("DP-5"), Connector("HDMI-A-3"), Connector("DVI-D-1")), number=2)
    lan(board, "06:00.0", "eth0", behind="03:02.0", group=tied)


def _arc(board: Board) -> None:
    """An Arc has a switch of its own, and its sound sits on another bus behind it."""
    board.bridge("07:00.0", INTEL, 0xE2FF, behind="00:02.2")
    board.bridge("08:01.0", INTEL, 0xE2F0, behind="07:00.0")
    board.bridge("08:02.0", INTEL, 0xE2F1, behind="07:00.0")
    board.card(
        "09:00.0",
        VGA,
        INTEL,
        0xE212,
        behind="08:01.0",
        driver="xe",
        subsystem=(0x8086, 0x1114),
        boot_vga=False,
        bars=intel_bars(16 * GIB),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 8, "16.0 GT/s PCIe", 8),
        sriov=(4, 4),
        extra={"tile0/physical_vram_size_bytes": str(16 * GIB)},
    )
    for number in range(1, 5):
        given = number <= 2
        board.card(
            f"09:00.{number}",
            VIRTUAL_FUNCTION_DISPLAY,
            INTEL,
            0xE212,
            behind="08:01.0",
            driver="vfio-pci" if given else None,
            subsystem=(0x8086, 0x1114),
            physfn=full("09:00.0"),
            bars=intel_bars(4 * GIB),
            reset_methods="flr",
        )
    board.sound_of("0a:00.0", INTEL, 0xE2F7, 3, behind="08:02.0")
    board.tree.drm(full("09:00.0"), tuple(Connector(f"DP-{number}") for number in range(6, 10)), number=3)
    board.plug("0b:00.0", NVME, SAMSUNG, 0xA80C, behind="00:02.3", driver="nvme")
    board.tree.disk(full("0b:00.0"), "nvme0n1")


def _built_in(board: Board) -> None:
    board.card(
        "0e:00.0",
        VGA,
        ATI,
        0x164E,
        behind="00:08.1",
        driver="amdgpu",
        subsystem=(0x1849, 0x364E),
        boot_vga=True,
        bars=radeon_bars(256 * MIB),
        reset_methods="",
        link=("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
        revision=0xC1,
        extra={"mem_info_vram_total": str(512 * MIB)},
    )
    board.sound_of("0e:00.1", ATI, 0x1640, 0, behind="00:08.1", subsystem=(0x1849, 0x1640))
    am5_inner(board)
    board.tree.drm(full("0e:00.0"), (Connector("DP-1", "connected", "DELL U2723QE"), Connector("HDMI-A-1")), number=1)
    board.tree.link("sys/class/graphics/fb0", f"{board.tree.place_of(full('0e:00.0'))}/graphics/fb0")
    board.tree.file(f"{board.tree.place_of(full('0e:00.0'))}/graphics/fb0/name", "amdgpudrmfb")
    board.tree.process(1, "systemd")
    for number, program in enumerate(_PROGRAMS):
        if program != "kwin_wayland":
            board.tree.process(2101 + number, program, "/dev/dri/renderD129")
    board.tree.process(_FEDORA_PID, "qemu-system-x86", "/dev/kvm", "/dev/dri/renderD129")


_RENDER = "/dev/dri/by-path/pci-0000:0e:00.0-render"

MACHINE = Machine(
    title="Demo machine",
    fill=_fill,
    boots=(38, 36, 41, 37),
    nvml=(("0000:01:00.0", "NVIDIA GeForce RTX 4070", 12282),),
    domains=(
        Domain(
            "win11-games",
            "6d9bd1f2-4a43-4f0e-9c3a-51d0c0a1e001",
            "http://microsoft.com/win/11",
            (TABLET, TPM, SPICE, VIRTIO_VIDEO, "<sound model='ich9'/>"),
            memory_gib=16,
            vcpus=8,
        ),
        Domain(
            "cad-studio",
            "6d9bd1f2-4a43-4f0e-9c3a-51d0c0a1e002",
            "http://microsoft.com/win/11",
            (TABLET, TPM, VNC, NO_VIDEO, passed_through("09:00.1", 8)),
            memory_gib=16,
            vcpus=8,
            state="running",
            pids=(2810,),
        ),
        Domain(
            "render-node",
            "6d9bd1f2-4a43-4f0e-9c3a-51d0c0a1e003",
            "http://ubuntu.com/ubuntu/24.04",
            (VNC, NO_VIDEO, passed_through("09:00.2", 8)),
            memory_gib=32,
            vcpus=12,
            state="running",
            autostart=True,
            pids=(2850,),
        ),
        Domain(
            "fedora-desk",
            "6d9bd1f2-4a43-4f0e-9c3a-51d0c0a1e004",
            "http://fedoraproject.org/fedora/42",
            (TABLET, virgl(_RENDER), "<sound model='virtio'/>"),
            memory_gib=8,
            state="running",
            pids=(_FEDORA_PID,),
            shared_memory=True,
        ),
        Domain(
            "old-xp",
            "6d9bd1f2-4a43-4f0e-9c3a-51d0c0a1e005",
            "http://microsoft.com/win/xp",
            (TABLET, SPICE, QXL_VIDEO, "<sound model='ac97'/>"),
            memory_gib=2,
            vcpus=1,
            machine="pc-i440fx-10.0",
            uefi=False,
            state="running",
        ),
    ),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Two cards of the same make on Ubuntu: one shows the desktop, the other is idle, and no id tells them apart."""

from __future__ import annotations

from fakes.sysfs import VGA, Connector
from machines.describe import boots, layouts
from machines.describe.board import MIB, Board, full, nvidia_bars
from machines.describe.daemon import Daemon
from machines.describe.domains import QXL_VIDEO, SPICE, TABLET, TPM, VIRTIO_VIDEO, VNC, Domain, passed_through
from machines.describe.machine import Machine
from machines.describe.names import NVIDIA
from machines.describe.platforms import am4_inner, am4_root, lan

_Q35 = "pc-q35-8.2"


def _card(board: Board, bus: str, behind: str, sound: int, *, lit: bool) -> None:
    group = board.card(
        f"{bus}:00.0",
        VGA,
        NVIDIA,
        0x2504,
        behind=behind,
        driver="nvidia",
        subsystem=(0x1462, 0x397D),
        boot_vga=lit,
        bars=nvidia_bars(256 * MIB),
        reset_methods="flr bus",
        link=("8.0 GT/s PCIe" if lit else "2.5 GT/s PCIe", 8, "16.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    facts = {"behind": behind, "group": group, "subsystem": (0x1462, 0x397D)}
    board.sound_of(f"{bus}:00.1", NVIDIA, 0x228E, sound, **facts)


def _fill(board: Board) -> None:
    am4_root(board)
    lan(board, "05:00.0", "enp5s0", 0x8168, behind="00:01.3")
    _card(board, "08", "00:03.1", 0, lit=True)
    _card(board, "09", "00:03.2", 1, lit=False)
    am4_inner(board)
    board.tree.drm(full("08:00.0"), (Connector("DP-1", "connected", "S27C432"), Connector("HDMI-A-1")), number=0)
    board.tree.drm(full("09:00.0"), (Connector("DP-2"), Connector("HDMI-A-2")), number=1)
    boots.ubuntu_grub(board.tree, "6.8.0-84-generic")
    layouts.plain(board.tree, "nvme0n1")
    board.tree.cpu(model="AMD Ryzen 9 5900X 12-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    board.tree.dmi("Micro-Star International Co., Ltd.", "MS-7C35").uefi()
    board.tree.process(1, "systemd").process(1987, "gnome-shell", "/dev/dri/card0", "/dev/dri/renderD128")
    for address, minor in (("0000:08:00.0", 0), ("0000:09:00.0", 1)):
        words = f"Model: \t\t NVIDIA GeForce RTX 3060\nDevice Minor: \t {minor}\n"
        board.tree.file(f"proc/driver/nvidia/gpus/{address}/information", words)
    board.tree.process(2204, "Xorg", "/dev/nvidia0", "/dev/dri/card0")


MACHINE = Machine(
    title="Two identical cards",
    fill=_fill,
    daemon=Daemon(machines=(_Q35, "pc-i440fx-8.2")),
    nvml=(
        ("0000:08:00.0", "NVIDIA GeForce RTX 3060", 12288),
        ("0000:09:00.0", "NVIDIA GeForce RTX 3060", 12288),
    ),
    domains=(
        Domain(
            "win11-studio",
            "c5a2d1a0-93a4-47f6-8c9d-0b7a61ee3001",
            "http://microsoft.com/win/11",
            (TABLET, TPM, SPICE, QXL_VIDEO, passed_through("09:00.0", 6, whole=True), passed_through("09:00.1", 6, 1)),
            memory_gib=24,
            vcpus=12,
            machine=_Q35,
        ),
        Domain(
            "ubuntu-build",
            "c5a2d1a0-93a4-47f6-8c9d-0b7a61ee3002",
            "http://ubuntu.com/ubuntu/24.04",
            (TABLET, VNC, VIRTIO_VIDEO),
            machine=_Q35,
            state="running",
        ),
    ),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Proxmox server: two Teslas that are cut into shares, an Intel card with virtual functions, a management screen."""

from __future__ import annotations

from fakes.sysfs import DISPLAY_3D, DISPLAY_OTHER, USB_XHCI, VGA, Connector
from machines.describe import entries, layouts
from machines.describe.board import GIB, MIB, Board, full, intel_bars, nvidia_bars
from machines.describe.daemon import Daemon
from machines.describe.domains import NO_VIDEO, TABLET, VGA_VIDEO, VIRTIO_VIDEO, VNC, Domain, mediated, passed_through
from machines.describe.machine import Machine
from machines.describe.names import ASPEED, INTEL, NVIDIA
from machines.describe.platforms import lan, sata

_Q35 = "pc-q35-9.2"
_TYPES = (
    ("nvidia-222", "GRID T4-1B", 16),
    ("nvidia-230", "GRID T4-1Q", 16),
    ("nvidia-231", "GRID T4-2Q", 8),
    ("nvidia-232", "GRID T4-4Q", 4),
    ("nvidia-233", "GRID T4-8Q", 2),
    ("nvidia-234", "GRID T4-16Q", 1),
)
_SHARE = "aa618089-8b16-4d01-a136-25a0f3c73123"
_SHARED_BY = 4


def _tesla(board: Board, address: str, behind: str, *, shares: tuple[str, ...] = ()) -> None:
    board.card(
        address,
        DISPLAY_3D,
        NVIDIA,
        0x1EB8,
        behind=behind,
        driver="nvidia",
        subsystem=(0x10DE, 0x12A2),
        bars=nvidia_bars(256 * MIB),
        reset_methods="flr bus",
        link=("8.0 GT/s PCIe", 16, "8.0 GT/s PCIe", 16),
        revision=0xA1,
    )
    for type_id, name, room in _TYPES:
        # A card serves one kind at a time: once a share of it exists, only that kind has room.
        left = room if not shares else (_SHARED_BY - len(shares) if type_id == "nvidia-232" else 0)
        board.tree.mdev_type(full(address), type_id, name, left)
    for uuid in shares:
        board.tree.mdev(full(address), "nvidia-232", uuid)


def _fill(board: Board) -> None:
    board.host_bridge("00:00.0", INTEL, 0x09A2)
    board.plug("00:14.0", USB_XHCI, INTEL, 0xA1AF, driver="xhci_hcd")
    sata(board, "00:17.0", INTEL, 0xA182, "sda", "sdb")
    board.bridge("00:1c.0", INTEL, 0xA190)
    board.plug("00:1f.0", 0x060100, INTEL, 0xA1C8)
    group = board.bridge("02:00.0", ASPEED, 0x1150, behind="00:1c.0")
    board.card(
        "03:00.0",
        VGA,
        ASPEED,
        0x2000,
        behind="02:00.0",
        group=group,
        driver="ast",
        subsystem=(0x15D9, 0x1B95),
        boot_vga=True,
        bars=((16 * MIB, 0x40200), (256 * 1024, 0x40200), (128, 0x40101)),
        reset_methods="",
        revision=0x52,
    )
    board.tree.drm(full("03:00.0"), (Connector("VGA-1", "connected", "BMC"),), render=False, number=0)
    board.bridge("16:02.0", INTEL, 0x347A)
    lan(board, "17:00.0", "ens1f0np0", 0x1592, behind="16:02.0")
    board.bridge("3a:02.0", INTEL, 0x347A)
    _tesla(board, "3b:00.0", "3a:02.0", shares=(_SHARE,))
    board.bridge("85:02.0", INTEL, 0x347A)
    _tesla(board, "86:00.0", "85:02.0")
    _flex(board)
    board.tree.folder_at("sys/class/input").iommu("dmar0", "dmar1", "dmar2")
    entries.proxmox(board.tree, "6.14.11-2-pve")
    layouts.pool(board.tree, "sda")
    board.tree.cpu("GenuineIntel", "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "fpu vme vmx sse4_2 aes avx512f")
    board.tree.dmi("Supermicro", "SYS-220U-TNR").uefi()
    board.tree.process(1, "systemd").process(3310, "nvidia-vgpu-mgr", "/dev/nvidiactl")


def _flex(board: Board) -> None:
    board.bridge("c2:02.0", INTEL, 0x347C)
    board.card(
        "c3:00.0",
        DISPLAY_OTHER,
        INTEL,
        0x56C0,
        behind="c2:02.0",
        driver="i915",
        subsystem=(0x8086, 0x4905),
        bars=intel_bars(16 * GIB),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
        revision=0x08,
        sriov=(31, 3),
    )
    board.tree.drm(full("c3:00.0"), (), number=1)
    for number in range(1, 4):
        board.card(
            f"c3:00.{number}",
            DISPLAY_OTHER,
            INTEL,
            0x56C0,
            behind="c2:02.0",
            driver="vfio-pci",
            subsystem=(0x8086, 0x4905),
            physfn=full("c3:00.0"),
            bars=intel_bars(4 * GIB),
            reset_methods="flr",
            revision=0x08,
        )


MACHINE = Machine(
    title="Server with shared cards",
    fill=_fill,
    daemon=Daemon(machines=(_Q35, "pc-i440fx-9.2")),
    nvml=(("0000:3b:00.0", "Tesla T4", 15360), ("0000:86:00.0", "Tesla T4", 15360)),
    domains=(
        Domain(
            "vdi-01",
            "0f4cbb52-3f43-4cfc-9d5e-7b8f4ed57001",
            "http://microsoft.com/win/10",
            (TABLET, VNC, NO_VIDEO, mediated(_SHARE, 7)),
            machine=_Q35,
            state="running",
            autostart=True,
        ),
        Domain(
            "vdi-02",
            "0f4cbb52-3f43-4cfc-9d5e-7b8f4ed57002",
            "http://microsoft.com/win/10",
            (TABLET, VNC, VIRTIO_VIDEO),
            machine=_Q35,
        ),
        Domain(
            "transcode",
            "0f4cbb52-3f43-4cfc-9d5e-7b8f4ed57003",
            "http://debian.org/debian/12",
            (VNC, VGA_VIDEO, passed_through("c3:00.1", 7)),
            machine=_Q35,
            state="running",
        ),
        Domain(
            "training",
            "0f4cbb52-3f43-4cfc-9d5e-7b8f4ed57004",
            "http://ubuntu.com/ubuntu/22.04",
            (VNC, NO_VIDEO, passed_through("86:00.0", 7)),
            memory_gib=64,
            vcpus=16,
            machine=_Q35,
        ),
    ),
)

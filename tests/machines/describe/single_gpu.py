# SPDX-License-Identifier: GPL-3.0-or-later
"""One card and nothing else on EndeavourOS: giving it away takes the only screen."""

from __future__ import annotations

from fakes.sysfs import VGA, Connector
from machines.describe import entries, layouts
from machines.describe.board import GIB, Board, full, radeon_bars
from machines.describe.domains import NO_VIDEO, QXL_VIDEO, SPICE, TABLET, TPM, VIRTIO_VIDEO, VNC, Domain, passed_through
from machines.describe.machine import Machine
from machines.describe.names import ATI
from machines.describe.platforms import am4_inner, am4_root, lan


def _fill(board: Board) -> None:
    am4_root(board)
    lan(board, "05:00.0", "enp5s0", behind="00:01.3")
    board.bridge("07:00.0", ATI, 0x1478, behind="00:03.1")
    board.bridge("08:00.0", ATI, 0x1479, behind="07:00.0")
    board.card(
        "09:00.0",
        VGA,
        ATI,
        0x73DF,
        behind="08:00.0",
        driver="amdgpu",
        subsystem=(0x1849, 0x5219),
        boot_vga=True,
        bars=radeon_bars(16 * GIB),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
        revision=0xC1,
        extra={"mem_info_vram_total": str(12 * GIB)},
    )
    board.sound_of("09:00.1", ATI, 0xAB28, 0, behind="08:00.0", subsystem=(0x1002, 0xAB28))
    am4_inner(board)
    screens = (
        Connector("DP-1", "connected", "AW2721D"),
        Connector("DP-2", "connected", "DELL U2415"),
        Connector("DP-3"),
        Connector("HDMI-A-1"),
    )
    board.tree.drm(full("09:00.0"), screens, number=1)
    entries.endeavour_kernel_install(board.tree, "6.16.8-arch3-1")
    layouts.firmware_and_vault(board.tree, "nvme0n1", "/efi", "none luks")
    board.tree.cpu(model="AMD Ryzen 5 5600X 6-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    board.tree.dmi("ASRock", "B550M Steel Legend").uefi(secure_boot=None)
    board.tree.process(1, "systemd").process(1120, "kwin_wayland", "/dev/dri/card1", "/dev/dri/renderD129")
    board.tree.process(1350, "firefox", "/dev/dri/renderD129").process(1402, "steam", "/dev/dri/renderD129")


MACHINE = Machine(
    title="One card only",
    fill=_fill,
    domains=(
        Domain(
            "win11",
            "9e6f7d1b-0c3c-44be-8f57-aa2be1c95001",
            "http://microsoft.com/win/11",
            (TABLET, TPM, VNC, NO_VIDEO, passed_through("09:00.0", 7, whole=True), passed_through("09:00.1", 7, 1)),
            memory_gib=24,
            vcpus=10,
        ),
        Domain(
            "win11-safe",
            "9e6f7d1b-0c3c-44be-8f57-aa2be1c95002",
            "http://microsoft.com/win/11",
            (TABLET, TPM, SPICE, QXL_VIDEO),
            memory_gib=8,
        ),
        Domain(
            "arch-box",
            "9e6f7d1b-0c3c-44be-8f57-aa2be1c95003",
            "http://archlinux.org/archlinux/rolling",
            (TABLET, SPICE, VIRTIO_VIDEO),
            state="running",
        ),
    ),
)

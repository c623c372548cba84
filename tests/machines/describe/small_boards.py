# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small boards with two cards each: one keeps the screen, the other is used now and is to be given to a VM.

Separate from the boards of the other machines, which show what hardware does: here the hardware is plain and the start
is what counts.
"""

from __future__ import annotations

from fakes.sysfs import NVME, USB_XHCI, VGA, Connector
from machines.describe.board import MIB, Board, full, intel_bars, nvidia_bars
from machines.describe.domains import QXL_VIDEO, SPICE, TABLET, TPM, VIRTIO_VIDEO, VNC, Domain
from machines.describe.names import AMD, INTEL, NVIDIA, SAMSUNG
from machines.describe.platforms import desk, lan, sata

INTEL_DISK = "sda"
AMD_DISK = "nvme0n1"


def intel_board(
    board: Board,
    *,
    translates: bool = False,
    driver: str = "nouveau",
    lit: bool = True,
    held: bool = True,
    first: bool = False,
) -> None:
    """An 8th generation Intel with its own graphics and a GeForce, whose IOMMU needs a word unless it translates."""
    board.host_bridge("00:00.0", INTEL, 0x3EC2)
    board.bridge("00:01.0", INTEL, 0x1901)
    facts = {
        "subsystem": (0x1458, 0xD000),
        "boot_vga": not first,
        "bars": intel_bars(256 * MIB),
        "reset_methods": "flr",
    }
    board.card("00:02.0", VGA, INTEL, 0x3E92, driver="i915", **facts)
    board.plug("00:14.0", USB_XHCI, INTEL, 0xA36D, driver="xhci_hcd")
    desk(board, "00:14.0")
    sata(board, "00:17.0", INTEL, 0xA352, INTEL_DISK)
    lan(board, "00:1f.6", "eno1", 0x15BC)
    _geforce(board, "01", (0x1C82, 0x0FB9), "00:01.0", driver, first=first)
    board.tree.drm(full("00:02.0"), (Connector("DP-1", "connected", "HP E243"), Connector("HDMI-A-1")), number=0)
    _lights(board, "01:00.0", lit=lit)
    board.tree.iommu(*(("dmar0",) if translates else ()))
    board.tree.cpu("GenuineIntel", "Intel(R) Core(TM) i5-8400 CPU @ 2.80GHz", "fpu vme vmx sse4_2 aes avx2")
    board.tree.dmi("Gigabyte Technology Co., Ltd.", "B360M DS3H")
    _programs(board, held=held)


def amd_board(board: Board, *, driver: str = "nvidia", lit: bool = True, first: bool = False) -> None:
    """A Ryzen with two GeForces, whose IOMMU is on. `first`: the firmware's picture is on the second."""
    board.host_bridge("00:00.0", AMD, 0x1480)
    board.bridge("00:01.1", AMD, 0x1483)
    board.bridge("00:01.3", AMD, 0x1483)
    board.bridge("00:03.1", AMD, 0x1483)
    board.bridge("00:03.2", AMD, 0x1483)
    board.bridge("00:08.1", AMD, 0x1484)
    board.plug("01:00.0", NVME, SAMSUNG, 0xA808, behind="00:01.1", driver="nvme")
    board.tree.disk(full("01:00.0"), AMD_DISK)
    lan(board, "05:00.0", "enp5s0", behind="00:01.3")
    _geforce(board, "08", (0x1D01, 0x0FB8), "00:03.1", driver, first=not first)
    _geforce(board, "09", (0x1B81, 0x10F0), "00:03.2", driver, first=first)
    board.plug("0b:00.3", USB_XHCI, AMD, 0x149C, behind="00:08.1", driver="xhci_hcd")
    desk(board, "0b:00.3")
    board.tree.drm(full("08:00.0"), (Connector("HDMI-A-2", "connected", "VG248QE"), Connector("DVI-D-1")), number=0)
    _lights(board, "09:00.0", lit=lit)
    board.tree.iommu("ivhd0")
    board.tree.cpu(model="AMD Ryzen 5 3600 6-Core Processor", flags="fpu vme svm sse4_2 aes avx2")
    board.tree.dmi("Micro-Star International Co., Ltd.", "MS-7B86")
    _programs(board)


def _geforce(board: Board, bus: str, ids: tuple[int, int], behind: str, driver: str, *, first: bool = False) -> None:
    """A card with its sound function; `ids` are both devices'."""
    facts = {"behind": behind, "subsystem": (0x1043, 0x85CF)}
    group = board.card(
        f"{bus}:00.0",
        VGA,
        NVIDIA,
        ids[0],
        driver=driver,
        boot_vga=first,
        bars=nvidia_bars(256 * MIB),
        reset_methods="bus",
        revision=0xA1,
        **facts,
    )
    board.sound_of(f"{bus}:00.1", NVIDIA, ids[1], 0 if first else 1, group=group, **facts)


def _lights(board: Board, address: str, *, lit: bool) -> None:
    screen = Connector("DP-2", "connected", "DELL U2415") if lit else Connector("DP-2")
    board.tree.drm(full(address), (screen, Connector("HDMI-A-3")), number=1)


def _programs(board: Board, *, held: bool = True) -> None:
    """The desktop holds both cards, as desktops do, unless it was told to leave the second one alone."""
    board.tree.process(1, "systemd")
    second = ("/dev/dri/card1",) if held else ()
    board.tree.process(1201, "gnome-shell", "/dev/dri/card0", *second, "/dev/dri/renderD128")


def guests(number: int) -> tuple[Domain, ...]:
    """A Windows that is off and a Debian that runs; `number` keeps their ids apart."""
    ids = (f"51f0c9d2-7e84-4b1a-9d36-0a6be4d1{number:02d}01", f"51f0c9d2-7e84-4b1a-9d36-0a6be4d1{number:02d}02")
    windows = Domain("win11", ids[0], "http://microsoft.com/win/11", (TABLET, TPM, SPICE, QXL_VIDEO), memory_gib=8)
    system = "http://debian.org/debian/13"
    return windows, Domain("debian", ids[1], system, (TABLET, VNC, VIRTIO_VIDEO), state="running")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines that the readers' tests share, and the way they read them."""

from __future__ import annotations

from pathlib import Path

from fakes.sysfs import DISPLAY_OTHER, ETHERNET, HDA, NVME, PCI_BRIDGE, USB_XHCI, VGA, Connector, Tree
from vitrail.model.machine import Gpu, Host, MachineKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.vm import Vm
from vitrail.probe import read_host
from vitrail.source.names import Names
from vitrail.source.root import AbsentRoot, FolderRoot, Root

CARD = "0000:01:00.0"
SOUND = "0000:01:00.1"
IGPU = "0000:05:00.0"
NO_VMS: Reading[tuple[Vm, ...]] = Known((), "test")


def desktop(folder: Path) -> Tree:
    """An AMD desktop: a card of its own behind a root port, built-in graphics that the firmware started with."""
    tree = Tree(folder).kernel(cmdline="BOOT_IMAGE=/boot/vmlinuz root=UUID=0 ro quiet").cpu().dmi().uefi().grub()
    tree.iommu("ivhd0").file("dev/kvm").file("run/.keep").file("sys/class/vtconsole/vtcon0/bind", "0")
    tree.file("sys/class/vtconsole/vtcon0/name", "(S) dummy device")
    tree.pci("0000:00:01.1", PCI_BRIDGE, 0x1022, 0x1483, driver="pcieport", group=1)
    tree.pci(
        CARD,
        VGA,
        0x10DE,
        0x2783,
        behind="0000:00:01.1",
        driver="nvidia",
        group=12,
        subsystem=(0x1458, 0x4117),
        boot_vga=False,
        bars=((16 << 20, 0x40200), (256 << 20, 0x14220C), (0, 0), (32 << 20, 0x14220C), (0, 0), (128, 0x40101)),
        reset_methods="flr bus",
        link=("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16),
    )
    tree.pci(SOUND, HDA, 0x10DE, 0x22BC, behind="0000:00:01.1", driver="snd_hda_intel", group=12)
    tree.sound(SOUND, 1).file("dev/snd/controlC1").file("dev/snd/pcmC1D3p").file("dev/snd/controlC0")
    tree.pci("0000:00:08.1", PCI_BRIDGE, 0x1022, 0x1484, driver="pcieport", group=3)
    tree.pci(
        IGPU,
        DISPLAY_OTHER,
        0x1002,
        0x164E,
        behind="0000:00:08.1",
        driver="amdgpu",
        group=20,
        extra={"mem_info_vram_total": "536870912"},
    )
    tree.pci("0000:05:00.3", USB_XHCI, 0x1022, 0x15B6, behind="0000:00:08.1", driver="xhci_hcd", group=21)
    tree.pci("0000:00:02.0", ETHERNET, 0x8086, 0x15F3, driver="igc", group=4).network("0000:00:02.0", "enp4s0")
    tree.pci("0000:00:03.0", NVME, 0x144D, 0xA808, driver="nvme", group=5).disk("0000:00:03.0", "nvme0n1")
    tree.keyboard("0000:05:00.3", "Logitech USB Keyboard").keyboard("0000:05:00.3", "Mouse", 1, handlers="mouse0")
    tree.drm(CARD, (Connector("HDMI-A-1"), Connector("DP-1", "connected", "DELL U2720Q")))
    tree.drm(IGPU, (Connector("DP-2", "connected", "LG ULTRAGEAR"),))
    return tree.process(1, "systemd").process(812, "Xorg", "/dev/dri/card1", "/dev/tty7")


def read(tree_or_root: Tree | Root, vms: Reading[tuple[Vm, ...]] = NO_VMS, nvml=None) -> Host:
    """Read it as a recording; names come from nowhere."""
    root = FolderRoot(tree_or_root.folder) if isinstance(tree_or_root, Tree) else tree_or_root
    return read_host(root, vms, kind=MachineKind.RECORDING, names=Names(root, machine=AbsentRoot()), nvml=nvml)


def value(reading):
    """The value of a reading that must have been read."""
    assert isinstance(reading, Known), reading
    return reading.value


def reason(reading) -> str:
    """The id of why nothing was read."""
    assert isinstance(reading, Unknown), reading
    return reading.reason.id


def card(host: Host, address: str = CARD) -> Gpu:
    """The card at this address."""
    gpu = host.gpu_at(PciAddress.parse(address))
    assert gpu is not None
    return gpu


UNASKED = Unknown(text("test.not-asked"))

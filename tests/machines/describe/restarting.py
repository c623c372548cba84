# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that differ in how they start: on each, giving the second card to a VM takes a restart.

Together they have every boot stack that Vitrail knows, and the ways in which disks are parted, encrypted and unlocked
that make one restart safer than another.
"""

from __future__ import annotations

from collections.abc import Callable

from machines.describe import boots, entries, layouts
from machines.describe.board import Board
from machines.describe.machine import Machine
from machines.describe.small_boards import AMD_DISK, INTEL_DISK, amd_board, guests, intel_board

_LOCKED = "none [integrity] confidentiality"


def _ubuntu_lvm(board: Board) -> None:
    amd_board(board, driver="nvidia")
    boots.ubuntu_grub(board.tree, "6.8.0-86-generic")
    layouts.all_on_lvm(board.tree, AMD_DISK)
    board.tree.uefi(secure_boot=True, lockdown=_LOCKED)


def _debian_bios(board: Board) -> None:
    """Firmware of the old kind, a partition table of the old kind."""
    intel_board(board, translates=True, driver="nvidia")
    boots.debian_grub(board.tree, "6.12.48+deb13-amd64")
    layouts.plain(board.tree, INTEL_DISK, table="dos")
    board.tree.folder_at("sys/firmware").file("sys/kernel/security/lockdown", "[none] integrity confidentiality")


def _arch_grub(board: Board) -> None:
    """The passphrase is asked for by Arch's encrypt hook, now on the card that is to go."""
    intel_board(board, first=True)
    hooks = "base udev autodetect microcode modconf kms keyboard keymap consolefont block encrypt filesystems"
    boots.arch_grub(board.tree, "6.16.8-arch3-1", f"cryptdevice=UUID={layouts.VAULT_ID}:vault quiet", hooks=hooks)
    layouts.encrypted(board.tree, INTEL_DISK, None)
    board.tree.uefi()


def _suse_snapshots(board: Board) -> None:
    amd_board(board, driver="nouveau")
    boots.suse_grub2(board.tree, "6.4.0-150600.23.65-default")
    layouts.snapshots(board.tree, AMD_DISK)
    board.tree.uefi(secure_boot=True, lockdown=_LOCKED)


def _fedora_sealed(board: Board) -> None:
    """The disk unlocks by the TPM, and the menu hides itself."""
    intel_board(board)
    vault = f"rd.luks.uuid=luks-{layouts.VAULT_ID}"
    boots.fedora_bls(board.tree, "6.16.7-200.fc42.x86_64", f"{vault} rhgb quiet", hides_menu=True)
    crypttab = "none tpm2-device=auto,discard"
    layouts.encrypted(board.tree, INTEL_DISK, crypttab, kind="btrfs", inside="/root")
    board.tree.uefi(secure_boot=True, lockdown=_LOCKED)


def _endeavour_two(board: Board) -> None:
    amd_board(board)
    entries.endeavour_kernel_install(board.tree, "6.16.8-arch3-1")
    layouts.firmware_at(board.tree, AMD_DISK, "/efi")
    board.tree.uefi()


def _arch_uki(board: Board) -> None:
    intel_board(board)
    entries.arch_uki(board.tree, "6.16.8-arch3-1")
    layouts.firmware_at(board.tree, INTEL_DISK, "/efi")
    board.tree.uefi(secure_boot=True, lockdown=_LOCKED)


def _pop_two(board: Board) -> None:
    """The passphrase is asked for in the early system, as the installer sets it up."""
    amd_board(board)
    entries.pop_kernelstub(board.tree, "6.12.10-76061203-generic")
    layouts.firmware_and_vault(board.tree, AMD_DISK, "/boot/efi", "none luks")
    board.tree.uefi()


def _tumbleweed(board: Board) -> None:
    intel_board(board)
    entries.tumbleweed_sdbootutil(board.tree, "6.16.8-1-default")
    layouts.firmware_at(board.tree, INTEL_DISK, "/boot/efi", kind="btrfs", inside="/@/.snapshots/1/snapshot")
    board.tree.uefi(secure_boot=True, lockdown=_LOCKED)


def _cachyos(board: Board) -> None:
    amd_board(board)
    entries.cachyos_sdboot_manage(board.tree, "6.16.9-2-cachyos")
    layouts.firmware_at(board.tree, AMD_DISK, "/boot", kind="btrfs", inside="/@")
    board.tree.uefi()


def _limine(board: Board) -> None:
    """A passphrase that would move to another screen, and no way back but the guard."""
    amd_board(board, first=True)
    entries.cachyos_limine(board.tree, "6.16.9-2-cachyos")
    layouts.firmware_and_vault(board.tree, AMD_DISK, "/boot", "none luks")
    board.tree.uefi()


def _refind(board: Board) -> None:
    intel_board(board)
    entries.arch_refind(board.tree, "6.16.8-arch3-1")
    layouts.firmware_at(board.tree, INTEL_DISK, "/boot/efi")
    board.tree.uefi()


def _proxmox_home(board: Board) -> None:
    intel_board(board)
    entries.proxmox(board.tree, "6.5.13-6-pve", "quiet")
    board.tree.file("boot/config-6.5.13-6-pve", boots.ARCH_CONFIG)
    layouts.pool(board.tree, INTEL_DISK)
    board.tree.uefi()


def _bazzite_tower(board: Board) -> None:
    """The card is free already; the IOMMU alone waits for a word."""
    intel_board(board, lit=False, held=False)
    boots.bazzite_ostree(board.tree, "6.15.11-103.bazzite.fc42.x86_64")
    layouts.image_based(board.tree, INTEL_DISK)
    board.tree.uefi()


def _nixos(board: Board) -> None:
    intel_board(board)
    entries.nixos(board.tree, "6.12.48")
    layouts.firmware_at(board.tree, INTEL_DISK, "/boot")
    board.tree.uefi()


_FILLS: dict[str, tuple[str, Callable[[Board], None]]] = {
    "ubuntu-lvm": ("Ubuntu, everything on LVM, no menu", _ubuntu_lvm),
    "debian-bios": ("Debian on firmware of the old kind", _debian_bios),
    "arch-grub": ("Arch with GRUB, the disk asks for a passphrase", _arch_grub),
    "suse-snapshots": ("openSUSE Leap on btrfs", _suse_snapshots),
    "fedora-sealed": ("Fedora, the disk unlocks by the TPM", _fedora_sealed),
    "endeavour-two": ("EndeavourOS with two cards", _endeavour_two),
    "arch-uki": ("Arch with unified kernel images", _arch_uki),
    "pop-two": ("Pop!_OS with two cards and an encrypted disk", _pop_two),
    "tumbleweed": ("openSUSE Tumbleweed with systemd-boot", _tumbleweed),
    "cachyos": ("CachyOS with systemd-boot", _cachyos),
    "cachyos-limine": ("CachyOS with Limine, the disk asks for a passphrase", _limine),
    "arch-refind": ("Arch with rEFInd", _refind),
    "proxmox-home": ("Proxmox at home on ZFS", _proxmox_home),
    "bazzite-tower": ("Bazzite on a desktop", _bazzite_tower),
    "nixos": ("NixOS", _nixos),
}
_NO_GROUPS = frozenset(
    {"arch-grub", "fedora-sealed", "arch-uki", "tumbleweed", "arch-refind", "proxmox-home", "bazzite-tower", "nixos"}
)
"""Intel machines whose kernels leave the IOMMU off until they are told."""

MACHINES = {
    name: Machine(title, fill, guests(number), grouped=name not in _NO_GROUPS)
    for number, (name, (title, fill)) in enumerate(_FILLS.items())
}

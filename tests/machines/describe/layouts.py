# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recorded machines' file systems lie on: a few ways in which installers part a disk.

Separate from the boots, because the same loader is safe on one of these and cannot forget a one-shot on another.
"""

from __future__ import annotations

from fakes.sysfs import Tree

ROOT_ID = "8f3c6f4e-5b0a-4d0e-9d7f-3a1f0b5f6c21"
BOOT_ID = "5d2a9b7c-1e43-4f6a-8b0d-c7e1f2a3b404"
VAULT_ID = "c41e7a90-6b1f-4d35-9a2c-0f8e7d6c5b43"
ESP_ID = "7A3C-11F2"
ROOT = f"root=UUID={ROOT_ID}"


def _part(tree: Tree, disk: str, number: int, mount: str, **said: str) -> None:
    device = f"8:{number}" if disk.startswith("sd") else f"259:{number}"
    tree.start_partition(disk, number, mount, device=device, **said)


def _name(disk: str, number: int) -> str:
    return f"{disk}{'p' if disk[-1].isdigit() else ''}{number}"


def _firmware(tree: Tree, disk: str, mount: str) -> None:
    _part(tree, disk, 1, mount, uuid=ESP_ID, kind="vfat")


def plain(tree: Tree, disk: str, *, table: str = "gpt") -> None:
    """Everything on one ext4 partition."""
    if table == "gpt":
        _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "/", uuid=ROOT_ID, table=table)


def boot_apart(tree: Tree, disk: str, kind: str = "btrfs", inside: str = "/root") -> None:
    """An ext4 partition for /boot beside the system's own."""
    _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "/boot", uuid=BOOT_ID)
    _part(tree, disk, 3, "/", uuid=ROOT_ID, kind=kind, inside=inside)


def encrypted(tree: Tree, disk: str, crypttab: str | None, *, kind: str = "ext4", inside: str = "/") -> None:
    """An ext4 /boot, and the system in an encrypted partition."""
    _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "/boot", uuid=BOOT_ID)
    _vault(tree, disk, 3, crypttab, kind=kind, inside=inside)


def _vault(tree: Tree, disk: str, number: int, crypttab: str | None, **said: str) -> None:
    _part(tree, disk, number, "", uuid=VAULT_ID, kind="crypto_LUKS")
    tree.volume(0, "CRYPT-LUKS2", "/", _name(disk, number), name="vault", uuid=ROOT_ID, **said)
    if crypttab is not None:
        tree.file("etc/crypttab", f"vault UUID={VAULT_ID} {crypttab}\n")


def all_on_lvm(tree: Tree, disk: str) -> None:
    """One volume group with everything on it, /boot included."""
    _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "", uuid="Lk3vWm-0000", kind="LVM2_member")
    tree.volume(0, "LVM", "/", _name(disk, 2), name="ubuntu--vg-ubuntu--lv", uuid=ROOT_ID)


def snapshots(tree: Tree, disk: str, inside: str = "/@/.snapshots/1/snapshot") -> None:
    """One btrfs, /boot included."""
    _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "/", uuid=ROOT_ID, kind="btrfs", inside=inside)


def firmware_at(tree: Tree, disk: str, mount: str, *, kind: str = "ext4", inside: str = "/") -> None:
    """The firmware's partition where the entries are, and the system beside it."""
    _firmware(tree, disk, mount)
    _part(tree, disk, 2, "/", uuid=ROOT_ID, kind=kind, inside=inside)


def firmware_and_vault(tree: Tree, disk: str, mount: str, crypttab: str | None) -> None:
    """The same with the system encrypted."""
    _firmware(tree, disk, mount)
    _vault(tree, disk, 2, crypttab)


def pool(tree: Tree, disk: str) -> None:
    """A ZFS pool; the firmware's partition is mounted by nobody."""
    _part(tree, disk, 2, "", uuid=ESP_ID, kind="vfat")
    tree.mounted("/", "0:27", "rpool/ROOT/pve-1", kind="zfs")


def image_based(tree: Tree, disk: str) -> None:
    """An image's root over a btrfs, /boot on ext4."""
    _firmware(tree, disk, "/boot/efi")
    _part(tree, disk, 2, "/boot", uuid=BOOT_ID)
    _part(tree, disk, 3, "", uuid=ROOT_ID, kind="btrfs")
    tree.mounted("/", "0:29", "composefs", kind="overlay")

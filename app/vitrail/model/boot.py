# SPDX-License-Identifier: GPL-3.0-or-later
"""How this machine starts, as far as changing it is concerned: loader, owners of the command line, files, partitions.

Separate from the machine because only what prepares a restart reads most of it. Contents are those of the few files
that a step edits or whose sight decides how safe a restart is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text


class BootStack(StrEnum):
    """Who owns the kernel's command line: what writes the boot entries that start this machine."""

    GRUB = "grub"
    GRUB_BLS = "grub-bls"
    SYSTEMD_BOOT = "systemd-boot"
    KERNEL_INSTALL = "kernel-install"
    UKI = "uki"
    KERNELSTUB = "kernelstub"
    SDBOOTUTIL = "sdbootutil"
    SDBOOT_MANAGE = "sdboot-manage"
    LIMINE = "limine"
    REFIND = "refind"
    PROXMOX = "proxmox-boot-tool"
    RPM_OSTREE = "rpm-ostree"
    NIXOS = "nixos"


class InitramfsTool(StrEnum):
    """What builds the initramfs."""

    INITRAMFS_TOOLS = "initramfs-tools"
    DRACUT = "dracut"
    MKINITCPIO = "mkinitcpio"
    BOOSTER = "booster"


@dataclass(frozen=True, slots=True)
class BootFile:
    """A file as it is now; Known(None) where there is none. The path is from the root, without the first slash.

    A folder whose names could not be listed stands here as well, by its own path and with the reason.
    """

    path: str
    content: Reading[str | None]
    """UTF-8; bytes that are none are kept as surrogate escapes."""


class Layer(StrEnum):
    """What lies between a file system and the disk; a loader reads more of them than it can write."""

    LVM = "lvm"
    RAID = "raid"
    CRYPT = "crypt"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A mounted file system that something of the start lies on."""

    mount: str
    """Where it is mounted: `/`, `/boot`, `/boot/efi`, `/efi`."""
    kind: str
    """The kernel's name: `ext4`, `vfat`, `btrfs`."""
    uuid: Reading[str]
    inside: str
    """What of it is mounted: `/`, or a subvolume's path such as `/@`."""
    layers: Reading[tuple[Layer, ...]]
    """Outermost first; () is a plain partition."""
    table: Reading[str | None]
    """The partition table as GRUB calls it (`gpt`, `msdos`), Known(None) where the file system fills a whole disk."""


@dataclass(frozen=True, slots=True)
class BootSetup:
    """What a change of the start needs to know, and what decides how safe it is."""

    files: tuple[BootFile, ...]
    file_systems: Reading[tuple[FileSystem, ...]]
    selected_entry: Reading[str | None]
    """The loader entry that started this boot (LoaderEntrySelected), Known(None) where the loader does not tell."""
    kernels: Reading[tuple[str, ...]]
    """Installed kernels as /lib/modules names them."""
    images: Reading[tuple[str, ...]]
    """Initramfs images in /boot, paths without the first slash."""
    menu_seconds: Reading[int | None]
    """How long the loader's menu is on the screen; 0: it is hidden; Known(None): it waits for ever."""
    one_shot: Reading[str | None]
    """The entry that is already set to start next, once; Known(None): none."""
    asks_passphrase: Reading[bool]
    """Whether somebody types a disk's passphrase at every start."""
    sealed_unlock: Reading[bool]
    """Whether a disk unlocks by a key that is sealed to measurements of the start (TPM)."""
    programs: tuple[str, ...] = ()
    """Programs that make images and entries, of those that are known: paths without the first slash."""

    @classmethod
    def unread(cls, unknown: Unknown) -> BootSetup:
        """A setup of which nothing was read, for one reason."""
        return cls((), unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown)

    def content(self, path: str) -> Reading[str | None]:
        """What is in this file now. Unknown where it, or its folder, could not be read, or nobody reads it."""
        told = {file.path: file.content for file in self.files if path.startswith(file.path)}
        found = told.get(path, told.get(path.rpartition("/")[0]))
        return found if found is not None else Unknown(text("model.boot.not-read", path=f"/{path}"))

    def entries(self, folder: str) -> tuple[BootFile, ...]:
        """The files of this folder that are there; where it could not be listed, the folder itself with the reason."""
        inside = [file for file in self.files if file.path.rpartition("/")[0] == folder or file.path == folder]
        return tuple(file for file in inside if not (isinstance(file.content, Known) and file.content.value is None))

    def file_system_of(self, path: str) -> FileSystem | None:
        """The file system that an absolute path lies on, None where that is not known."""
        if not isinstance(self.file_systems, Known):
            return None
        fitting = [
            one for one in self.file_systems.value if path == one.mount or path.startswith(one.mount.rstrip("/") + "/")
        ]
        return max(fitting, key=lambda one: len(one.mount), default=None)


@dataclass(frozen=True, slots=True)
class Boot:
    """How this machine starts: what loaded the kernel, who writes its arguments, what builds its initramfs."""

    loader: Reading[str | None]
    stack: Reading[BootStack | None]
    initramfs: Reading[InitramfsTool | None]
    secure_boot: Reading[bool]
    lockdown: Reading[str | None]
    uefi: Reading[bool]
    setup: BootSetup

# SPDX-License-Identifier: GPL-3.0-or-later
"""The one list of what is read of a machine: what `probe` reads, `record` saves and the root helper's `facts` returns.

Patterns are shell globs a path component, without the leading slash; `*` does not cross a slash. Where a recording must
not show what a file really holds, its treatment says what is kept. A path that is not listed is never saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What a recording keeps of a path."""

    TEXT = "text"
    """Its text, scrubbed."""
    BYTES = "bytes"
    """Its bytes; they hold nothing personal."""
    LINK = "link"
    """The link itself."""
    EXISTS = "exists"
    """That it exists; it is saved empty."""
    FOLDER = "folder"
    """That the folder exists, be it empty."""
    STAND_IN = "stand-in"
    """A stand-in of the same form."""
    EDID = "edid"
    """The first block, serial numbers blanked."""
    KERNEL_CONFIG = "kernel-config"
    """The lines about the IOMMU."""
    DEVICE_LINK = "device-link"
    """The link, if it leads to a device that a card is used through."""
    FILE = "file"
    """Its text to the last blank, scrubbed, passwords masked: what a step edits is rendered from it."""
    SIGNS = "signs"
    """The lines that tell what a generated file can do, of which there are few."""
    EFI_TEXT = "efi-text"
    """A firmware variable's text, scrubbed, behind its four bytes of attributes."""
    MOUNTS = "mounts"
    """The mounts that the start lies on, without the names of servers and pools."""
    VOLUME = "volume"
    """The file or link, if the start lies on that disk or volume; of a volume's id only its kind."""


@dataclass(frozen=True, slots=True)
class ReadPath:
    """A pattern and how a recording treats what it finds there."""

    pattern: str
    treatment: Treatment = Treatment.TEXT


def _all(treatment: Treatment, *patterns: str) -> tuple[ReadPath, ...]:
    return tuple(ReadPath(pattern, treatment) for pattern in patterns)


_EFI_VARIABLES = "sys/firmware/efi/efivars"
_LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

ACPI_TABLES = "sys/firmware/acpi/tables"
IOMMU_TABLES = (f"{ACPI_TABLES}/DMAR", f"{ACPI_TABLES}/IVRS")
"""Where firmware describes Intel's and AMD's IOMMU (Linux: Documentation/arch/x86/iommu.rst); that they are there."""

KERNEL = (
    *_all(Treatment.TEXT, "proc/cmdline", "proc/cpuinfo", "proc/modules", "proc/sys/kernel/osrelease"),
    *_all(Treatment.STAND_IN, "proc/sys/kernel/random/boot_id", "etc/machine-id"),
    *_all(Treatment.KERNEL_CONFIG, "boot/config-*", "usr/lib/modules/*/config", "proc/config.gz"),
    *_all(Treatment.TEXT, "sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name", "sys/hypervisor/type"),
    *_all(Treatment.TEXT, "sys/module/apparmor/parameters/enabled", "sys/fs/selinux/enforce"),
    *_all(Treatment.EXISTS, "dev/kvm", *IOMMU_TABLES),
    *_all(Treatment.FOLDER, "dev", "sys/class", "sys/bus", "sys/firmware", "sys/kernel/security", ACPI_TABLES),
)

START_FILES = (
    *("etc/default/grub", "etc/default/grub.d/*.cfg", "boot/grub/custom.cfg", "boot/grub2/custom.cfg"),
    *("boot/grub/grubenv", "boot/grub2/grubenv"),
    *("etc/kernel/cmdline", "etc/kernel/entry-token", "etc/kernel/install.conf", "etc/cmdline.d/*.conf"),
    *("etc/sdboot-manage.conf", "etc/default/limine", "boot/limine.conf", "boot/limine/limine.conf"),
    *("boot/refind_linux.conf", "boot/efi/EFI/refind/refind.conf", "efi/EFI/refind/refind.conf"),
    *("boot/EFI/refind/refind.conf", "boot/loader/loader.conf", "efi/loader/loader.conf"),
    *("boot/efi/loader/loader.conf", "boot/loader/entries/*.conf", "efi/loader/entries/*.conf"),
    *("boot/efi/loader/entries/*.conf", "etc/crypttab", "etc/os-release"),
    *("etc/initramfs-tools/hooks/vitrail", "etc/initramfs-tools/scripts/init-top/00-vitrail"),
    *("etc/dracut.conf.d/60-vitrail.conf", "usr/lib/dracut/modules.d/60vitrail/*.sh"),
    *("etc/mkinitcpio.conf", "etc/mkinitcpio.conf.d/60-vitrail.conf", "etc/mkinitcpio.d/*.preset"),
    *("etc/initcpio/install/vitrail", "etc/initcpio/hooks/vitrail", "etc/booster.yaml", "etc/vitrail/reserved-cards"),
    "etc/systemd/system/vitrail-guard.service",
    *(f"etc/systemd/system/{name}.target.d/60-vitrail.conf" for name in ("sysinit", "emergency")),
)
"""What steps edit or author, and what the loader and the unlocking of disks are set to."""

GRUB_CONFIGS = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg")

PROGRAMS = (
    *("usr/sbin/mkinitramfs", "usr/sbin/update-initramfs", "usr/bin/dracut", "usr/sbin/dracut"),
    *("usr/bin/mkinitcpio", "usr/bin/booster", "usr/lib/booster/regenerate_images"),
    *("usr/sbin/update-grub", "usr/bin/update-grub", "usr/sbin/grub-mkconfig", "usr/bin/grub-mkconfig"),
    *("usr/sbin/grub2-mkconfig", "usr/bin/grub2-mkconfig", "usr/sbin/grub-reboot", "usr/bin/grub-reboot"),
    *("usr/sbin/grub2-reboot", "usr/bin/grub2-reboot", "usr/sbin/grubby", "usr/bin/grubby", "usr/bin/bootctl"),
    *("usr/bin/kernel-install", "usr/bin/reinstall-kernels", "usr/bin/sdboot-manage", "usr/bin/sdbootutil"),
    *("usr/bin/kernelstub", "usr/bin/limine-update", "usr/bin/limine-mkinitcpio", "usr/sbin/proxmox-boot-tool"),
    *("usr/bin/rpm-ostree", "usr/bin/ukify"),
)
"""What makes images and entries."""

CLEVIS_SIGNS = (
    *("usr/share/initramfs-tools/hooks/clevis", "usr/lib/dracut/modules.d/60clevis"),
    *("usr/lib/initcpio/hooks/clevis", "etc/initcpio/hooks/clevis"),
)
"""What unlocks disks at the start by keys that clevis holds."""

MODULE_FOLDERS = ("usr/lib/modules", "run/booted-system/kernel-modules/lib/modules")
KERNEL_SIGNS = tuple(f"{folder}/*/modules.dep" for folder in MODULE_FOLDERS)
"""A kernel is installed where its modules are listed; removed ones leave empty folders behind."""

IMAGES = (
    *("boot/initrd*-*", "boot/initramfs-*", "boot/booster-*"),
    *(f"{folder}/*/*/initrd*" for folder in ("boot", "efi", "boot/efi")),
)
"""Images of the start in their usual places; kernel-install has folders of its own for them."""

BOOT = (
    *_all(
        Treatment.BYTES,
        f"{_EFI_VARIABLES}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        f"{_EFI_VARIABLES}/BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        f"{_EFI_VARIABLES}/LoaderInfo-{_LOADER}",
        f"{_EFI_VARIABLES}/StubInfo-{_LOADER}",
        f"{_EFI_VARIABLES}/LoaderConfigTimeout-{_LOADER}",
    ),
    *_all(
        Treatment.EFI_TEXT,
        *(f"{_EFI_VARIABLES}/LoaderEntry{name}-{_LOADER}" for name in ("Selected", "OneShot", "Default")),
    ),
    *_all(Treatment.FOLDER, "sys/firmware/efi"),
    *_all(Treatment.TEXT, "sys/kernel/security/lockdown"),
    *_all(Treatment.FILE, *START_FILES),
    *_all(Treatment.SIGNS, *GRUB_CONFIGS),
    *_all(Treatment.EXISTS, *PROGRAMS, *KERNEL_SIGNS, *IMAGES),
    *_all(
        Treatment.EXISTS,
        "etc/NIXOS",
        "run/ostree-booted",
        "etc/kernel/proxmox-boot-uuids",
        "etc/kernelstub/configuration",
        "boot/EFI/Linux/*.efi",
        "efi/EFI/Linux/*.efi",
        "boot/efi/EFI/Linux/*.efi",
        "etc/initramfs-tools/initramfs.conf",
        "etc/dracut.conf",
        *CLEVIS_SIGNS,
    ),
)

VOLUMES = (
    *_all(Treatment.MOUNTS, "proc/self/mountinfo"),
    *_all(Treatment.VOLUME, "sys/dev/block/*", "sys/class/block/*", "dev/mapper/*", "run/udev/data/b*"),
    *_all(
        Treatment.VOLUME,
        *(f"sys/devices/virtual/block/{name}" for name in ("*/dev", "*/dm/uuid", "*/md/level", "*/slaves/*")),
        *("sys/devices/virtual/block/*/*/partition", "sys/devices/virtual/block/*/*/dev"),
    ),
)
"""What the start's file systems lie on."""

DEVICES = (
    *_all(Treatment.LINK, "sys/bus/pci/devices/*", "sys/class/iommu/*", "sys/kernel/iommu_groups/*/devices/*"),
    *_all(Treatment.FOLDER, "sys/bus/pci/devices", "sys/class/iommu", "sys/kernel/iommu_groups"),
    *_all(Treatment.LINK, "sys/bus/mdev/devices/*", "sys/class/drm/*", "sys/class/graphics/fb*"),
    *_all(Treatment.LINK, "sys/class/net/*", "sys/class/block/*", "sys/class/nvme/*", "sys/class/input/input*"),
    *_all(Treatment.FOLDER, "sys/class/net", "sys/class/block", "sys/class/nvme", "sys/class/input", "sys/class/drm"),
    *_all(Treatment.TEXT, "sys/class/vtconsole/*/bind", "sys/class/vtconsole/*/name"),
    *_all(Treatment.TEXT, "run/udev/data/+pci:*"),
    *_all(Treatment.EXISTS, "dev/snd/*"),
)
"""Links lead to folders of sys/devices, of which only the files of `BELOW_A_DEVICE` are saved."""

BELOW_A_FUNCTION = (
    *_all(
        Treatment.TEXT,
        *("uevent", "class", "vendor", "device", "subsystem_vendor", "subsystem_device"),
        *("boot_vga", "boot_display", "reset_method", "resource", "power_state", "power/runtime_status"),
        *("current_link_speed", "current_link_width", "max_link_speed", "max_link_width"),
        *("sriov_totalvfs", "sriov_numvfs", "mem_info_vram_total", "tile0/physical_vram_size_bytes"),
        *("mdev_supported_types/*/name", "mdev_supported_types/*/available_instances"),
        "mdev_supported_types/*/device_api",
    ),
    *_all(Treatment.LINK, "driver", "iommu_group", "physfn", "virtfn*"),
    *_all(Treatment.FOLDER, "sound/card*", "vfio-dev/*"),
)
"""Below the folder of each PCI function. A sleeping card's link files are left out: reading them would wake it."""

WAKING = frozenset({"current_link_speed", "current_link_width", "max_link_speed", "max_link_width"})

BELOW_A_CLASS_LINK = (
    *_all(Treatment.TEXT, "status", "enabled", "name", "partition", "dev", "capabilities/ev"),
    *_all(Treatment.EDID, "edid"),
    *_all(Treatment.FOLDER, "mouse*"),
    *_all(Treatment.LINK, "mdev_type"),
)
"""Below the folders that the links of /sys/class and /sys/bus/mdev lead to."""

PROCESSES = (
    *_all(Treatment.TEXT, "proc/*/comm"),
    *_all(Treatment.DEVICE_LINK, "proc/*/fd/*"),
)
"""Of processes that hold a card, and of the first process as the sign that processes were looked at."""

EVERYWHERE = (*KERNEL, *VOLUMES, *BOOT, *DEVICES)
"""What is found by its own path. Volumes come before files, so that a recording knows their ids when it meets them."""

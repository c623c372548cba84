# SPDX-License-Identifier: GPL-3.0-or-later
"""How this computer starts: loader, who writes the kernel's arguments, what builds its initramfs. Read only.

Several boot stacks can be installed at once. What the firmware and the command line say of this very boot comes first;
files alone decide only where they point one way. Two ways left is an answer too: unknown, with both named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.boot import Boot, BootSetup, BootStack, InitramfsTool
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.efi_variables import ATTRIBUTES, EFI, GLOBAL, VARIABLES, loader_variable, loader_words, names
from vitrail.probe.grub_settings import grub_settings
from vitrail.probe.unread import garbled, is_missing, presence, read_words, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

LOADER_INFO = loader_variable("LoaderInfo")
STUB_INFO = loader_variable("StubInfo")
SECURE_BOOT = f"{VARIABLES}/SecureBoot-{GLOBAL}"
LOCKDOWN = "sys/kernel/security/lockdown"

OWNERS = (
    ("etc/NIXOS", BootStack.NIXOS),
    ("run/ostree-booted", BootStack.RPM_OSTREE),
    ("etc/kernel/proxmox-boot-uuids", BootStack.PROXMOX),
    ("etc/kernelstub/configuration", BootStack.KERNELSTUB),
)
"""Whoever has one of these owns the arguments, whichever loader it feeds."""
_SYSTEMD_BOOT_OWNERS = (
    ("etc/sdboot-manage.conf", BootStack.SDBOOT_MANAGE),
    ("usr/bin/sdbootutil", BootStack.SDBOOTUTIL),
)
ENTRY_FOLDERS = ("boot/loader/entries", "efi/loader/entries", "boot/efi/loader/entries")
UKI_FOLDERS = ("boot/EFI/Linux", "efi/EFI/Linux", "boot/efi/EFI/Linux")
GRUB_FILES = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg", "etc/default/grub")
SYSTEMD_BOOT_FILES = ("boot/loader/loader.conf", "efi/loader/loader.conf", "boot/efi/loader/loader.conf")
LIMINE_FILES = ("etc/default/limine", "boot/limine.conf", "boot/limine/limine.conf")
REFIND_FILES = ("boot/refind_linux.conf",)
TOOL_FILES = (
    ("usr/sbin/mkinitramfs", InitramfsTool.INITRAMFS_TOOLS),
    ("usr/bin/dracut", InitramfsTool.DRACUT),
    ("usr/sbin/dracut", InitramfsTool.DRACUT),
    ("usr/bin/mkinitcpio", InitramfsTool.MKINITCPIO),
    ("usr/bin/booster", InitramfsTool.BOOSTER),
)
CONFIGURATIONS = (
    ("etc/initramfs-tools/initramfs.conf", InitramfsTool.INITRAMFS_TOOLS),
    ("etc/dracut.conf", InitramfsTool.DRACUT),
    ("etc/mkinitcpio.conf", InitramfsTool.MKINITCPIO),
    ("etc/booster.yaml", InitramfsTool.BOOSTER),
)
OTHER_FILES = ("etc/sdboot-manage.conf", "usr/bin/sdbootutil", "usr/bin/kernel-install", "etc/kernel/cmdline")

_NOT_ASKED = Unknown(text("probe.boot.not-asked"))
_LOADERS = (
    ("systemd-boot", "systemd-boot"),
    ("grub", "grub"),
    ("limine", "limine"),
    ("refind", "refind"),
)


def read_boot(root: Root, cmdline: Reading[str], *, setup: bool = True) -> Boot:
    """Everything about how this boot came about; without `setup`, what only a change of the start needs is left out."""
    uefi = _read_uefi(root)
    loader = _read_loader(root, cmdline)
    return Boot(
        loader=loader,
        stack=_read_stack(root, loader),
        initramfs=_read_initramfs(root),
        secure_boot=_read_secure_boot(root, uefi),
        lockdown=_read_lockdown(root),
        uefi=uefi,
        setup=_read_setup(root, loader, cmdline) if setup else BootSetup.unread(_NOT_ASKED),
    )


def _read_setup(root: Root, loader: Reading[str | None], cmdline: Reading[str]) -> BootSetup:
    from vitrail.probe.boot_setup import read_setup  # noqa: PLC0415 - a look that plans nothing does without

    return read_setup(root, loader, cmdline)


def _read_uefi(root: Root) -> Reading[bool]:
    there = presence(root, EFI)
    if there:
        return Known(value=True, source=f"/{EFI}")
    if there is False and presence(root, "sys/firmware"):
        return Known(value=False, source=f"/{EFI}")
    return Unknown(text("probe.boot.no-firmware"))


def _read_secure_boot(root: Root, uefi: Reading[bool]) -> Reading[bool]:
    if isinstance(uefi, Unknown):
        return uefi
    if not uefi.value:
        return Known(value=False, source=uefi.source)
    try:
        content = root.read_bytes(SECURE_BOOT, 16)
    except OSError as error:
        if is_missing(error) and names(root):
            return Known(value=False, source=f"/{VARIABLES}")
        return unread(root, SECURE_BOOT, error)
    if len(content) != ATTRIBUTES + 1:
        return garbled(SECURE_BOOT, content.hex())
    return Known(content[ATTRIBUTES] == 1, f"/{SECURE_BOOT}")


def _read_lockdown(root: Root) -> Reading[str | None]:
    try:
        words = root.read(LOCKDOWN)
    except OSError as error:
        if is_missing(error) and presence(root, "sys/kernel/security"):
            return Known(None, f"/{LOCKDOWN}")
        return unread(root, LOCKDOWN, error)
    before, _, rest = words.partition("[")
    chosen, bracket, _ = rest.partition("]")
    if not bracket or not chosen:
        return garbled(LOCKDOWN, before)
    return Known(chosen, f"/{LOCKDOWN}")


def _read_loader(root: Root, cmdline: Reading[str]) -> Reading[str | None]:
    said = loader_words(root, "LoaderInfo").lower()
    for sign, name in _LOADERS:
        if sign in said:
            return Known(name, f"/{LOADER_INFO}")
    words = cmdline.value.split() if isinstance(cmdline, Known) else []
    source = "/proc/cmdline"
    if any(word.startswith("BOOT_IMAGE=") for word in words) and presence(root, *GRUB_FILES) is not False:
        return Known("grub", source)
    if any(word.startswith("initrd=") and "\\" in word for word in words):
        if presence(root, *REFIND_FILES) and not presence(root, *SYSTEMD_BOOT_FILES):
            return Known("refind", source)
        if presence(root, *SYSTEMD_BOOT_FILES):
            return Known("systemd-boot", source)
    found = [name for name, files in _LOADER_FILES if presence(root, *files)]
    if len(found) == 1:
        return Known(found[0], "/boot")
    return _undecided(root, found)


_LOADER_FILES = (
    ("grub", GRUB_FILES),
    ("systemd-boot", SYSTEMD_BOOT_FILES),
    ("limine", LIMINE_FILES),
    ("refind", REFIND_FILES),
)


def _undecided(root: Root, found: list[str]) -> Unknown:
    if found:
        return Unknown(text("probe.boot.several-loaders", names=", ".join(found)))
    if presence(root, *GRUB_FILES, *ENTRY_FOLDERS) is None:
        return Unknown(text("probe.boot.forbidden"))
    return Unknown(text("probe.boot.no-loader"))


def _read_stack(root: Root, loader: Reading[str | None]) -> Reading[BootStack | None]:
    owners = [(path, stack) for path, stack in OWNERS if presence(root, path)]
    if owners:
        return Known(owners[0][1], shown_path(owners[0][0]))
    if isinstance(loader, Unknown):
        return loader
    if loader.value == "grub":
        return _grub_kind(root, loader.source)
    if loader.value == "systemd-boot":
        return _systemd_boot_kind(root, loader.source)
    alone = {"limine": BootStack.LIMINE, "refind": BootStack.REFIND}
    return Known(alone.get(loader.value or ""), loader.source)


def _grub_kind(root: Root, source: str) -> Reading[BootStack | None]:
    entries = presence(root, "boot/loader/entries")
    if entries is not False:
        if presence(root, "usr/bin/sdbootutil"):
            return Known(BootStack.SDBOOTUTIL, "/usr/bin/sdbootutil")
        settings = read_words(root, "etc/default/grub")
        if isinstance(settings, Known) and grub_settings([settings.value]).get("GRUB_ENABLE_BLSCFG") == "true":
            return Known(BootStack.GRUB_BLS, settings.source)
    return Known(BootStack.GRUB, source)


def _systemd_boot_kind(root: Root, source: str) -> Reading[BootStack | None]:
    for path, stack in _SYSTEMD_BOOT_OWNERS:
        if presence(root, path):
            return Known(stack, shown_path(path))
    if "systemd-stub" in loader_words(root, "StubInfo"):
        return Known(BootStack.UKI, f"/{STUB_INFO}")
    images = [folder for folder in UKI_FOLDERS if any(name.endswith(".efi") for name in _names(root, folder))]
    entries = [name for folder in ENTRY_FOLDERS for name in _names(root, folder) if name.endswith(".conf")]
    if images and not entries:
        return Known(BootStack.UKI, shown_path(images[0]))
    if images:
        return Unknown(text("probe.boot.several-stacks", names=f"{BootStack.UKI}, {BootStack.SYSTEMD_BOOT}"))
    if not entries and presence(root, *ENTRY_FOLDERS) is None:
        return Unknown(text("probe.boot.forbidden"))
    return _entries_kind(root, entries, source)


def _entries_kind(root: Root, entries: list[str], source: str) -> Reading[BootStack | None]:
    machine_id = read_words(root, "etc/machine-id")
    # kernel-install names its entries after the machine id, or after the token that stands in for it.
    token = read_words(root, "etc/kernel/entry-token")
    starts = tuple(f"{said.value}-" for said in (machine_id, token) if isinstance(said, Known) and said.value)
    if starts and any(name.startswith(starts) for name in entries):
        return Known(BootStack.KERNEL_INSTALL, shown_path("etc/kernel"))
    return Known(BootStack.SYSTEMD_BOOT, source)


def _read_initramfs(root: Root) -> Reading[InitramfsTool | None]:
    for candidates in (TOOL_FILES, CONFIGURATIONS):
        found = {tool: path for path, tool in reversed(candidates) if presence(root, path)}
        if len(found) == 1:
            ((tool, path),) = found.items()
            return Known(tool, shown_path(path))
        if found:
            return Unknown(text("probe.boot.several-tools", names=", ".join(sorted(found))))
    return Unknown(text("probe.boot.no-tool"))


def _names(root: Root, folder: str) -> tuple[str, ...]:
    try:
        return root.names(folder)
    except OSError:
        return ()

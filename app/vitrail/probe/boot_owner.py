# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes the kernel's arguments that this boot was started with: the boot stack.

Tools of several owners can be installed at once. What counts is the entry, menu or image that was started; where that
cannot be told apart from another one's, the answer is unknown, with both named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vitrail.model.boot import BootStack
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.boot_loader import ENTRY_FOLDERS, FIRMWARE, GRUB_FILES, STUB_INFO, boot_image
from vitrail.probe.efi_variables import loader_words, read_loader_words
from vitrail.probe.grub_settings import grub_settings
from vitrail.probe.unread import is_missing, presence, read_words, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

SDBOOTUTIL = "usr/bin/sdbootutil"
SDBOOT_MANAGE = "etc/sdboot-manage.conf"
KERNELSTUB = "etc/kernelstub/configuration"
PROXMOX = "etc/kernel/proxmox-boot-uuids"
_UNIFIED_FOLDERS = ("boot/EFI/Linux", "efi/EFI/Linux", "boot/efi/EFI/Linux")
_BLSCFG = re.compile(r"^\s*blscfg\b", re.MULTILINE)
_BY_KERNEL_INSTALL = re.compile(r"/(?P<token>[^/]+)/(?P<version>[^/]+)/linux")

Stack = Reading[BootStack | None]


def read_stack(root: Root, loader: Reading[str | None], cmdline: Reading[str]) -> Stack:
    """The owner of this boot's arguments."""
    owner = _owner(root, loader)
    if owner is not None:
        return owner
    if isinstance(loader, Unknown):
        return loader
    words = tuple(cmdline.value.split()) if isinstance(cmdline, Known) else ()
    # A unified image holds its own arguments, whichever loader started it.
    if "systemd-stub" in loader_words(root, "StubInfo") and boot_image(words) is None:
        return Known(BootStack.UKI, f"/{STUB_INFO}")
    match loader.value:
        case "grub":
            return _of_grub(root, boot_image(words), loader.source)
        case "systemd-boot":
            return _of_systemd_boot(root, loader.source)
    alone = {"limine": BootStack.LIMINE, "refind": BootStack.REFIND}
    return Known(alone.get(loader.value or FIRMWARE), loader.source)


def _owner(root: Root, loader: Reading[str | None]) -> Stack | None:
    """Whoever owns the arguments whichever loader it feeds; None where nobody does."""
    if presence(root, "etc/NIXOS"):
        return Known(BootStack.NIXOS, "/etc/NIXOS")
    if presence(root, "run/ostree-booted"):
        # Other systems of that kind have no tool for the arguments.
        by_tool = presence(root, "usr/bin/rpm-ostree") is not False
        return Known(BootStack.RPM_OSTREE if by_tool else None, "/run/ostree-booted")
    through_grub = isinstance(loader, Known) and loader.value == "grub"
    found = [BootStack.PROXMOX] if presence(root, PROXMOX) else []
    # kernelstub is installed with Pop!_OS on firmware of the old kind too, where GRUB starts it and it does nothing.
    found += [BootStack.KERNELSTUB] if presence(root, KERNELSTUB) and not through_grub else []
    if len(found) > 1:
        return _several(*found)
    sources = {BootStack.PROXMOX: PROXMOX, BootStack.KERNELSTUB: KERNELSTUB}
    return Known(found[0], shown_path(sources[found[0]])) if found else None


def _several(*stacks: BootStack) -> Unknown:
    return Unknown(text("probe.boot.several-stacks", names=", ".join(stack.value for stack in stacks)))


def _of_grub(root: Root, image: str | None, source: str) -> Stack:
    if presence(root, SDBOOTUTIL):
        by_entry = _entry_loads(root, image)
        if isinstance(by_entry, Unknown):
            return by_entry
        if by_entry.value:
            return Known(BootStack.SDBOOTUTIL, by_entry.source)
    wished = _wished_entries(root)
    menus = [read_words(root, path) for path in GRUB_FILES[:2]]
    read = [menu for menu in menus if isinstance(menu, Known)]
    if len(read) == 1:
        # The menu that GRUB reads decides; the setting says what the next one will be.
        takes_entries = _BLSCFG.search(read[0].value) is not None
        if (
            isinstance(wished, Known)
            and wished.value != takes_entries
            and presence(root, ENTRY_FOLDERS[0]) is not False
        ):
            return _several(BootStack.GRUB, BootStack.GRUB_BLS)
        return Known(BootStack.GRUB_BLS if takes_entries else BootStack.GRUB, read[0].source)
    if isinstance(wished, Unknown):
        return wished
    by_entries = wished.value and presence(root, ENTRY_FOLDERS[0]) is not False
    return Known(BootStack.GRUB_BLS if by_entries else BootStack.GRUB, wished.source if by_entries else source)


def _wished_entries(root: Root) -> Reading[bool]:
    """What the settings say of the boot loader specification's entries."""
    path = "etc/default/grub"
    try:
        settings = grub_settings([root.read(path)])
    except OSError as error:
        return Known(value=False, source=shown_path(path)) if is_missing(error) else unread(root, path, error)
    said = settings.get("GRUB_ENABLE_BLSCFG", "")
    if said is None:
        return _several(BootStack.GRUB, BootStack.GRUB_BLS)
    return Known(said == "true", shown_path(path))


def _entry_loads(root: Root, image: str | None) -> Reading[bool]:
    """Whether one of the specification's entries names the image that was loaded."""
    for folder in ENTRY_FOLDERS:
        try:
            names = root.names(folder)
        except OSError as error:
            if is_missing(error):
                continue
            return unread(root, folder, error)
        for name in names:
            if name.endswith(".conf") and _linux_of(root, f"{folder}/{name}") == image:
                return Known(value=True, source=shown_path(f"{folder}/{name}"))
    return Known(value=False, source=shown_path(ENTRY_FOLDERS[0]))


def _linux_of(root: Root, path: str) -> str | None:
    """The kernel that an entry loads."""
    words = read_words(root, path)
    lines = words.value.split("\n") if isinstance(words, Known) else []
    found = (line.split(None, 1) for line in lines if line.split(None, 1)[:1] == ["linux"])
    return next((parts[1].strip() for parts in found if len(parts) > 1), None)


def _of_systemd_boot(root: Root, source: str) -> Stack:
    selected = read_loader_words(root, "LoaderEntrySelected")
    started = selected.value if isinstance(selected, Known) else None
    if started is not None and started.endswith(".efi"):
        return Known(BootStack.UKI, selected.source if isinstance(selected, Known) else source)
    if presence(root, SDBOOTUTIL):
        return Known(BootStack.SDBOOTUTIL, shown_path(SDBOOTUTIL))
    images = [folder for folder in _UNIFIED_FOLDERS if any(name.endswith(".efi") for name in _names(root, folder))]
    entries = [f"{folder}/{name}" for folder in ENTRY_FOLDERS for name in _names(root, folder) if _is_entry(name)]
    if started is not None:
        entries = [path for path in entries if path.endswith(f"/{started}")]
    elif images and entries:
        return _several(BootStack.UKI, BootStack.SYSTEMD_BOOT)
    elif images:
        return Known(BootStack.UKI, shown_path(images[0]))
    if not entries and presence(root, *ENTRY_FOLDERS) is None:
        return Unknown(text("probe.boot.forbidden"))
    return _of_entries(root, entries, source)


def _of_entries(root: Root, entries: list[str], source: str) -> Stack:
    """Who made these entries: the started one, or all where the loader does not tell."""
    made = {_by_kernel_install(root, path) for path in entries}
    managed = presence(root, SDBOOT_MANAGE)
    if managed and True in made:
        return _several(BootStack.SDBOOT_MANAGE, BootStack.KERNEL_INSTALL)
    if managed:
        return Known(BootStack.SDBOOT_MANAGE, shown_path(SDBOOT_MANAGE))
    if len(made) > 1:
        return _several(BootStack.SYSTEMD_BOOT, BootStack.KERNEL_INSTALL)
    by_tool = True in made
    return Known(BootStack.KERNEL_INSTALL if by_tool else BootStack.SYSTEMD_BOOT, "/etc/kernel" if by_tool else source)


def _by_kernel_install(root: Root, path: str) -> bool:
    """Whether kernel-install made this entry: its name and the kernel's folder are the token and the version."""
    name = path.rpartition("/")[2].removesuffix(".conf")
    loaded = _BY_KERNEL_INSTALL.fullmatch(_linux_of(root, path) or "")
    if loaded is not None and name.startswith(f"{loaded['token']}-{loaded['version']}"):
        return True
    said = (read_words(root, place) for place in ("etc/machine-id", "etc/kernel/entry-token"))
    return any(isinstance(token, Known) and token.value and name.startswith(f"{token.value}-") for token in said)


def _is_entry(name: str) -> bool:
    return name.endswith(".conf")


def _names(root: Root, folder: str) -> tuple[str, ...]:
    try:
        return root.names(folder)
    except OSError:
        return ()

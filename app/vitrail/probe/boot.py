# SPDX-License-Identifier: GPL-3.0-or-later
"""How this computer starts: firmware, loader, who writes the kernel's arguments, what builds its initramfs. Read only.

The loader and the owner of the arguments have files of their own; here is what is told without weighing anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.boot import Boot, BootSetup, InitramfsTool
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.boot_loader import read_loader
from vitrail.probe.boot_owner import read_stack
from vitrail.probe.efi_variables import ATTRIBUTES, EFI, GLOBAL, VARIABLES, names
from vitrail.probe.unread import garbled, is_missing, presence, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

SECURE_BOOT = f"{VARIABLES}/SecureBoot-{GLOBAL}"
LOCKDOWN = "sys/kernel/security/lockdown"

TOOL_FILES = (
    ("usr/sbin/update-initramfs", InitramfsTool.INITRAMFS_TOOLS),
    ("usr/bin/dracut", InitramfsTool.DRACUT),
    ("usr/sbin/dracut", InitramfsTool.DRACUT),
    ("usr/bin/mkinitcpio", InitramfsTool.MKINITCPIO),
    ("usr/bin/booster", InitramfsTool.BOOSTER),
)
BESIDE = {InitramfsTool.INITRAMFS_TOOLS: "usr/sbin/mkinitramfs"}
"""What else has to be there before a program builds this system's images. Debian's initramfs-tools is two packages:
`update-initramfs`, which follows every kernel, leaves when dracut comes; `mkinitramfs` of initramfs-tools-core stays
behind (its README.Debian; seen on Debian 12)."""
CONFIGURATIONS = (
    ("etc/initramfs-tools/initramfs.conf", InitramfsTool.INITRAMFS_TOOLS),
    ("etc/dracut.conf", InitramfsTool.DRACUT),
    ("etc/mkinitcpio.conf", InitramfsTool.MKINITCPIO),
    ("etc/booster.yaml", InitramfsTool.BOOSTER),
)
_NOT_ASKED = Unknown(text("probe.boot.not-asked"))


def read_boot(root: Root, cmdline: Reading[str], *, setup: bool = True) -> Boot:
    """Everything about how this boot came about; without `setup`, what only a change of the start needs is left out."""
    uefi = _read_uefi(root)
    loader = read_loader(root, cmdline)
    return Boot(
        loader=loader,
        stack=read_stack(root, loader, cmdline),
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


def _read_initramfs(root: Root) -> Reading[InitramfsTool | None]:
    for candidates, beside in ((TOOL_FILES, BESIDE), (CONFIGURATIONS, {})):
        found = {
            tool: path
            for path, tool in reversed(candidates)
            if presence(root, path) and presence(root, beside.get(tool, path))
        }
        if len(found) == 1:
            ((tool, path),) = found.items()
            return Known(tool, shown_path(path))
        if found:
            return Unknown(text("probe.boot.several-tools", names=", ".join(sorted(found))))
    return Unknown(text("probe.boot.no-tool"))

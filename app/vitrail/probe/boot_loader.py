# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loader started the kernel in this very boot, never which one is installed.

Each loader leaves a trace of its own: a variable in the firmware, or words on the command line. Where traces contradict
each other (one loader started another), or there is none and files point several ways, the answer is that nobody knows:
a change through the wrong loader does nothing, and its undo neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.efi_variables import loader_variable, loader_words, read_loader_words
from vitrail.probe.unread import presence

if TYPE_CHECKING:
    from vitrail.source.root import Root

LOADER_INFO = loader_variable("LoaderInfo")
STUB_INFO = loader_variable("StubInfo")
FIRMWARE = "firmware"
"""The loader of a kernel that the firmware starts by itself."""

ENTRY_FOLDERS = ("boot/loader/entries", "efi/loader/entries", "boot/efi/loader/entries")
GRUB_FILES = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg", "etc/default/grub")
SYSTEMD_BOOT_FILES = ("boot/loader/loader.conf", "efi/loader/loader.conf", "boot/efi/loader/loader.conf")
_LIMINE_FILES = ("etc/default/limine", "boot/limine.conf", "boot/limine/limine.conf")
_REFIND_FILES = ("boot/refind_linux.conf",)
_SAYS = (("systemd-boot", "systemd-boot"), ("grub", "grub"), ("limine", "limine"), ("refind", "refind"))
"""What LoaderInfo begins with, and the loader's name here."""
_FILES = (
    ("grub", GRUB_FILES),
    ("systemd-boot", SYSTEMD_BOOT_FILES),
    ("limine", _LIMINE_FILES),
    ("refind", _REFIND_FILES),
)
_CMDLINE = "/proc/cmdline"


def read_loader(root: Root, cmdline: Reading[str]) -> Reading[str | None]:
    """The loader of this boot; `firmware` where there was none."""
    words = tuple(cmdline.value.split()) if isinstance(cmdline, Known) else ()
    info = read_loader_words(root, "LoaderInfo")
    said = _named(info)
    by_grub = boot_image(words) is not None
    if said is not None and isinstance(info, Known):
        # Only GRUB writes this word, and older ones do not tell the firmware: then another loader started GRUB.
        if by_grub and said != "grub":
            return _several(said, "grub")
        if said == "grub" and not by_grub and words and "systemd-stub" not in loader_words(root, "StubInfo"):
            return _several("grub", FIRMWARE)
        return Known(said, info.source)
    if by_grub:
        return _by_boot_image(root, words)
    return _by_traces(root, words, info)


def boot_image(words: tuple[str, ...]) -> str | None:
    """The kernel as GRUB names it, without the disk; None where no such word is on the line."""
    found = next((word.removeprefix("BOOT_IMAGE=") for word in words if word.startswith("BOOT_IMAGE=")), None)
    return found.rpartition(")")[2] if found is not None else None


def _named(info: Reading[str | None]) -> str | None:
    words = (info.value or "").lower() if isinstance(info, Known) else ""
    return next((name for sign, name in _SAYS if sign in words), None)


def _by_boot_image(root: Root, words: tuple[str, ...]) -> Reading[str | None]:
    # syslinux names the image as well, but puts the initramfs on the line, which GRUB never does.
    if any(word.startswith("initrd=") for word in words):
        return Known("syslinux", _CMDLINE) if presence(root, *GRUB_FILES) is False else _several("grub", "syslinux")
    return Unknown(text("probe.boot.no-loader")) if presence(root, *GRUB_FILES) is False else Known("grub", _CMDLINE)


def _by_traces(root: Root, words: tuple[str, ...], info: Reading[str | None]) -> Reading[str | None]:
    # systemd-boot always tells the firmware, so where that can be read, its silence is an answer; GRUB always names
    # the image on the line.
    silent = {name for name, left in (("systemd-boot", isinstance(info, Known)), ("grub", bool(words))) if left}
    installed = [name for name, files in _FILES if presence(root, *files)]
    if "systemd-stub" in loader_words(root, "StubInfo") and "systemd-boot" in silent:
        return Known(FIRMWARE, f"/{STUB_INFO}")
    if any(word.startswith("initrd=") and "\\" in word for word in words):
        able = [name for name in installed if name in ("systemd-boot", "refind") and name not in silent]
        if len(able) == 1:
            return Known(able[0], _CMDLINE)
    if len(installed) > 1:
        return _several(*installed)
    left = [name for name in installed if name not in silent]
    if left:
        return Known(left[0], "/boot")
    if presence(root, *GRUB_FILES, *ENTRY_FOLDERS) is None:
        return Unknown(text("probe.boot.forbidden"))
    return Unknown(text("probe.boot.left-no-trace", name=installed[0]) if installed else text("probe.boot.no-loader"))


def _several(*names: str) -> Unknown:
    return Unknown(text("probe.boot.several-loaders", names=", ".join(names)))

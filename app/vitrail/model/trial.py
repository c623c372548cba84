# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a trial boot: a start that happens once, beside the system's own, and changes none of its files.

The system's kernel and initramfs stay as they are; a small image with the reservation is loaded after them. The words
that the running system was started with are values here, in a form that no loader's syntax can give a meaning to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.boot import InitramfsTool
from vitrail.model.kernel_argument import KernelArgument, check_arguments, check_plan_id
from vitrail.model.reservation import ReservedCards

_WORD = re.compile(r"[A-Za-z0-9_.,:=/@%+~^\[\]-]{1,512}", re.ASCII)
_PATH = re.compile(
    r"/(?:[A-Za-z0-9@_+][A-Za-z0-9@_.+~-]{0,127}/){0,12}[A-Za-z0-9@_+][A-Za-z0-9@_.+~-]{0,199}", re.ASCII
)
_KERNEL = re.compile(r"[0-9][A-Za-z0-9_.+~-]{0,127}", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}", re.ASCII)
_MODULE = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
MAX_WORDS = 128
MAX_IMAGES = 8


class EntryFolder(StrEnum):
    """Where the boot loader specification's entries can lie."""

    BOOT = "boot/loader/entries"
    EFI = "efi/loader/entries"
    BOOT_EFI = "boot/efi/loader/entries"


class GrubFolder(StrEnum):
    """GRUB's own folder, by what the distribution calls GRUB."""

    GRUB = "boot/grub"
    GRUB2 = "boot/grub2"


class ImageFolder(StrEnum):
    """Where the trial's image lies: on the file system that the loader reads."""

    BOOT = "boot/vitrail"
    EFI = "efi/vitrail"
    BOOT_EFI = "boot/efi/vitrail"


def entry_name(plan_id: str) -> str:
    """The name of a plan's trial entry, in GRUB's menu and of the entry's file alike."""
    return f"vitrail-{check_plan_id(plan_id)}"


def image_path(folder: ImageFolder, plan_id: str) -> str:
    """Where a plan's image is, from the root without its first slash."""
    return f"{folder.value}/{check_plan_id(plan_id)}.img"


def is_plain_word(word: str) -> bool:
    """Whether a word of the running system's command line can be repeated in an entry as it is."""
    # What stands behind a bare `--` is for init: the trial's own words would be.
    return _WORD.fullmatch(word) is not None and word != "--"


def _check_start(kernel: str, initrds: tuple[str, ...], image: str | None, line: tuple[str, ...]) -> None:
    for path in (kernel, *initrds, *(() if image is None else (image,))):
        if not _PATH.fullmatch(path) or "/../" in f"{path}/" or "/./" in f"{path}/":
            raise ValueError("path")
    if not 0 < len(initrds) <= MAX_IMAGES or len(line) > MAX_WORDS or not all(map(is_plain_word, line)):
        raise ValueError("line")


@dataclass(frozen=True, slots=True)
class GrubTrial:
    """A menu entry in GRUB's custom.cfg. Paths are as GRUB sees them on the file system with this UUID."""

    folder: GrubFolder
    plan_id: str
    file_system: str
    modules: tuple[str, ...]
    """What GRUB needs to read that file system: `part_gpt`, `ext2`."""
    kernel: str
    initrds: tuple[str, ...]
    """The system's own, in their order; ours comes after them."""
    image: str | None
    """None where only arguments are tried and no card is kept from the start."""
    line: tuple[str, ...]
    """What the running kernel was started with, without what the loader itself added."""
    arguments: tuple[KernelArgument, ...]

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)
        _check_start(self.kernel, self.initrds, self.image, self.line)
        check_arguments(self.arguments)
        if not _UUID.fullmatch(self.file_system):
            raise ValueError("file_system")
        if len(self.modules) > MAX_IMAGES or not all(_MODULE.fullmatch(name) for name in self.modules):
            raise ValueError("modules")


@dataclass(frozen=True, slots=True)
class EntryTrial:
    """An entry of the boot loader specification. Paths are from the root of the partition with the entries."""

    folder: EntryFolder
    plan_id: str
    kernel: str
    initrds: tuple[str, ...]
    image: str | None
    line: tuple[str, ...]
    arguments: tuple[KernelArgument, ...]

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)
        _check_start(self.kernel, self.initrds, self.image, self.line)
        check_arguments(self.arguments)


@dataclass(frozen=True, slots=True)
class MakeTrialImage:
    """Build the small image that is loaded after the system's own: the table, the early script, vfio's modules.

    `system_image` is the image that it will be loaded after (from the root, without the first slash): the order of the
    early scripts is taken from it.
    """

    folder: ImageFolder
    plan_id: str
    kernel: str
    """Version of the running kernel, as /lib/modules names it."""
    initramfs: InitramfsTool
    system_image: str
    cards: ReservedCards

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)
        if not _KERNEL.fullmatch(self.kernel):
            raise ValueError("kernel")
        if not _PATH.fullmatch(f"/{self.system_image}"):
            raise ValueError("system_image")


class OneShot(StrEnum):
    """How the next start, and only that, is told which entry to take."""

    GRUB = "grub-reboot"
    GRUB2 = "grub2-reboot"
    SYSTEMD_BOOT = "bootctl"


@dataclass(frozen=True, slots=True)
class SetOneShot:
    """Make the plan's trial entry the one that starts next, once. Undo clears it, if it is still set to ours."""

    means: OneShot
    plan_id: str

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)


@dataclass(frozen=True, slots=True)
class StoreGuard:
    """Put a copy of the helper's own core aside for the guard, so that no package update can disarm it."""

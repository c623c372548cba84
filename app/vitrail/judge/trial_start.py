# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running system was started with, in a form that a second entry can repeat beside its own.

Separate from the guard because it answers another question: not whether the loader can be trusted with one start, but
whether that start can be written down at all. Nothing is guessed: what was not read, or has a form that an entry could
not repeat exactly, makes a trial impossible, and the reason says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.iommu import arguments_now
from vitrail.model.boot import BootSetup, FileSystem, Layer
from vitrail.model.kernel_argument import Flag
from vitrail.model.machine import Host
from vitrail.model.reading import Known, Reading, Unknown, known_or
from vitrail.model.text import Text, text
from vitrail.model.trial import EntryFolder, GrubFolder, ImageFolder, is_plain_word

_NOT_REPEATED = ("BOOT_IMAGE=", "initrd=", "vitrail.", "vitrail=")
_GRUB_MODULES = {"ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "vfat": "fat", "xfs": "xfs"}
"""File systems that GRUB can write a mark into, with the module that reads them."""
_IMAGE_NAMES = ("initrd.img-{release}", "initramfs-{release}.img", "initrd-{release}")
_IMAGES: dict[EntryFolder, ImageFolder] = {
    EntryFolder.BOOT: ImageFolder.BOOT,
    EntryFolder.EFI: ImageFolder.EFI,
    EntryFolder.BOOT_EFI: ImageFolder.BOOT_EFI,
}


class NoTrial(Exception):
    """No start of its own can be prepared here; `reason` says why, in plain words."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.id)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Start:
    """What every entry repeats. Paths of `kernel`, `initrds` and `shown` are as the loader sees them."""

    kernel: str
    initrds: tuple[str, ...]
    line: tuple[str, ...]
    release: str
    system_image: str
    """The last of the initrds, from the root of the machine, without the first slash."""
    image_folder: ImageFolder
    shown: str
    """The image's folder."""


@dataclass(frozen=True, slots=True)
class GrubStart:
    """A start through GRUB's menu."""

    start: Start
    folder: GrubFolder
    file_system: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryStart:
    """A start through an entry file; `entry` is the one that started this boot, without `.conf`."""

    start: Start
    folder: EntryFolder
    entry: str


def known(reading: Reading[str | None], name: str) -> str:
    """The text of a file. Raises NoTrial where it was not read, or is not there."""
    if isinstance(reading, Unknown):
        raise NoTrial(text("judge.trial.unread", name=name, reason=reading.reason))
    if reading.value is None:
        raise NoTrial(text("judge.trial.no-file", name=name))
    return reading.value


def line_of(host: Host) -> tuple[str, ...]:
    """The words of the running command line, without what the loader itself added and without ours."""
    if isinstance(host.cmdline, Unknown):
        raise NoTrial(text("judge.trial.unread", name="/proc/cmdline", reason=host.cmdline.reason))
    words = tuple(
        word for word in arguments_now(host) if not word.startswith(_NOT_REPEATED) and word != Flag.GUARD.value
    )
    odd = next((word for word in words if not is_plain_word(word)), None)
    if odd is not None:
        raise NoTrial(text("judge.trial.odd-word", word=odd))
    return words


def release_of(host: Host) -> str:
    """The running kernel's version. Raises NoTrial where it is not known, or no longer installed."""
    if isinstance(host.kernel, Unknown):
        raise NoTrial(text("judge.trial.unread", name="uname -r", reason=host.kernel.reason))
    kernels = host.boot.setup.kernels
    if isinstance(kernels, Known) and host.kernel.value not in kernels.value:
        raise NoTrial(text("judge.trial.kernel-gone", kernel=host.kernel.value))
    return host.kernel.value


def grub_folder(setup: BootSetup) -> GrubFolder:
    """Where GRUB's own files are. Raises NoTrial where that cannot be told."""
    found = [folder for folder in GrubFolder if _has(setup, f"{folder.value}/grub.cfg")]
    if len(found) == 1:
        return found[0]
    if found:
        raise NoTrial(text("judge.trial.two-grubs"))
    unread = (setup.content(f"{folder.value}/grub.cfg") for folder in GrubFolder)
    reason = next((one.reason for one in unread if isinstance(one, Unknown)), None)
    if reason is not None:
        raise NoTrial(text("judge.trial.unread", name="grub.cfg", reason=reason))
    raise NoTrial(text("judge.trial.no-file", name="grub.cfg"))


def _has(setup: BootSetup, path: str) -> bool:
    content = setup.content(path)
    return isinstance(content, Known) and content.value is not None


def plain_file_system(setup: BootSetup, path: str) -> FileSystem:
    """The file system of this path, where GRUB can write into a file of it. Raises NoTrial, with why not."""
    if isinstance(setup.file_systems, Unknown):
        raise NoTrial(text("judge.trial.unread", name=path, reason=setup.file_systems.reason))
    found = setup.file_system_of(path)
    if found is None:
        raise NoTrial(text("judge.trial.no-file-system", path=path))
    if isinstance(found.layers, Unknown):
        raise NoTrial(text("judge.trial.unread", name=found.mount, reason=found.layers.reason))
    if found.layers.value:
        raise NoTrial(_behind(found.layers.value[0], found.mount))
    if found.kind not in _GRUB_MODULES:
        raise NoTrial(text("judge.trial.kind", mount=found.mount, kind=found.kind))
    return found


def _behind(layer: Layer, mount: str) -> Text:
    match layer:
        case Layer.LVM:
            return text("judge.trial.layer.lvm", mount=mount)
        case Layer.RAID:
            return text("judge.trial.layer.raid", mount=mount)
        case Layer.CRYPT:
            return text("judge.trial.layer.crypt", mount=mount)
        case Layer.OTHER:
            return text("judge.trial.layer.other", mount=mount)


def grub_start(host: Host) -> GrubStart:
    """The running start, as an entry of GRUB's menu can repeat it. Raises NoTrial."""
    setup = host.boot.setup
    folder = grub_folder(setup)
    line, release = line_of(host), release_of(host)
    kernel = _grub_path(next((word for word in arguments_now(host) if word.startswith("BOOT_IMAGE=")), "")[11:])
    if not kernel.startswith("/"):
        raise NoTrial(text("judge.trial.kernel-untold"))
    system = plain_file_system(setup, f"/{ImageFolder.BOOT.value}/image")
    if not _on_machine(system, kernel).startswith("/boot/"):
        raise NoTrial(text("judge.trial.kernel-elsewhere", kernel=kernel))
    if isinstance(system.uuid, Unknown):
        raise NoTrial(text("judge.trial.unread", name=system.mount, reason=system.uuid.reason))
    if isinstance(system.table, Unknown):
        raise NoTrial(text("judge.trial.unread", name=system.mount, reason=system.table.reason))
    table = () if system.table.value is None else (f"part_{system.table.value}",)
    initrds = _grub_initrds(host, folder, kernel, release, system)
    image = _on_machine(system, initrds[-1]).lstrip("/")
    if isinstance(setup.images, Known) and image not in setup.images.value:
        raise NoTrial(text("judge.trial.no-file", name=f"/{image}"))
    shown = _for_loader(system, f"/{ImageFolder.BOOT.value}")
    start = Start(kernel, initrds, line, release, image, ImageFolder.BOOT, shown)
    return GrubStart(start, folder, system.uuid.value, (*table, _GRUB_MODULES[system.kind]))


def _grub_path(words: str) -> str:
    """A path without the disk that GRUB names before it."""
    return words.rpartition(")")[2] if words.startswith("(") else words


def _on_machine(system: FileSystem, path: str) -> str:
    """Where a path of this file system is on the machine; as it is where the mount does not show it."""
    inside = system.inside.rstrip("/")
    if not path.startswith(f"{inside}/"):
        return path
    return system.mount.rstrip("/") + path[len(inside) :]


def _for_loader(system: FileSystem, path: str) -> str:
    """How the loader calls a path of the machine on this file system."""
    return system.inside.rstrip("/") + path[len(system.mount.rstrip("/")) :]


def _grub_initrds(host: Host, folder: GrubFolder, kernel: str, release: str, system: FileSystem) -> tuple[str, ...]:
    setup = host.boot.setup
    entries = [
        file.content.value
        for file in setup.files
        if file.path.startswith(f"{EntryFolder.BOOT.value}/")
        and isinstance(file.content, Known)
        and file.content.value is not None
    ]
    for words in (*entries, known(setup.content(f"{folder.value}/grub.cfg"), "grub.cfg")):
        found = _initrds_beside(words, kernel)
        if found:
            return found
    names = [f"boot/{form.format(release=release)}" for form in _IMAGE_NAMES]
    names.append(f"boot/initramfs-{kernel.rpartition('/')[2].removeprefix('vmlinuz-')}.img")
    there = [name for name in names if name in known_or(setup.images, ())]
    if len(there) != 1:
        raise NoTrial(text("judge.trial.image-untold"))
    return (_for_loader(system, f"/{there[0]}"),)


def _initrds_beside(words: str, kernel: str) -> tuple[str, ...]:
    """What is loaded with this kernel, by the lines behind it in a menu or an entry; () where it is not in there."""
    mine = False
    found: list[str] = []
    for line in words.split("\n"):
        key, *rest = line.split() or [""]
        if key in ("linux", "linux16", "linuxefi"):
            if found:
                break
            mine = bool(rest) and _grub_path(rest[0]) == kernel
        elif key in ("initrd", "initrd16", "initrdefi") and mine:
            # A variable stands for what a tool may put there, and is empty where it put nothing.
            found += [_grub_path(word) for word in rest if not word.startswith("$")]
    return tuple(found)


def entry_start(host: Host) -> EntryStart:
    """The running start, as an entry file can repeat it. Raises NoTrial."""
    setup = host.boot.setup
    selected = known(setup.selected_entry, "LoaderEntrySelected")
    folder, entry = _entry_of(setup, selected.removesuffix(".conf"))
    kernel, initrds = _of_entry(known(setup.content(f"{folder.value}/{entry}.conf"), f"{entry}.conf"))
    if not kernel or not initrds:
        raise NoTrial(text("judge.trial.entry-form", entry=entry))
    partition = folder.value.removesuffix("loader/entries")
    image = f"{partition}{initrds[-1].lstrip('/')}"
    shown = f"/{_IMAGES[folder].value.removeprefix(partition)}"
    start = Start(kernel, initrds, line_of(host), release_of(host), image, _IMAGES[folder], shown)
    return EntryStart(start, folder, entry)


def _entry_of(setup: BootSetup, selected: str) -> tuple[EntryFolder, str]:
    """The one entry file of this name; the loader tells the name in small letters."""
    found = [
        (folder, stem)
        for folder in EntryFolder
        for file in setup.entries(folder.value)
        if (stem := file.path.removeprefix(f"{folder.value}/").removesuffix(".conf")).lower() == selected.lower()
    ]
    if len(found) != 1:
        raise NoTrial(text("judge.trial.entry-unread", entry=selected))
    return found[0]


def _of_entry(words: str) -> tuple[str, tuple[str, ...]]:
    kernel, initrds = "", []
    for line in words.split("\n"):
        key, _, value = line.strip().partition(" ")
        if key == "linux":
            kernel = value.strip()
        elif key == "initrd":
            initrds += value.split()
    return kernel, tuple(initrds)

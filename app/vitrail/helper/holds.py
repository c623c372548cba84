# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a device at this very moment, seen by root: open files of every process, the console, what hangs on it.

Read immediately before a driver is taken away. What cannot be looked into is a refusal: not knowing is not nobody.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field

from vitrail.helper.tree import Tree
from vitrail.model.binding import Hold, HoldKind
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.pci import PciAddress

_DEVICES = "sys/bus/pci/devices"
_FUNCTION = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", re.ASCII)
_PLUGGED = re.compile(r"\d+-\d+(\.\d+)*", re.ASCII)
_NAMED_VM = re.compile(r"(?:^|,)guest=([^,]{1,80})")
_FRAME_BUFFER = re.compile(r"fb(\d{1,3})", re.ASCII)
_FIRMWARE_SCREENS = ("efi-framebuffer", "simple-framebuffer", "vesa-framebuffer")
_SOUND_SERVICES = ("pipewire", "pipewire-pulse", "wireplumber", "pulseaudio")
_MOST_FOLDERS = 20_000


@dataclass(slots=True)
class _Below:
    """What the kernel has made of a device."""

    files: set[str] = field(default_factory=set)
    holds: list[Hold] = field(default_factory=list)


def holds_on(tree: Tree, address: PciAddress, driver: str | None) -> tuple[Hold, ...]:
    """Everybody who holds this function. Raises Refusal where that cannot be read."""
    below = _look_below(tree, address)
    below.files |= _shared_files(tree, address, driver)
    console = _console(tree, address)
    programs = _programs(tree, below.files) if below.files else []
    return (*dict.fromkeys([*programs, *console, *below.holds]),)


def _look_below(tree: Tree, address: PciAddress) -> _Below:
    """Device files, and what is plugged in, mounted or connected. Links lead elsewhere and are not followed."""
    found = _Below()
    try:
        base = tree.resolve(f"{_DEVICES}/{address}")
        walk = os.fwalk(base, dir_fd=tree.descriptor, follow_symlinks=False, onerror=_raise)
        for count, (path, folders, files, folder) in enumerate(walk):
            if count > _MOST_FOLDERS:
                raise Refusal(Kind.UNREAD, what=str(address))
            if "dev" in files and "uevent" in files:
                found.files |= _device_file(folder)
            found.holds += _hanging_on(tree, path, folders)
            # A bridge's functions are devices of their own.
            folders[:] = [name for name in folders if not _FUNCTION.fullmatch(name)]
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=str(address)) from error
    return found


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _device_file(folder: int) -> set[str]:
    try:
        descriptor = os.open("uevent", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with os.fdopen(descriptor) as stream:
            lines = stream.read(4096).split("\n")
    except OSError:
        return set()
    return {f"/dev/{line.removeprefix('DEVNAME=')}" for line in lines if line.startswith("DEVNAME=")}


def _hanging_on(tree: Tree, path: str, folders: list[str]) -> list[Hold]:
    last = path.rpartition("/")[2]
    if last == "block":
        return [Hold(HoldKind.DISK, name) for name in folders]
    if last == "net":
        return [Hold(HoldKind.NETWORK, name) for name in folders]
    plugged = [name for name in folders if _PLUGGED.fullmatch(name)]
    return [Hold(HoldKind.USB, tree.words(f"{path}/{name}/product") or name) for name in plugged]


def _shared_files(tree: Tree, address: PciAddress, driver: str | None) -> set[str]:
    """Files that stand for the device although the kernel does not list them below it."""
    match driver:
        case "nvidia":
            words = tree.words(f"proc/driver/nvidia/gpus/{address}/information") or ""
            minor = re.search(r"^Device Minor:\s*(\d+)", words, re.MULTILINE)
            if minor is not None:
                return {f"/dev/nvidia{minor[1]}"}
            return {f"/dev/{name}" for name in tree.names("dev") if re.fullmatch(r"nvidia\d+", name)}
        case "amdgpu":
            return {"/dev/kfd"}
        case "vfio-pci":
            with contextlib.suppress(OSError):
                group = tree.resolve(f"{_DEVICES}/{address}/iommu_group").rpartition("/")[2]
                return {f"/dev/vfio/{group}"}
    return set()


def _programs(tree: Tree, files: set[str]) -> list[Hold]:
    pids = [name for name in tree.names("proc") if name.isascii() and name.isdigit()]
    if not pids:
        raise Refusal(Kind.UNREAD, what="/proc")
    return [_program(tree, pid) for pid in sorted(pids, key=int) if _open_files(tree, pid) & files]


def _open_files(tree: Tree, pid: str) -> set[str]:
    """Targets of a process's open files; one that has ended holds none."""
    found = set()
    try:
        with tree.folder(f"proc/{pid}/fd") as folder:
            for name in os.listdir(folder):  # noqa: PTH208 - a path would be walked again
                with contextlib.suppress(FileNotFoundError):
                    found.add(os.readlink(name, dir_fd=folder).removesuffix(" (deleted)"))
    except (FileNotFoundError, ProcessLookupError):
        return set()
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/proc/{pid}/fd") from error
    return found


def _program(tree: Tree, pid: str) -> Hold:
    name = tree.words(f"proc/{pid}/comm") or pid
    if name.startswith("qemu"):
        arguments = (tree.words(f"proc/{pid}/cmdline") or "").split("\0")
        guest = next((match for words in arguments if (match := _NAMED_VM.search(words)) is not None), None)
        return Hold(HoldKind.VM, guest[1] if guest is not None else name, int(pid))
    return Hold(HoldKind.SOUND if name in _SOUND_SERVICES else HoldKind.PROGRAM, name, int(pid))


def _console(tree: Tree, address: PciAddress) -> list[Hold]:
    """The text console on the device's frame buffer, and the firmware's picture in the memory of the first card."""
    found = []
    mine = [name for name in tree.names(f"{_DEVICES}/{address}/graphics") if _FRAME_BUFFER.fullmatch(name)]
    every = [name for name in tree.names("sys/class/graphics") if _FRAME_BUFFER.fullmatch(name)]
    # Without a word of anybody's, every text console is on the first frame buffer.
    first = min(every, key=lambda name: int(name[2:]), default=None)
    if mine and (first in mine or first is None) and _draws(tree):
        found.append(Hold(HoldKind.CONSOLE, first or mine[0]))
    if tree.words(f"{_DEVICES}/{address}/boot_vga") == "1":
        drivers = [name for name in _FIRMWARE_SCREENS if _has_device(tree, f"sys/bus/platform/drivers/{name}", name)]
        found += [Hold(HoldKind.BOOT_SCREEN, name) for name in drivers]
    return found


def _draws(tree: Tree) -> bool:
    folder = "sys/class/vtconsole"
    names = tree.names(folder)
    drawing = (name for name in names if "frame buffer" in (tree.words(f"{folder}/{name}/name") or ""))
    return not names or any(tree.words(f"{folder}/{name}/bind") == "1" for name in drawing)


def _has_device(tree: Tree, folder: str, driver: str) -> bool:
    return any(name.startswith(f"{driver}.") for name in tree.names(folder))

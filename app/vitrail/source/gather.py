# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects from a machine what a recording of it may hold: by allow-list, each path as its treatment says.

Separate from the writing, because what is collected is shown before anything is written, and then exactly that is
written.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vitrail.model.masking import signs_of
from vitrail.model.paths import (
    BELOW_A_CLASS_LINK,
    BELOW_A_FUNCTION,
    EVERYWHERE,
    WAKING,
    ReadPath,
    Treatment,
)
from vitrail.source.gather_volumes import StartVolumes, mount_lines, start_volumes, volume_words
from vitrail.source.root import MAX_FILE_BYTES, Root
from vitrail.source.scrub import Scrubber

_FUNCTION = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
_CONFIG_LINES = re.compile(r"CONFIG_\w*(?:IOMMU|VFIO|SIMPLEFB|SIMPLEDRM)\w*")
_UDEV_LINES = ("E:ID_VENDOR_FROM_DATABASE=", "E:ID_MODEL_FROM_DATABASE=")
_DEVICES = ("/dev/dri/", "/dev/nvidia", "/dev/kfd", "/dev/vfio/", "/dev/snd/")
_ASLEEP = frozenset({"D3cold", "D3hot", "suspended"})
_EFI_ATTRIBUTES = 4
_EDID_BLOCK = 128
_EDID_SERIALS = (slice(12, 18),)
_EDID_DESCRIPTORS = (54, 72, 90, 108)
_SERIAL_DESCRIPTOR = 0xFF
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
_STAND_INS = {
    "etc/machine-id": b"00000000000000000000000000000001\n",
    "proc/sys/kernel/random/boot_id": b"00000000-0000-4000-8000-000000000000\n",
}


@dataclass(slots=True)
class Gathered:
    """Files, links and folders below a recording's `root/`, scrubbed."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


def gather(root: Root, scrubber: Scrubber) -> Gathered:
    """What a recording keeps of this machine. What cannot be read is left out."""
    gathering = _Gathering(root, scrubber, start_volumes(root))
    # Entries and folders of the start are named after it: its stand-in must be the same there.
    scrubber.ids(gathering.said("etc/machine-id"))
    for item in EVERYWHERE:
        for path in gathering.expand(item.pattern):
            gathering.keep(path, item.treatment)
    gathering.keep_processes()
    return gathering.found


class _Gathering:
    def __init__(self, root: Root, scrubber: Scrubber, volumes: StartVolumes) -> None:
        self._root = root
        self._volumes = volumes
        self._scrubber = scrubber
        self._done: set[str] = set()
        self.found = Gathered()

    def expand(self, pattern: str) -> list[str]:
        """The paths that match; a component with no wildcard is not looked up."""
        paths = [""]
        for part in pattern.split("/"):
            if "*" not in part:
                paths = [f"{path}/{part}" if path else part for path in paths]
            else:
                paths = [f"{path}/{name}" for path in paths for name in self._names(path) if fnmatchcase(name, part)]
        return paths

    def keep(self, path: str, treatment: Treatment) -> None:
        """Collect one path, and what hangs on it."""
        if treatment is Treatment.LINK:
            self._keep_link(path)
            return
        if treatment is Treatment.VOLUME:
            self._keep_volume(path)
            return
        try:
            content = self._content(path, treatment)
        except OSError:
            return
        # The ids in the names of firmware variables are their makers', the same on every machine.
        of_firmware = treatment in (Treatment.BYTES, Treatment.EFI_TEXT)
        shown = path if of_firmware else self._scrubber.ids(path)
        if content is None:
            self.found.folders.add(shown)
        else:
            self.found.files[shown] = content

    def _content(self, path: str, treatment: Treatment) -> bytes | None:
        """What is kept of a file; None for a folder."""
        content: bytes | None
        match treatment:
            case Treatment.FOLDER:
                self._root.names(path)
                content = None
            case Treatment.EXISTS | Treatment.STAND_IN:
                self._root.resolve(path)
                content = _STAND_INS.get(path, b"")
            case Treatment.BYTES:
                content = self._root.read_bytes(path)
            case Treatment.EDID:
                content = without_serials(self._root.read_bytes(path))
            case Treatment.KERNEL_CONFIG:
                content = self._config(path)
            case Treatment.FILE:
                words = self._root.read_bytes(path).decode("utf-8", "surrogateescape")
                content = self._scrubber.configuration(words).encode("utf-8", "surrogateescape")
            case Treatment.SIGNS:
                content = self._scrubber.text(signs_of(self._root.read(path))).encode("utf-8", "replace")
            case Treatment.EFI_TEXT:
                content = self._efi_text(self._root.read_bytes(path))
            case Treatment.MOUNTS:
                content = self._scrubber.text(mount_lines(self._root.read(path))).encode("utf-8", "replace")
            case _:
                content = self._text(path)
        return content

    def _efi_text(self, content: bytes) -> bytes:
        words = content[_EFI_ATTRIBUTES:].decode("utf-16-le", "replace")
        return content[:_EFI_ATTRIBUTES] + self._scrubber.text(words).encode("utf-16-le", "replace")

    def _keep_volume(self, path: str) -> None:
        if not self._volumes.wants(path):
            return
        shown = self._scrubber.text(path)
        try:
            target = self._root.link(path)
        except OSError:
            with contextlib.suppress(OSError):
                words = self._scrubber.text(volume_words(path, self._root.read(path)))
                self.found.files[shown] = f"{words}\n".encode("utf-8", "replace")
        else:
            self.found.links[shown] = self._scrubber.text(target)

    def _config(self, path: str) -> bytes:
        content = self._root.read_bytes(path)
        packed = path.endswith(".gz")
        if packed:
            try:
                content = zlib.decompressobj(wbits=31).decompress(content, MAX_FILE_BYTES)
            except zlib.error:
                content = b""
        lines = content.decode("utf-8", "replace").split("\n")
        kept = _lines(line for line in lines if _CONFIG_LINES.search(line))
        return gzip.compress(kept, mtime=0) if packed else kept

    def _text(self, path: str) -> bytes:
        words = self._root.read(path)
        if path.startswith("run/udev/data/"):
            return _lines(line for line in words.split("\n") if line.startswith(_UDEV_LINES))
        if path == "proc/cpuinfo":
            words = words.split("\n\n", 1)[0]
        # The kernel's own words are no people's names, even where a person is called like a driver.
        own = path.startswith("sys/devices/") and not path.endswith("/name")
        scrubbed = self._scrubber.ids(words) if own else self._scrubber.text(words)
        return f"{scrubbed}\n".encode("utf-8", "replace") if scrubbed else b""

    def _keep_link(self, path: str) -> None:
        try:
            target, real = self._root.link(path), self._root.resolve(path)
        except OSError:
            return
        in_a_class = path.startswith(("sys/class/", "sys/bus/"))
        on_a_card = any(_FUNCTION.fullmatch(part) for part in real.split("/"))
        if in_a_class and not on_a_card and not path.startswith(("sys/class/iommu/", "sys/class/graphics/")):
            # Bridges, tunnels and loop devices: nothing is read of them, and their names may tell tales.
            return
        self.found.links[self._scrubber.ids(path)] = self._scrubber.ids(target)
        if not in_a_class or real in self._done:
            return
        self._done.add(real)
        self.found.folders.add(self._scrubber.ids(real))
        is_function = _FUNCTION.fullmatch(real.rpartition("/")[2]) is not None
        self._keep_below(real, BELOW_A_FUNCTION if is_function else BELOW_A_CLASS_LINK)

    def _keep_below(self, real: str, items: tuple[ReadPath, ...]) -> None:
        asleep = any(self.said(f"{real}/{name}") in _ASLEEP for name in ("power_state", "power/runtime_status"))
        for item in items:
            if asleep and item.pattern in WAKING:
                continue
            for path in self.expand(f"{real}/{item.pattern}"):
                self.keep(path, item.treatment)

    def keep_processes(self) -> None:
        """Who holds a card; nothing at all unless every process could be asked, since half a list would mislead."""
        try:
            if self._root.live and self._root.link("proc/self/ns/pid") != _FIRST_PID_NAMESPACE:
                return
        except OSError:
            return
        holders: dict[str, list[tuple[str, str]]] = {"1": []}
        for pid in (name for name in self._names("proc") if name.isdigit()):
            try:
                opened = [(name, self._target(f"proc/{pid}/fd/{name}")) for name in self._root.names(f"proc/{pid}/fd")]
            except FileNotFoundError:
                continue
            except OSError:
                if self.said(f"proc/{pid}/cmdline"):
                    return
                continue
            used = [(name, target) for name, target in opened if target.startswith(_DEVICES)]
            if used:
                holders[pid] = used
        for pid, used in holders.items():
            self.keep(f"proc/{pid}/comm", Treatment.TEXT)
            for name, target in used:
                self.found.links[f"proc/{pid}/fd/{name}"] = target

    def _target(self, path: str) -> str:
        try:
            return self._root.link(path)
        except OSError:
            return ""

    def said(self, path: str) -> str:
        """What a file says, nothing where it cannot be read."""
        try:
            return self._root.read(path)
        except OSError:
            return ""

    def _names(self, folder: str) -> tuple[str, ...]:
        try:
            return self._root.names(folder)
        except OSError:
            return ()


def without_serials(edid: bytes) -> bytes:
    """The first block with its serial numbers and date of manufacture blanked; nothing of what is no EDID."""
    if len(edid) < _EDID_BLOCK:
        return b""
    block = bytearray(edid[:_EDID_BLOCK])
    for where in _EDID_SERIALS:
        block[where] = bytes(where.stop - where.start)
    for start in _EDID_DESCRIPTORS:
        if block[start : start + 3] == b"\0\0\0" and block[start + 3] == _SERIAL_DESCRIPTOR:
            block[start + 5 : start + 18] = b"0\n".ljust(13)
    # No extension blocks follow in the recording.
    block[126] = 0
    block[127] = -sum(block[:127]) % 256
    return bytes(block)


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")

# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's text to a `Vm`. What only the host could tell (is this address a card?) is left for `probe` to add."""

from __future__ import annotations

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.vm import GuestSystem, Vm, VmState
from vitrail.model.wire import text_digest
from vitrail.xmldoc.devices import (
    command_line_looking_glass,
    is_looking_glass,
    read_hostdev,
    read_screen,
    read_video,
)
from vitrail.xmldoc.document import QEMU, Node, Wanted, parse_domain
from vitrail.xmldoc.graphics_now import graphics_now

_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
_SYSTEMS = (
    ("microsoft.com", GuestSystem.WINDOWS),
    ("apple.com", GuestSystem.MACOS),
    ("freebsd.org", GuestSystem.BSD),
    ("openbsd.org", GuestSystem.BSD),
    ("netbsd.org", GuestSystem.BSD),
    ("dragonflybsd.org", GuestSystem.BSD),
    ("ghostbsd.org", GuestSystem.BSD),
)
_NOT_LINUX = ("oracle.com/solaris", "sun.com", "haiku-os.org", "reactos.org", "novell.com", "gnu.org/hurd", "unknown")
_READ: Wanted = {
    "uuid": None,
    "name": None,
    "memory": None,
    "memoryBacking": None,
    "metadata": None,
    "os": None,
    "features": None,
    "devices": {"emulator": None, "video": None, "graphics": None, "hostdev": None, "shmem": None},
    QEMU + "commandline": None,
    QEMU + "override": None,
    # Only to tell a document that wraps a domain from others.
    "domain": {},
}
"""What a `Vm` is made of: a domain has a hundred elements more."""
_GUEST_UNKNOWN = Unknown(text("xmldoc.guest-unknown"))
_KIB = {
    "b": 1 / 1024,
    "bytes": 1 / 1024,
    "KB": 1000 / 1024,
    "k": 1,
    "KiB": 1,
    "MB": 1000**2 / 1024,
    "M": 1024,
    "MiB": 1024,
    "GB": 1000**3 / 1024,
    "G": 1024**2,
    "GiB": 1024**2,
    "TB": 1000**4 / 1024,
    "T": 1024**3,
    "TiB": 1024**3,
}


def read_vm(
    words: str,
    *,
    state: Reading[VmState],
    has_managed_save: Reading[bool],
    autostart: Reading[bool],
    persistent: bool = True,
) -> Vm:
    """The VM that this document defines. Raises Unreadable, with line and column where there are any."""
    root = parse_domain(words, _READ)
    kind = root.find("os", "type")
    return Vm(
        uuid=root.value("uuid").lower(),
        name=root.value("name"),
        virt_type=root.get("type") or "",
        arch=(kind.get("arch") or "") if kind else "",
        machine=(kind.get("machine") or "") if kind else "",
        emulator=root.value("devices", "emulator") or None,
        uefi=_uefi(root),
        memory_kib=memory_kib(root.find("memory")) or 0,
        guest=_guest(root),
        videos=tuple(read_video(node) for node in root.all("devices", "video")),
        screens=tuple(read_screen(node) for node in root.all("devices", "graphics")),
        hostdevs=tuple(read_hostdev(node) for node in root.all("devices", "hostdev")),
        looking_glass=any(is_looking_glass(node) for node in root.all("devices", "shmem"))
        or command_line_looking_glass(root),
        shared_memory_backing=_shares_memory(root),
        graphics=graphics_now(root),
        state=state,
        persistent=persistent,
        has_managed_save=has_managed_save,
        autostart=autostart,
        text=words,
        digest=text_digest(words),
    )


def memory_kib(node: Node | None) -> int | None:
    """An amount of memory in KiB, None where it is no number or in no known unit."""
    if node is None or not node.text.isdecimal():
        return None
    factor = _KIB.get(node.get("unit") or "KiB")
    return None if factor is None else int(int(node.text) * factor)


def _uefi(root: Node) -> bool | None:
    system = root.find("os")
    if system is None or system.value("type") != "hvm":
        return None
    if system.get("firmware"):
        return system.get("firmware") == "efi"
    loader = system.find("loader")
    if loader is None:
        arch = (system.find("type") or system).get("arch")
        return False if arch in ("x86_64", "i686") else None
    return True if loader.get("type") == "pflash" else None


def _guest(root: Node) -> Reading[GuestSystem]:
    ids = [node.get("id") or "" for node in root.all("metadata", _OSINFO + "libosinfo", _OSINFO + "os")]
    for name in ids:
        lowered = name.lower()
        for domain, system in _SYSTEMS:
            if domain in lowered:
                return Known(system, "metadata/libosinfo")
        if lowered and not any(other in lowered for other in _NOT_LINUX):
            return Known(GuestSystem.LINUX, "metadata/libosinfo")
    if root.find("features", "hyperv") is not None:
        return Known(GuestSystem.WINDOWS, "features/hyperv")
    return _GUEST_UNKNOWN


def _shares_memory(root: Node) -> bool:
    source = root.find("memoryBacking", "source")
    access = root.find("memoryBacking", "access")
    return (
        source is not None
        and source.get("type") in ("memfd", "file")
        and access is not None
        and access.get("mode") == "shared"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow permissions that a VM's card may need: each names one user, one group or one file, and nothing is turned off.

libvirt's system connection gives a VM what its devices need by itself; these are for what it does not: sessions of an
ordinary user, and a card's ROM in a file, of which libvirt's confinement knows nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_FOLDERS = ("var/lib/vitrail/vbios", "var/lib/libvirt", "usr/local/share", "opt", "home", "srv", "etc/libvirt")
_ROM = re.compile(
    rf"(?:{'|'.join(_FOLDERS)})/(?:[A-Za-z0-9_+][A-Za-z0-9_.+-]{{0,127}}/){{0,8}}[A-Za-z0-9_+][A-Za-z0-9_.+-]{{0,127}}",
    re.ASCII,
)
MAX_ROMS = 8
MAX_UID = 2**31
MAX_LOCKED_MIB = 16 * 1024 * 1024
MAX_ROM_BYTES = 16 * 1024 * 1024
ROM_SIGN = b"\x55\xaa"
"""How every PCI expansion ROM begins (PCI Firmware Specification)."""


def check_user(name: str) -> str:
    """A user's name, as it was given. Raises ValueError where it is none, or root."""
    if not _USER.fullmatch(name) or name == "root":
        raise ValueError("user")
    return name


def check_rom_path(path: str) -> str:
    """Where a ROM may lie, from the root without the first slash, as it was given. Raises ValueError."""
    if not _ROM.fullmatch(path):
        raise ValueError("path")
    return path


def _check_memory(mib: int) -> None:
    if not 0 < mib <= MAX_LOCKED_MIB:
        raise ValueError("mib")


class HostGroup(StrEnum):
    """The groups that anybody is ever put into. None of them is `disk`, `input` or `kvm`."""

    LIBVIRT = "libvirt"
    RENDER = "render"


@dataclass(frozen=True, slots=True)
class VfioAccess:
    """The group devices of vfio belong to this user, so that the user's own libvirt can open them."""

    user: str

    def __post_init__(self) -> None:
        check_user(self.user)


@dataclass(frozen=True, slots=True)
class LockedMemory:
    """How much memory this user's processes may lock, in MiB: a VM with a card locks all of its own."""

    user: str
    mib: int

    def __post_init__(self) -> None:
        check_user(self.user)
        _check_memory(self.mib)


@dataclass(frozen=True, slots=True)
class SessionMemory:
    """The same for what the user's own service manager starts, which does not go by the login's limits."""

    uid: int
    mib: int

    def __post_init__(self) -> None:
        _check_memory(self.mib)
        if not 0 < self.uid < MAX_UID:
            raise ValueError("uid")


@dataclass(frozen=True, slots=True)
class AppArmorRoms:
    """Files that QEMU may read beside what libvirt's own profile allows: ROMs of cards, each by its whole path."""

    paths: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.paths) <= MAX_ROMS or len(set(self.paths)) != len(self.paths):
            raise ValueError("paths")
        for path in self.paths:
            check_rom_path(path)


Permission = VfioAccess | LockedMemory | SessionMemory | AppArmorRoms


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Put a user into a group; counts from the next login. Undo takes the user out, unless it was in it before."""

    user: str
    group: HostGroup

    def __post_init__(self) -> None:
        check_user(self.user)


@dataclass(frozen=True, slots=True)
class LabelRom:
    """Give a ROM the SELinux type that QEMU may read, in the local policy, so that a relabelling keeps it."""

    path: str

    def __post_init__(self) -> None:
        check_rom_path(self.path)


SELINUX_TYPE = "virt_content_t"
"""Readable by every VM, writable by none (libvirt's security knowledge base)."""
VFIO_RULES = "etc/udev/rules.d/60-vitrail-vfio.rules"
LIMITS = "etc/security/limits.d/60-vitrail.conf"
APPARMOR_RULES = "etc/apparmor.d/abstractions/libvirt-qemu.d/60-vitrail"
SELINUX_CONFIG = "etc/selinux/config"
_POLICY = re.compile(r"^SELINUXTYPE=([a-z][a-z0-9_-]{0,31})[ \t]*$", re.MULTILINE | re.ASCII)
USERS = "etc/passwd"
GROUPS = "etc/group"
_USER_FIELDS = 7
_GROUP_FIELDS = 4


def is_member(users: str, groups: str, change: JoinGroup) -> bool | None:
    """Whether the user is in the group by the texts of these two files, None where there is no such group."""
    rows = [row for line in groups.split("\n") if len(row := line.split(":")) == _GROUP_FIELDS]
    found = [row for row in rows if row[0] == change.group.value]
    if not found:
        return None
    number, members = found[0][2], found[0][3]
    known = [fields for line in users.split("\n") if len(fields := line.split(":")) == _USER_FIELDS]
    first = any(fields[0] == change.user and fields[3] == number for fields in known)
    return first or change.user in members.split(",")


def session_limit(uid: int) -> str:
    """The drop-in of the user's own service manager."""
    return f"etc/systemd/system/user@{uid}.service.d/60-vitrail.conf"


def local_labels(config: str) -> str | None:
    """Where the policy that this configuration names keeps its local labels, None where it names none."""
    policy = _POLICY.search(config)
    return None if policy is None else f"etc/selinux/{policy[1]}/contexts/files/file_contexts.local"


def label_pattern(path: str) -> str:
    """A ROM's path as the policy's expressions have it: of what it may be made of, two signs mean more there."""
    return "/" + path.replace(".", r"\.").replace("+", r"\+")


def is_labelled(labels: str, path: str) -> bool:
    """Whether these local labels give a ROM the type that QEMU may read."""
    rows = [line.split() for line in labels.split("\n")]
    return any(row[0] == label_pattern(path) and f":{SELINUX_TYPE}:" in row[-1] for row in rows if row)


def permission_path(permission: Permission) -> str:
    """Where it is written, from the root without the first slash: always a drop-in of our own."""
    match permission:
        case VfioAccess():
            return VFIO_RULES
        case LockedMemory():
            return LIMITS
        case SessionMemory():
            return session_limit(permission.uid)
        case AppArmorRoms():
            return APPARMOR_RULES


def permission_text(permission: Permission) -> str:
    """The file's lines, without the header."""
    match permission:
        case VfioAccess():
            return f'SUBSYSTEM=="vfio", KERNEL=="[0-9]*", OWNER="{permission.user}", MODE="0600"\n'
        case LockedMemory():
            kib = permission.mib * 1024
            return f"{permission.user} soft memlock {kib}\n{permission.user} hard memlock {kib}\n"
        case SessionMemory():
            return f"[Service]\nLimitMEMLOCK={permission.mib}M\n"
        case AppArmorRoms():
            return "".join(f"/{path} r,\n" for path in permission.paths)

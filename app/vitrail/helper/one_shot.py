# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark that makes the next start, and only that, a trial: whether it can be relied on, setting it, clearing it.

GRUB erases it before it starts the entry, but not on everything that it can read. What it cannot write, or what is
set already, is a reason to refuse; the entry's own look at the mark is the second line of defence, not the first.
"""

from __future__ import annotations

import array
import errno
import fcntl
import fnmatch
import os
from dataclasses import dataclass

from vitrail.helper.run import demand_program, run_program
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.trial import EntryFolder, GrubFolder, OneShot, SetOneShot, entry_name

_VARIABLES = "sys/firmware/efi/efivars"
_LOADER_VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_ATTRIBUTES = 4
_BLOCK_BYTES = 1024
_SIGNATURE = b"# GRUB Environment Block\n"
_MOST_MENU = 8 * 1024 * 1024
_NEEDED_IN_MENU = (b"save_env next_entry", b"load_env", b"custom.cfg")
_GET_FLAGS = 0x80086601
_COMPRESSED, _INLINE = 0x4, 0x10000000
_WRITTEN_BY_GRUB = frozenset({"ext2", "fat", "xfs"})
"""File systems of which GRUB writes a file in place."""
_DEFAULT = "LoaderEntryDefault"
_ONE_SHOT = "LoaderEntryOneShot"
_LAST_STARTED = "@saved"


@dataclass(frozen=True, slots=True)
class _Grub:
    folder: GrubFolder
    prefix: str

    @property
    def block(self) -> str:
        """The environment block, where the mark is kept."""
        return f"{self.folder.value}/grubenv"


_GRUBS = {OneShot.GRUB: _Grub(GrubFolder.GRUB, "grub"), OneShot.GRUB2: _Grub(GrubFolder.GRUB2, "grub2")}


def check_one_shot(tree: Tree, change: SetOneShot) -> None:
    """Nothing, where a start can be relied on to happen only once here, and no other is pending. Raises Refusal."""
    grub = _GRUBS.get(change.means)
    if grub is None:
        _check_systemd_boot(tree, change.plan_id)
    else:
        _check_grub(tree, grub)
    if pending_entry(tree, change.means):
        raise Refusal(Kind.ONE_SHOT, reason="pending")


def pending_entry(tree: Tree, means: OneShot) -> str | None:
    """The entry that is set to start next, once; None for none. Raises Refusal where that cannot be read."""
    grub = _GRUBS.get(means)
    if grub is None:
        return efi_words(tree, _ONE_SHOT)
    block = _environment(tree, grub)
    return block.get("next_entry") or None


def set_one_shot(tree: Tree, change: SetOneShot, lock: int) -> bool:
    """Set it, and read it back from where the loader will. Raises Refusal, OSError."""
    name = _name_for(change)
    grub = _GRUBS.get(change.means)
    if grub is None:
        ran = run_program(tree, "bootctl", "set-oneshot", name, lock=lock)
    else:
        ran = run_program(tree, f"{grub.prefix}-reboot", name, lock=lock)
        _sync(tree, grub.block)
    return ran.well and pending_entry(tree, change.means) == name


def clear_one_shot(tree: Tree, change: SetOneShot, lock: int) -> bool:
    """Clear it where it is ours; whether there was anything to clear. Raises Refusal, OSError."""
    if pending_entry(tree, change.means) != _name_for(change):
        return False
    grub = _GRUBS.get(change.means)
    if grub is None:
        run_program(tree, "bootctl", "set-oneshot", "", lock=lock)
    else:
        run_program(tree, f"{grub.prefix}-editenv", f"/{grub.block}", "unset", "next_entry", lock=lock)
        _sync(tree, grub.block)
    if pending_entry(tree, change.means) == _name_for(change):
        raise Refusal(Kind.ONE_SHOT, reason="not-cleared")
    return True


def _name_for(change: SetOneShot) -> str:
    name = entry_name(change.plan_id)
    return f"{name}.conf" if change.means is OneShot.SYSTEMD_BOOT else name


def _sync(tree: Tree, path: str) -> None:
    """A power cut right after must not leave half of it."""
    with tree.parent(tree.resolve(path)) as (folder, name):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(descriptor)
            os.fsync(folder)
        finally:
            os.close(descriptor)


# ---- GRUB ----------------------------------------------------------------------------------------------------------


def _environment(tree: Tree, grub: _Grub) -> dict[str, str]:
    """The variables in GRUB's environment block; none where there is no block yet."""
    try:
        content = tree.fact(grub.block, _BLOCK_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{grub.block}") from error
    if len(content) != _BLOCK_BYTES or not content.startswith(_SIGNATURE):
        raise Refusal(Kind.ONE_SHOT, reason="grubenv")
    lines = content.decode("utf-8", "replace").split("\n")
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def _check_grub(tree: Tree, grub: _Grub) -> None:
    for name in ("reboot", "editenv", "probe"):
        demand_program(tree, f"{grub.prefix}-{name}")
    if "env_block" in _environment(tree, grub):
        raise Refusal(Kind.ONE_SHOT, reason="grubenv")
    _check_block_file(tree, grub)
    try:
        menu = tree.fact(f"{grub.folder.value}/grub.cfg", _MOST_MENU)
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{grub.folder.value}/grub.cfg") from error
    if not all(words in menu for words in _NEEDED_IN_MENU):
        raise Refusal(Kind.ONE_SHOT, reason="menu")
    place = tree.resolve(grub.block).rpartition("/")[0] if _is_there(tree, grub.block) else grub.folder.value
    if probe(tree, grub.prefix, "abstraction", place):
        raise Refusal(Kind.ONE_SHOT, reason="abstraction")
    kinds = probe(tree, grub.prefix, "fs", place)
    if len(kinds) != 1 or kinds[0] not in _WRITTEN_BY_GRUB:
        raise Refusal(Kind.ONE_SHOT, reason="file-system")


def probe(tree: Tree, prefix: str, target: str, path: str) -> tuple[str, ...]:
    """What GRUB itself says of the place of a path. Raises Refusal where it says nothing."""
    ran = run_program(tree, f"{prefix}-probe", f"--target={target}", f"/{path}")
    if not ran.well:
        raise Refusal(Kind.UNREAD, what=f"{prefix}-probe {target}")
    return tuple(ran.output.decode("utf-8", "replace").split())


def _is_there(tree: Tree, path: str) -> bool:
    try:
        tree.fact(path, 1)
    except OSError:
        return False
    return True


def _check_block_file(tree: Tree, grub: _Grub) -> None:
    """GRUB overwrites the file's blocks on the disk: it must have some of its own, as they are."""
    try:
        with tree.parent(tree.resolve(grub.block)) as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return
    try:
        if os.fstat(descriptor).st_blocks == 0 or _flags(descriptor) & (_COMPRESSED | _INLINE):
            raise Refusal(Kind.ONE_SHOT, reason="grubenv")
    finally:
        os.close(descriptor)


def _flags(descriptor: int) -> int:
    buffer = array.array("l", [0])
    try:
        fcntl.ioctl(descriptor, _GET_FLAGS, buffer)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            return 0
        raise
    return buffer[0]


# ---- systemd-boot --------------------------------------------------------------------------------------------------


def efi_words(tree: Tree, name: str) -> str | None:
    """A variable of the boot loader interface, read at one go; None where it is not set. Raises Refusal."""
    path = f"{_VARIABLES}/{name}-{_LOADER_VENDOR}"
    try:
        content = tree.fact(path, 4096)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error
    return content[_ATTRIBUTES:].decode("utf-16-le", "replace").strip("\0 ") or None


def _check_systemd_boot(tree: Tree, plan_id: str) -> None:
    """A default has to be set, to another entry: without one the newest name wins, which may be the trial's."""
    demand_program(tree, "bootctl")
    default = efi_words(tree, _DEFAULT) or _default_in_file(tree)
    if default is None:
        raise Refusal(Kind.ONE_SHOT, reason="no-default")
    ours = f"{entry_name(plan_id)}.conf"
    others = {name for folder in EntryFolder for name in tree.names(folder.value) if name != ours}
    patterns = (default.lower(), f"{default.lower()}.conf")
    met = any(fnmatch.fnmatchcase(name.lower(), pattern) for name in others for pattern in patterns)
    if default == _LAST_STARTED or not met or any(fnmatch.fnmatchcase(ours, pattern) for pattern in patterns):
        raise Refusal(Kind.ONE_SHOT, reason="default")


def _default_in_file(tree: Tree) -> str | None:
    """What loader.conf says, None where it says nothing or there is none."""
    for folder in EntryFolder:
        try:
            words = tree.fact(f"{folder.value.removesuffix('/entries')}/loader.conf").decode("utf-8", "replace")
        except OSError:
            continue
        said = [
            line.split(None, 1)[1].strip()
            for line in words.split("\n")
            if line.split(None, 1)[:1] == ["default"] and len(line.split(None, 1)) > 1
        ]
        if said:
            return said[-1]
    return None

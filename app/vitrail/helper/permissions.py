# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions on the machine itself: to whom they go, what a ROM is, and those that programs keep, looked up and given.

The system's own programs write who is in a group and which label a file has; what they wrote is read back from where
the system reads it.
"""

from __future__ import annotations

import os
import stat

from vitrail.helper.run import Ran, demand_program, run_program
from vitrail.helper.tree import Tree
from vitrail.model.host_step import Template
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.permission import (
    GROUPS,
    MAX_ROM_BYTES,
    ROM_SIGN,
    SELINUX_CONFIG,
    SELINUX_TYPE,
    USERS,
    AppArmorRoms,
    JoinGroup,
    LabelRom,
    LockedMemory,
    SessionMemory,
    VfioAccess,
    is_labelled,
    is_member,
    label_pattern,
    local_labels,
)

_LIMIT = 4 * 1024 * 1024
_USER_FIELDS = 7
_ROM = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HOLD = ("usermod", "gpasswd")
_LABEL = ("semanage", "restorecon")


def check_given_to(tree: Tree, template: Template) -> None:
    """Nothing, where a file gives nothing, or gives it to a user or for a ROM that there is. Raises Refusal."""
    match template:
        case VfioAccess() | LockedMemory():
            _check_user(tree, template.user)
        case SessionMemory():
            if template.uid not in _users(tree).values():
                raise Refusal(Kind.NO_USER, user=template.uid)
        case AppArmorRoms():
            for path in template.paths:
                check_rom(tree, path)


def check_permission(tree: Tree, change: JoinGroup | LabelRom) -> None:
    """Nothing, where the step can be carried out here, and taken back. Raises Refusal."""
    if isinstance(change, JoinGroup):
        _check_user(tree, change.user)
        is_given(tree, change)
    else:
        check_rom(tree, change.path)
        _labels(tree)
    for name in _HOLD if isinstance(change, JoinGroup) else _LABEL:
        demand_program(tree, name)


def check_rom(tree: Tree, path: str) -> None:
    """Nothing, where a plain file lies there that begins like an expansion ROM. No link is followed. Raises Refusal."""
    try:
        with tree.parent(path) as (folder, name):
            descriptor = os.open(name, _ROM, dir_fd=folder)
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error
    try:
        status = os.fstat(descriptor)
        # A second name of a file elsewhere would give that one away.
        plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size <= MAX_ROM_BYTES
        if not plain or os.read(descriptor, len(ROM_SIGN)) != ROM_SIGN:
            raise Refusal(Kind.NO_ROM, path=f"/{path}")
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error
    finally:
        os.close(descriptor)


def is_given(tree: Tree, change: JoinGroup | LabelRom) -> bool:
    """Whether it is as the step wants it already. Raises Refusal where that cannot be read."""
    if isinstance(change, JoinGroup):
        member = is_member(_text(tree, USERS), _text(tree, GROUPS), change)
        if member is None:
            raise Refusal(Kind.NO_GROUP, group=change.group.value)
        return member
    return is_labelled(_labels(tree), change.path)


def given_words(tree: Tree, change: JoinGroup | LabelRom) -> tuple[str, ...]:
    """What the journal says of before: a word where it was given already, none where it was not. Raises Refusal."""
    return ("given",) if is_given(tree, change) else ()


def give(tree: Tree, change: JoinGroup | LabelRom, lock: int) -> Ran:
    """Let the system's program do it. Raises Refusal where it is missing."""
    if isinstance(change, JoinGroup):
        return run_program(tree, "usermod", "-a", "-G", change.group.value, change.user, lock=lock)
    ran = run_program(tree, "semanage", "fcontext", "-a", "-t", SELINUX_TYPE, label_pattern(change.path), lock=lock)
    return _relabelled(tree, change, lock) if ran.well else ran


def take(tree: Tree, change: JoinGroup | LabelRom, lock: int) -> bool:
    """Take it back; whether there was anything to take. Raises Refusal where its program is missing."""
    was = is_given(tree, change)
    if isinstance(change, JoinGroup):
        if was:
            run_program(tree, "gpasswd", "-d", change.user, change.group.value, lock=lock)
        return was
    if was:
        run_program(tree, "semanage", "fcontext", "-d", label_pattern(change.path), lock=lock)
    # Who was killed between the two left the file with the label that the policy gives it no more.
    _relabelled(tree, change, lock)
    return was


def _relabelled(tree: Tree, change: LabelRom, lock: int) -> Ran:
    return run_program(tree, "restorecon", "-F", f"/{change.path}", lock=lock)


def _text(tree: Tree, path: str) -> str:
    try:
        return tree.fact(path, _LIMIT).decode("utf-8", "replace")
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error


def _users(tree: Tree) -> dict[str, int]:
    """Everybody whom this computer's own file names, with the number, root left out."""
    rows = [line.split(":") for line in _text(tree, USERS).split("\n")]
    found = [(row[0], row[2]) for row in rows if len(row) == _USER_FIELDS]
    return {name: int(uid) for name, uid in found if uid.isdecimal() and int(uid)}


def _check_user(tree: Tree, user: str) -> None:
    if user not in _users(tree):
        raise Refusal(Kind.NO_USER, user=user)


def _labels(tree: Tree) -> str:
    """The local labels of the policy in use. Raises Refusal where there is none."""
    path = local_labels(_text(tree, SELINUX_CONFIG))
    if path is None:
        raise Refusal(Kind.UNREAD, what=f"/{SELINUX_CONFIG}")
    try:
        return tree.fact(path, _LIMIT).decode("utf-8", "replace")
    except FileNotFoundError:
        # No policy has one before the first local label.
        return ""
    except OSError as error:
        raise Refusal(Kind.UNREAD, what="/etc/selinux") from error

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a package manager is at work: two programs must not build the same initramfs at once. Nothing is locked."""

from __future__ import annotations

import fcntl
import os
import struct

from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Kind, Refusal

_RECORD_LOCKS = (
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/lock",
    "usr/lib/sysimage/rpm/.rpm.lock",
    "var/lib/rpm/.rpm.lock",
    "run/dnf/rpmtransaction.lock",
)
_BY_EXISTENCE = ("var/lib/pacman/db.lck",)
_BY_PID = ("run/zypp.pid",)
_FLOCK = struct.Struct("hhqqi4x")


def check_packages(tree: Tree) -> None:
    """Nothing, where no package manager is at work. Raises Refusal."""
    for path in (*_RECORD_LOCKS, *_BY_EXISTENCE, *_BY_PID):
        try:
            target = tree.resolve(path)
            with tree.parent(target) as (folder, name):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Refusal(Kind.PACKAGE_LOCK, path=f"/{path}") from error
        try:
            if path in _BY_EXISTENCE or (_pid_lives(descriptor) if path in _BY_PID else _is_locked(descriptor)):
                raise Refusal(Kind.PACKAGE_LOCK, path=f"/{path}")
        finally:
            os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, *_ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return bool(kind != fcntl.F_UNLCK)


def _pid_lives(descriptor: int) -> bool:
    try:
        os.kill(int(os.read(descriptor, 32) or b"0") or -(2**30), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True

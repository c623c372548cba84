# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes that the kernel may never return from (bind, unbind, sriov_numvfs), each in a child with a deadline.

At the deadline the child is left behind: a process in the kernel cannot be killed, and the helper has to go on and say
that only a restart helps.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
from enum import StrEnum

from vitrail.helper.tree import Tree

_LIBC = ctypes.CDLL(None)
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_MOST_DESCRIPTORS = 65536
_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Written(StrEnum):
    """What came of such a write."""

    DONE = "done"
    REFUSED = "refused"
    STUCK = "stuck"


def write_late(tree: Tree, path: str, words: str, seconds: float) -> Written:
    """Write these words to a file of the kernel's; links on the way are followed inside the root. Raises OSError."""
    target = tree.resolve(path)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os._exit(_write(tree, target, words, parent))
    watched = os.pidfd_open(child)
    try:
        if not _has_ended(watched, seconds):
            signal.pidfd_send_signal(watched, signal.SIGKILL)
            if _has_ended(watched, 1.0):
                os.waitpid(child, 0)
            return Written.STUCK
    finally:
        os.close(watched)
    _, status = os.waitpid(child, 0)
    return Written.DONE if status == 0 else Written.REFUSED


def _has_ended(process: int, seconds: float) -> bool:
    ready = select.poll()
    ready.register(process, select.POLLIN)
    return bool(ready.poll(seconds * 1000))


def _let_go(kept: int) -> None:
    """A child that hangs must hold neither the helper's lock nor the line on which somebody waits for an answer."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, kept)
    os.closerange(max(kept + 1, 3), _MOST_DESCRIPTORS)


def _write(tree: Tree, target: str, words: str, parent: int) -> int:
    """The child's whole life; its exit status is an errno."""
    try:
        # What a killed helper has not begun must not begin while another one takes everything back.
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            return errno.ESRCH
        _let_go(tree.descriptor)
        with tree.parent(target) as (folder, name):
            descriptor = os.open(name, _WRITE, dir_fd=folder)
            os.write(descriptor, words.encode())
    except OSError as error:
        return (error.errno or errno.EIO) & 0xFF
    return 0

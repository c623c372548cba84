# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes that the kernel may never return from (bind, unbind, sriov_numvfs), each in a child with a deadline.

At the deadline the child is left behind: a process in the kernel cannot be killed, and the helper has to go on and say
that only a restart helps.
"""

from __future__ import annotations

import errno
import os
import select
import signal
from enum import StrEnum

from vitrail.helper.tree import Tree

_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Written(StrEnum):
    """What came of such a write."""

    DONE = "done"
    REFUSED = "refused"
    STUCK = "stuck"


def write_late(tree: Tree, path: str, words: str, seconds: float) -> Written:
    """Write these words to a file of the kernel's; links on the way are followed inside the root. Raises OSError."""
    target = tree.resolve(path)
    child = os.fork()
    if child == 0:
        os._exit(_write(tree, target, words))
    watched = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([watched], [], [], seconds)
        if not ready:
            signal.pidfd_send_signal(watched, signal.SIGKILL)
            ready, _, _ = select.select([watched], [], [], 1.0)
            if ready:
                os.waitpid(child, 0)
            return Written.STUCK
    finally:
        os.close(watched)
    _, status = os.waitpid(child, 0)
    return Written.DONE if status == 0 else Written.REFUSED


def _write(tree: Tree, target: str, words: str) -> int:
    """The child's whole life; its exit status is an errno."""
    try:
        with tree.parent(target) as (folder, name):
            descriptor = os.open(name, _WRITE, dir_fd=folder)
            os.write(descriptor, words.encode())
    except OSError as error:
        return (error.errno or errno.EIO) & 0xFF
    return 0

# SPDX-License-Identifier: GPL-3.0-or-later
"""Files put in place whole or not at all, with the mode, owner and labels that belong to them.

The temporary file is named after the run and step that writes it, so whoever cleans up after a crash removes exactly
that one.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat

from vitrail.helper.tree import MAX_FILE_BYTES, Tree, labels_of, read_at
from vitrail.model.host_journal import FileState, Label
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.render import digest_of

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o600
_FOLDER_MODE = 0o755


def temporary_name(run: str, index: int) -> str:
    """The name of a step's temporary file."""
    return f".vitrail-{run}-{index}.tmp"


def write_all(descriptor: int, content: bytes) -> None:
    """Every byte, or OSError."""
    done = 0
    while done < len(content):
        done += os.write(descriptor, content[done:])


def put(tree: Tree, path: str, content: bytes, state: FileState, temporary: str) -> None:
    """Bring a file to this content and state, and look whether it is so. Raises OSError and Refusal."""
    with tree.parent(path) as (folder, name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        try:
            descriptor = os.open(temporary, _NEW, _PRIVATE, dir_fd=folder)
            try:
                write_all(descriptor, content)
                os.fsync(descriptor)
                _dress(descriptor, state)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)
        seen = read_at(folder, name, path, max(len(content), MAX_FILE_BYTES))
    if seen is None or seen.state.digest != digest_of(content) or not _same_dress(seen.state, state):
        raise Refusal(Kind.PLACE, path=path, reason="read-back")


def _dress(descriptor: int, state: FileState) -> None:
    """Mode, owner and labels; what is right already is left, because a FAT file system refuses to be told."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (state.owner, state.group):
        os.fchown(descriptor, state.owner, state.group)
    if stat.S_IMODE(now.st_mode) != state.mode:
        _set_mode(descriptor, state.mode)
    for label in state.labels:
        os.setxattr(descriptor, label.name, base64.b64decode(label.value))


def _set_mode(descriptor: int, mode: int) -> None:
    try:
        os.fchmod(descriptor, mode)
    except OSError as error:
        if error.errno != errno.EPERM or labels_of(descriptor):
            raise


def _same_dress(seen: FileState, meant: FileState) -> bool:
    return set(meant.labels) <= set(seen.labels) and (seen.owner, seen.group) == (meant.owner, meant.group)


def remove(tree: Tree, path: str) -> None:
    """Take a file away; one that is not there is no error."""
    with contextlib.suppress(FileNotFoundError), tree.parent(path) as (folder, name):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)


def drop_temporary(tree: Tree, path: str, temporary: str) -> None:
    """Remove what a killed step left beside this path."""
    with contextlib.suppress(FileNotFoundError), tree.parent(path) as (folder, _):
        os.unlink(temporary, dir_fd=folder)
        os.fsync(folder)


def make_folders(tree: Tree, folders: tuple[str, ...], mode: int = _FOLDER_MODE) -> None:
    """Make these, outermost first; one that is there already is no error."""
    for path in folders:
        with tree.parent(path) as (above, name), contextlib.suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=above)
            os.fsync(above)


def remove_folders(tree: Tree, folders: tuple[str, ...]) -> None:
    """Remove those that are empty, innermost first; what others put things into stays."""
    for path in reversed(folders):
        with contextlib.suppress(OSError), tree.parent(path) as (above, name):
            os.rmdir(name, dir_fd=above)
            os.fsync(above)


def new_state(tree: Tree, content: bytes, mode: int) -> FileState:
    """The state of a file that did not exist: root's, without labels of its own."""
    owner = 0 if tree.is_machine else os.geteuid()
    group = 0 if tree.is_machine else os.getegid()
    return FileState(digest_of(content), mode, owner, group, ())


def with_content(state: FileState, content: bytes) -> FileState:
    """The same file with other content."""
    return FileState(digest_of(content), state.mode, state.owner, state.group, tuple[Label, ...](state.labels))

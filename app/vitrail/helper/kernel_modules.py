# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of one kernel with everything that they need, in the order in which they are loaded, as plain .ko files.

What needs what is the kernel's own list (modules.dep). Compressed ones are unpacked, because a small insmod in an
initramfs can load nothing else.
"""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from dataclasses import dataclass

from vitrail.helper.run import pass_through
from vitrail.helper.tree import Tree
from vitrail.model.host_wire import Kind, Refusal

_MOST_LIST = 16 * 1024 * 1024
_MOST_MODULE = 16 * 1024 * 1024
_ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class KernelModule:
    """A module by the kernel's name for it, and its file."""

    name: str
    content: bytes


def _name_of(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_")


def modules_with_needs(tree: Tree, kernel: str, names: tuple[str, ...]) -> tuple[KernelModule, ...]:
    """These and what they need; what is part of the kernel itself has no file. Raises Refusal where one is missing."""
    base = f"lib/modules/{kernel}"
    needs: dict[str, tuple[str, ...]] = {}
    paths: dict[str, str] = {}
    for line in _lines(tree, f"{base}/modules.dep"):
        path, colon, rest = line.partition(":")
        if colon:
            paths[_name_of(path)] = path
            needs[path] = tuple(rest.split())
    built_in = {_name_of(line) for line in _lines(tree, f"{base}/modules.builtin")}
    order: dict[str, None] = {}
    for name in names:
        if name in built_in:
            continue
        if name not in paths:
            raise Refusal(Kind.INITRAMFS, reason=f"no-module {name}")
        # The list names what is needed last first.
        order |= dict.fromkeys((*reversed(needs[paths[name]]), paths[name]))
    return tuple(KernelModule(_name_of(path), _content(tree, base, path)) for path in order)


def _lines(tree: Tree, path: str) -> list[str]:
    try:
        return tree.fact(path, _MOST_LIST).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise Refusal(Kind.UNREAD, what=f"/{path}") from error


def _content(tree: Tree, base: str, path: str) -> bytes:
    full = path.lstrip("/") if path.startswith("/") else f"{base}/{path}"
    try:
        content = _unpacked(tree, full)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Refusal(Kind.UNREAD, what=f"/{full}") from error
    if not content.startswith(_ELF) or len(content) > _MOST_MODULE:
        raise Refusal(Kind.UNREAD, what=f"/{full}")
    return content


def _unpacked(tree: Tree, path: str) -> bytes:
    if path.endswith(".zst"):
        return _by_zstd(tree, path)
    content = tree.fact(path, _MOST_MODULE + 1)
    if path.endswith(".gz"):
        return gzip.decompress(content)
    return lzma.decompress(content) if path.endswith(".xz") else content


def _by_zstd(tree: Tree, path: str) -> bytes:
    pieces: list[bytes] = []
    with tree.parent(tree.resolve(path)) as (folder, name):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        pass_through(tree, ("zstd", "-dcq"), descriptor, pieces.append)
    finally:
        os.close(descriptor)
    return b"".join(pieces)

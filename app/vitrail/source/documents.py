# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds libvirt's documents in a recording and tells by their root element what each is, wherever it lies.

Separate from the recording because recordings are made by hand too: no name of a file or folder is relied on. Only the
start tag of the root element is looked for here; a document is parsed by those who read it for its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from errno import EISDIR

from vitrail.source.root import Root

TOP = "libvirt"
_DOMAINS = "domains"
_DEEPEST = 8
_BOM = b"\xef\xbb\xbf"
_BLANKS = re.compile(rb"[ \t\r\n]*")
_START = re.compile(rb"<([A-Za-z_][\w.:-]{0,80})(?=[\s/>])")
_SKIPPED = ((b"<?", b"?>"), (b"<!--", b"-->"))


class DocumentKind(StrEnum):
    """The documents that are of use here, by their root element."""

    CAPABILITIES = "capabilities"
    DOMAIN_CAPABILITIES = "domainCapabilities"
    NODE_DEVICE = "device"
    DOMAIN = "domain"


def find_documents(top: Root) -> dict[DocumentKind, tuple[str, ...]]:
    """The path of every document below `libvirt/`, sorted; a file that several links lead to counts once."""
    found: dict[DocumentKind, list[str]] = {kind: [] for kind in DocumentKind}
    for path, content in _files(top):
        kind = _kind(path, content)
        if kind is not None:
            found[kind].append(path)
    return {kind: tuple(sorted(paths)) for kind, paths in found.items()}


def root_element(content: bytes) -> str | None:
    """The name of the first element behind prolog and comments; None where there is none or a document type first."""
    at = len(_BOM) if content.startswith(_BOM) else 0
    while True:
        blanks = _BLANKS.match(content, at)
        at = blanks.end() if blanks else at
        end = next((end for start, end in _SKIPPED if content.startswith(start, at)), None)
        if end is None:
            match = _START.match(content, at)
            return match.group(1).decode("ascii") if match else None
        at = content.find(end, at)
        if at < 0:
            return None
        at += len(end)


def _files(top: Root) -> Iterator[tuple[str, bytes | None]]:
    """Every `.xml` with its content, None where that cannot be read; folders are entered once, by whatever name."""
    pending, seen = [(TOP, 0)], set[str]()
    while pending:
        folder, depth = pending.pop()
        if not _is_new(top, folder, seen):
            continue
        for name in _names(top, folder):
            path = f"{folder}/{name}"
            content, is_folder = (None, True) if not name.lower().endswith(".xml") else _content(top, path)
            if not is_folder:
                if _is_new(top, path, seen):
                    yield path, content
            elif depth < _DEEPEST:
                pending.append((path, depth + 1))


def _is_new(top: Root, path: str, seen: set[str]) -> bool:
    try:
        real = top.resolve(path)
    except OSError:
        real = path
    is_new = real not in seen
    seen.add(real)
    return is_new


def _names(top: Root, folder: str) -> tuple[str, ...]:
    try:
        return top.names(folder)
    except OSError:
        return ()


def _content(top: Root, path: str) -> tuple[bytes | None, bool]:
    try:
        return top.read_bytes(path), False
    except OSError as error:
        return None, error.errno == EISDIR


def _kind(path: str, content: bytes | None) -> DocumentKind | None:
    """What a document is; None for other documents of libvirt's. What cannot be told is taken for what its name says.

    So a damaged domain is reported and not overlooked.
    """
    name = None if content is None else root_element(content)
    if name in tuple(DocumentKind):
        return DocumentKind(name)
    folders = path.lower().split("/")[1:-1]
    if name is not None:
        return DocumentKind.DOMAIN if folders[-1:] == [_DOMAINS] else None
    return _kind_by_name(path.lower(), folders)


def _kind_by_name(path: str, folders: list[str]) -> DocumentKind:
    if _DOMAINS in folders:
        return DocumentKind.DOMAIN
    if "capabilities" in path or "caps" in path:
        return DocumentKind.DOMAIN_CAPABILITIES if "dom" in path else DocumentKind.CAPABILITIES
    if any(folder.startswith("node") for folder in folders):
        return DocumentKind.NODE_DEVICE
    return DocumentKind.DOMAIN

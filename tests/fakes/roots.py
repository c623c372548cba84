# SPDX-License-Identifier: GPL-3.0-or-later
"""Roots for tests: one that notes what was read, one where a path fails or says something else."""

from __future__ import annotations

import os
from collections.abc import Callable

from vitrail.source.root import MAX_FILE_BYTES, FolderRoot


class NotingRoot(FolderRoot):
    """Notes every path that was asked for."""

    def __init__(self, folder) -> None:
        super().__init__(folder)
        self.read_paths: set[str] = set()
        self.listed: set[str] = set()
        self.links: set[str] = set()

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        self.read_paths.add(path)
        return super().read_bytes(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        self.listed.add(path)
        return super().names(path)

    def link(self, path: str) -> str:
        self.links.add(path)
        return super().link(path)


class BrokenRoot(FolderRoot):
    """Fails with `number`, or gives `content`, for the paths that `breaks` names."""

    def __init__(self, folder, breaks: Callable[[str], bool], number: int, content: bytes | None = None) -> None:
        super().__init__(folder)
        self._breaks = breaks
        self._number = number
        self._content = content

    def _fail(self, path: str) -> None:
        if self._breaks(path):
            raise OSError(self._number, os.strerror(self._number), path)

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        if self._content is not None and self._breaks(path):
            return self._content
        self._fail(path)
        return super().read_bytes(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        self._fail(path)
        return super().names(path)

    def link(self, path: str) -> str:
        self._fail(path)
        return super().link(path)

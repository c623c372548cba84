# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded machine as it would be after what was simulated on it: some files lie over the recording's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import EFBIG, EINVAL

from vitrail.source.root import MAX_FILE_BYTES, Root


class OverlayRoot(Root):
    """Reads `files` first, the root below else. Nothing can be taken away by it: a simulated change only adds."""

    def __init__(self, below: Root, files: Mapping[str, bytes]) -> None:
        self._below = below
        self._files = files
        self._folders: dict[str, set[str]] = {}
        for path in files:
            parent, _, name = path.rpartition("/")
            while name:
                self._folders.setdefault(parent, set()).add(name)
                parent, _, name = parent.rpartition("/")

    @property
    def live(self) -> bool:
        return self._below.live

    def open(self, path: str) -> int | None:
        return None if path in self._files else self._below.open(path)

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        content = self._files.get(path)
        if content is None:
            return self._below.read_bytes(path, limit)
        if len(content) > limit:
            raise OSError(EFBIG, os.strerror(EFBIG), path)
        return content

    def names(self, path: str) -> tuple[str, ...]:
        own = self._folders.get(path)
        try:
            names = self._below.names(path)
        except FileNotFoundError:
            if own is None:
                raise
            names = ()
        return names if own is None else tuple(sorted(own.union(names)))

    def link(self, path: str) -> str:
        if path in self._files:
            raise OSError(EINVAL, os.strerror(EINVAL), path)
        return self._below.link(path)

    def resolve(self, path: str) -> str:
        if path in self._files:
            return path
        try:
            return self._below.resolve(path)
        except FileNotFoundError:
            if path in self._folders:
                return path
            raise

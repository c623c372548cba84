# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of /sys and /proc that are read every second, through descriptors that stay open.

Separate from Root because Root reads once: finding a path and opening it costs several times what the number in it
does. A descriptor of a device or process that is gone fails, is closed, and the next reading looks anew.
"""

from __future__ import annotations

import os

from vitrail.source.root import Root

_MOST_BYTES = 8192
_MOST_OPEN = 600
"""Below the 1,024 descriptors that a program may have unless told otherwise; files beyond it are opened each time."""


class KeptFiles:
    """The files of one root. Not for several threads at once."""

    def __init__(self, root: Root, most_open: int = _MOST_OPEN) -> None:
        self._root = root
        self._most_open = most_open
        self._open: dict[str, int] = {}

    def read(self, path: str) -> bytes:
        """What the file says now, its first 8 KiB. Raises OSError."""
        try:
            return os.pread(self._open[path], _MOST_BYTES, 0)
        except KeyError:
            return self._first(path)
        except OSError:
            self.forget(path)
            raise

    def _first(self, path: str) -> bytes:
        if len(self._open) >= self._most_open:
            return self._root.read_bytes(path)[:_MOST_BYTES]
        descriptor = self._root.open(path)
        if descriptor is None:
            return self._root.read_bytes(path)[:_MOST_BYTES]
        try:
            content = os.pread(descriptor, _MOST_BYTES, 0)
        except OSError:
            os.close(descriptor)
            raise
        self._open[path] = descriptor
        return content

    def forget(self, path: str) -> None:
        """Close this file, if it is open."""
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def forget_below(self, folder: str) -> None:
        """Close every file of a folder whose owner is gone."""
        for path in [path for path in self._open if path.startswith(folder)]:
            self.forget(path)

    def close(self) -> None:
        """Close everything."""
        for path in list(self._open):
            self.forget(path)

    def __len__(self) -> int:
        return len(self._open)

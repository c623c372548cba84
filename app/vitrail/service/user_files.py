# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own configuration files that Vitrail writes: whole, in one move, and taken away again whole.

Separate from the state folder: other programs read these. For a recording they lie in the state folder.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from vitrail.service.state import write_private

_READABLE = 0o644
_MAX_BYTES = 64 * 1024


def user_config_folder() -> Path:
    """The user's configuration folder by the platform's own rules."""
    from platformdirs import user_config_path  # noqa: PLC0415 - only where such a file is written

    return user_config_path()


class UserFiles:
    """Files below one folder, None for the user's own; paths are relative and come from a plan's closed steps."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Where a file is."""
        return (self._folder or user_config_folder()) / name

    def read(self, name: str) -> str | None:
        """Its text, None where there is none. Raises OSError."""
        try:
            with self.path(name).open("rb") as file:
                return file.read(_MAX_BYTES).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None

    def write(self, name: str, words: str) -> None:
        """Put it in place. Raises OSError."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, words.encode("utf-8", "surrogateescape"))
        path.chmod(_READABLE)

    def remove(self, name: str) -> None:
        """Take it away, and the folder where nothing else is in it. Raises OSError."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        if self._folder is not None:
            with contextlib.suppress(OSError):
                path.parent.rmdir()

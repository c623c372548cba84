# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a recorded computer as they would be after what was simulated: the changed ones lie in the state folder.

The recording itself is never written. A file that is as recorded again has no copy, so everything taken back leaves
nothing behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vitrail.source.root import Root

if TYPE_CHECKING:
    from vitrail.service.state import StateFolder

_FOLDER = ("host", "files")


def simulation_of(connection: str) -> tuple[str, str]:
    """The folder of one recording's simulation, below the state folder."""
    digest = hashlib.sha256(connection.encode("utf-8", "surrogateescape")).hexdigest()
    return "simulated", digest[:32]


class SimulatedFiles:
    """A recording's root with what was written over it."""

    def __init__(self, root: Root, state: StateFolder, connection: str) -> None:
        self._below = root
        self._state = state
        self.simulation = simulation_of(connection)
        self._folder = state.path.joinpath(*self.simulation, *_FOLDER)

    @property
    def root(self) -> Root:
        """The machine as it would be now; the recording's own root where nothing was changed."""
        if not self._folder.is_dir():
            return self._below
        files = {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in self._written()}
        if not files:
            return self._below
        from vitrail.source.overlay import OverlayRoot  # noqa: PLC0415 - only after a simulated change

        return OverlayRoot(self._below, files)

    def _written(self) -> list[Path]:
        return [
            Path(folder, name)
            for folder, _folders, names in os.walk(self._folder)
            for name in sorted(names)
            if not name.startswith(".vitrail-")
        ]

    def read(self, path: str) -> bytes | None:
        """A file as it would be now, None where there is none. Raises OSError where it cannot be told."""
        try:
            return self._folder.joinpath(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return self._recorded(path)

    def _recorded(self, path: str) -> bytes | None:
        try:
            return self._below.read_bytes(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, path: str, content: bytes | None) -> None:
        """Make it so, None for no file. Raises OSError."""
        from vitrail.service.state import write_private  # noqa: PLC0415 - only where something is written

        target = self._folder / path
        if content is None or content == self._recorded(path):
            target.unlink(missing_ok=True)
            self._drop_empty(target.parent)
            return
        self._state.folder(*self.simulation, *_FOLDER, *path.split("/")[:-1])
        write_private(target, content)

    def _drop_empty(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            while folder.is_relative_to(self._folder):
                folder.rmdir()
                folder = folder.parent

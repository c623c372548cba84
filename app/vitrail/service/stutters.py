# SPDX-License-Identifier: GPL-3.0-or-later
"""The moments that the user marked: one small file each in the state folder, the oldest dropped past a bound.

What another program or a power cut made unreadable is left out and never taken for a moment.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from vitrail.model.errors import VitrailError
from vitrail.model.stutter import Stutter
from vitrail.model.wire import WireError, canonical, from_wire
from vitrail.service.state import StateFolder, write_private

MOST = 40
_MOST_BYTES = 1024 * 1024
_FOLDER = "stutters"
_NAME = re.compile(r"[0-9]{1,14}\.json")


class Stutters:
    """Every kept moment, newest first. Calls may come from any thread."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._folder = state.path / _FOLDER

    def all(self) -> tuple[Stutter, ...]:
        """What can be read of what is kept."""
        kept = (_read(path) for path in self._paths())
        return tuple(one for one in kept if one is not None)

    def keep(self, stutter: Stutter) -> None:
        """Keep this moment. Raises Unreachable where that cannot be."""
        try:
            folder = self._state.folder(_FOLDER)
            write_private(folder / f"{stutter.id}.json", canonical(stutter).encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise self._unusable(error) from error
        for path in self._paths()[MOST:]:
            with contextlib.suppress(OSError):
                path.unlink()

    def remove(self, stutter_id: str) -> None:
        """Forget this moment; one that is gone already is no error. Raises Unreachable."""
        path = self._folder / f"{stutter_id}.json"
        if _NAME.fullmatch(path.name) is None:
            return
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _paths(self) -> list[Path]:
        try:
            names = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        except OSError:
            return []
        return sorted(names, key=lambda path: int(path.stem), reverse=True)

    def _unusable(self, error: OSError) -> VitrailError:
        return self._state.unusable(error)


def _read(path: Path) -> Stutter | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            return None
        found = from_wire(Stutter, json.loads(content.decode("utf-8", "surrogateescape")))
    except (OSError, ValueError, WireError, RecursionError):
        return None
    return found if f"{found.id}.json" == path.name else None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs the user lets Vitrail ask what their cards do; nobody is asked before that was said.

Asking runs a program inside the VM, so a file that cannot be read means nobody.
"""

from __future__ import annotations

import json
import re

from vitrail.service.state import StateFolder, write_private

_NAME = "asked-guests.json"
_FORMAT = 1
_MOST_BYTES = 256 * 1024
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class AskedGuests:
    """The VMs by their UUID, in the state folder."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def all(self) -> frozenset[str]:
        """Every VM that may be asked."""
        try:
            with (self._state.path / _NAME).open("rb") as file:
                told = json.loads(file.read(_MOST_BYTES))
            if told["format"] != _FORMAT:
                return frozenset()
            return frozenset(one for one in told["ask"] if isinstance(one, str) and _UUID.fullmatch(one))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return frozenset()

    def put(self, uuid: str, *, asks: bool) -> None:
        """From now on this VM is asked, or no longer. Raises Unreachable where that cannot be kept."""
        before = self.all()
        after = before | {uuid} if asks else before - {uuid}
        if after == before:
            return
        content = json.dumps({"format": _FORMAT, "ask": sorted(after)}).encode()
        try:
            write_private(self._state.folder() / _NAME, content)
        except OSError as error:
            raise self._state.unusable(error) from error

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where drafts outlive the window: one file a place, so the demo's answers are never offered for the real machine."""

from __future__ import annotations

import contextlib

from vitrail.model.wire import text_digest
from vitrail.qt.wizard.state.draft import Draft, draft_from_text, draft_to_text
from vitrail.service.state import StateFolder, find_state_folder, write_private

_MOST_BYTES = 16 * 1024


class DraftFile:
    """The kept draft of one place. For worker threads: it reads and writes files."""

    def __init__(self, connection: str, state: StateFolder | None = None) -> None:
        self._state = state or StateFolder(find_state_folder())
        self._name = f"{text_digest(connection)[:16]}.json"

    def load(self) -> Draft | None:
        """The draft, None where there is none that can be read: then the user begins anew."""
        try:
            content = (self._state.path / "drafts" / self._name).read_bytes()
        except OSError:
            return None
        return None if len(content) > _MOST_BYTES else draft_from_text(content.decode("utf-8", "replace"))

    def keep(self, draft: Draft) -> None:
        """Keep this one in place of the one before. Raises Unreachable where the folder cannot be used."""
        try:
            write_private(self._state.folder("drafts") / self._name, draft_to_text(draft).encode())
        except OSError as error:
            raise self._state.unusable(error) from error

    def forget(self) -> None:
        """It was carried out, or begun anew."""
        with contextlib.suppress(OSError):
            (self._state.path / "drafts" / self._name).unlink(missing_ok=True)

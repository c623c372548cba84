# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root helper lends of this computer: its list of facts, asked for when a file of the start is forbidden.

Nobody is asked for a password because something was looked at: where the helper does not give facts to this session
freely, the files stay unread and say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vitrail.model.errors import VitrailError
from vitrail.source.lent_root import Loan

if TYPE_CHECKING:
    from vitrail.service.helper_client import HelperClient

_FRESH_SECONDS = 5.0
"""One look after another, as events come, asks once."""
_MOST_PAGES = 200


class LentFacts:
    """The helper's facts, kept for a moment."""

    def __init__(self, client: HelperClient | None = None) -> None:
        self._client = client
        self._told: Mapping[str, Loan] = {}
        self._at: float | None = None
        self._asking = threading.Lock()

    def lend(self) -> Mapping[str, Loan]:
        """Everything that is lent now, nothing where the helper does not give it. Never raises."""
        with self._asking:
            if self._at is None or time.monotonic() - self._at > _FRESH_SECONDS:
                self._told = self._ask()
                self._at = time.monotonic()
            return self._told

    def _ask(self) -> Mapping[str, Loan]:
        if self._client is None:
            from vitrail.service.helper_client import HelperClient  # noqa: PLC0415 - the bus, only where it is needed

            self._client = HelperClient()
        found: dict[str, Loan] = {}
        after: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                page = self._client.facts(after, prompts=False)
                found |= {entry.path: Loan(entry.kind, entry.value) for entry in page.entries}
                after = page.next
                if after is None:
                    return found
        except VitrailError:
            return {}
        return {}

# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the administrator sees of the VMs' drawing, through the root helper's `watch`: asked in the background.

Nobody is asked for a password because load is looked at. Where polkit wants one, `permit` asks once, because the user
said so; polkit remembers that for a while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vitrail.load.ports import CounterAsked, RawClient
from vitrail.model.errors import Refused, VitrailError
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.service.beside import Beside, Pace
from vitrail.service.place import helper_is_installed
from vitrail.source.root import Root

if TYPE_CHECKING:
    from vitrail.service.helper_client import HelperClient

_EVERY_S, _LATE_S, _LOOK_S = 2.0, 8.0, 5.0
_MOST_PAGES = 64
_PLACE = re.compile(r"proc/([0-9]{1,10})/fdinfo/([0-9]{1,10})", re.ASCII)
_SOURCE = "org.vitrail.Helper1 watch"
_FIRST = Unknown(text("load.stale.first-look"))
_LATE = Unknown(text("load.stale.helper-late"))
_ABSENT = Unknown(text("load.needs-helper.not-installed"))
_CLOSED = Unknown(text("load.needs-helper.permission"))
_NO_COUNTERS = Unknown(text("load.needs-helper.counters"))

_Clients = Mapping[int, tuple[RawClient, ...]]


class HelperFeed:
    """The helper's answers as they came last. For one thread, but `permit` is for any that may wait."""

    def __init__(
        self, root: Root, client: HelperClient | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = root
        self._client = client
        self._clock = clock
        self._beside: Beside[_Clients] = Beside(self._ask, Pace(_EVERY_S, _LATE_S, _FIRST, _LATE), clock)
        self._installed = False
        self._looked_at: float | None = None

    def drm_clients(self, pids: tuple[int, ...]) -> Reading[tuple[RawClient, ...]]:
        """Every open file of a graphics card of these processes, as told last."""
        if not self._is_installed():
            return _ABSENT
        told = self._beside.latest()
        if isinstance(told, Unknown):
            return told
        return Known(tuple(client for pid in pids for client in told.value.get(pid, ())), told.source)

    def counters(self, asked: tuple[CounterAsked, ...]) -> Reading[tuple[int | None, ...]]:  # noqa: ARG002 - the port's
        """The helper does not read the kernel's counters."""
        return _NO_COUNTERS

    def permit(self) -> None:
        """Ask once with a password dialog where polkit wants one, and wait for it. Raises VitrailError."""
        self._open().watch()
        self._beside.again()

    def _is_installed(self) -> bool:
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            self._installed = helper_is_installed(self._root)
        return self._installed

    def _open(self) -> HelperClient:
        if self._client is None:
            from vitrail.service.helper_client import HelperClient  # noqa: PLC0415 - the bus, only where it is needed

            self._client = HelperClient()
        return self._client

    def _ask(self) -> Reading[_Clients]:
        client = self._open()
        found: dict[int, tuple[RawClient, ...]] = {}
        after: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                begun = self._clock()
                page = client.watch(after, prompts=False)
                # The kernel was asked somewhere between the question and the answer.
                read_at = (begun + self._clock()) / 2
                for entry in page.entries:
                    place = _PLACE.fullmatch(entry.path)
                    if place is not None:
                        raw = RawClient(int(place[1]), int(place[2]), entry.text.encode("utf-8", "replace"), read_at)
                        found[raw.pid] = (*found.get(raw.pid, ()), raw)
                after = page.next
                if after is None:
                    break
        except Refused:
            return _CLOSED
        except VitrailError as error:
            return Unknown(error.what)
        return Known(found, _SOURCE)

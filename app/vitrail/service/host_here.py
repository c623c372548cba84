# SPDX-License-Identifier: GPL-3.0-or-later
"""This computer, changed by the root helper that stands behind the system bus.

Thin: what is asked and answered is the helper client's, what is read without root is read here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.host_story import CLOCK_FILE, GuardClock, GuardPhase, KeptPlan
from vitrail.model.host_wire import HostStepOutcome
from vitrail.model.outcome import StepResult
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.wire import WireError, from_wire
from vitrail.service.host_port import Begun, HostStatus, StepTold
from vitrail.service.place import helper_is_installed

if TYPE_CHECKING:
    from vitrail.model.host_step import HostPlan
    from vitrail.model.host_wire import HostProgress, HostRunOutcome, HostRunState
    from vitrail.model.resume import TrialStory
    from vitrail.service.helper_client import HelperClient
    from vitrail.source.root import Root

_BOOT_ID = "proc/sys/kernel/random/boot_id"
_FROM_ELSEWHERE = ("SSH_CONNECTION", "SSH_TTY")
"""Who came this way does not see this computer's screens."""
_NO_RUN = "helper.refused.no-run"


class HostHere:
    """The machine itself. `root`: its files as the user reads them; `files`: with those that root's side lends."""

    simulated = False

    def __init__(self, root: Root, client: HelperClient | None = None, files: Callable[[], Root] | None = None) -> None:
        self._root = root
        self._files = files or (lambda: root)
        self._given = client

    @cached_property
    def _client(self) -> HelperClient:
        if self._given is not None:
            return self._given
        from vitrail.service.helper_client import HelperClient  # noqa: PLC0415 - the bus, only where it is needed

        return HelperClient()

    @property
    def installed(self) -> bool:
        """Whether there is a helper to ask."""
        return self._given is not None or helper_is_installed(self._root)

    def require(self) -> None:
        """A live machine can be changed; what else it needs is told by the helper."""

    def apply(self, plan: HostPlan, told: StepTold | None = None, begun: Begun | None = None) -> HostRunOutcome:
        return self._client.apply(plan, _Hearing(told, begun).hear)

    def undo(self, plan_id: str, *, force: bool, begun: Begun | None = None) -> tuple[HostRunOutcome, ...]:
        if not self.status().in_effect(plan_id):
            return ()
        try:
            return self._client.undo(plan_id, force=force, told=_Hearing(None, begun).hear)
        except Refused as error:
            if error.what.id == _NO_RUN:
                return ()
            raise

    def status(self) -> HostStatus:
        if not self.installed:
            return HostStatus()
        told = self._client.status()
        return HostStatus(told.runs, told.unreadable)

    def keep(self, plan_id: str, *, without_screen: bool, begun: Begun | None = None) -> HostRunState:
        if not without_screen and any(os.environ.get(name) for name in _FROM_ELSEWHERE):
            raise Refused(text("service.keep.from-elsewhere"), text("service.keep.from-elsewhere.next", plan=plan_id))
        return self._client.keep(plan_id, self._this_boot(), _Hearing(None, begun).hear)

    def extend(self, plan_id: str) -> None:
        self._client.extend(plan_id, self._this_boot())

    def _this_boot(self) -> str:
        boot_id = self.boot_id()
        if isinstance(boot_id, Unknown):
            raise Unreachable(boot_id.reason)
        return boot_id.value

    def until(self, plan_id: str) -> Reading[float]:
        """The guard counts on the clock that runs since the start; it is told here on the one that people have."""
        try:
            clock: GuardClock = from_wire(GuardClock, json.loads(self._root.read(CLOCK_FILE)))
        except (OSError, ValueError, WireError):
            return Unknown(text("service.host.no-guard"))
        if clock.plan_id != plan_id:
            return Unknown(text("service.host.no-guard"))
        if clock.phase is not GuardPhase.COUNTING:
            return Unknown(text("service.host.guard-at-work"))
        left = clock.deadline_boottime - time.clock_gettime(time.CLOCK_BOOTTIME)
        return Known(time.time() + left, f"/{CLOCK_FILE}")

    def story(self, plan_id: str) -> TrialStory | None:
        if not self.installed:
            return None
        from vitrail.service.host_stories import as_story  # noqa: PLC0415 - only where a trial did not last

        told = next((one for one in self._client.story().trials if one.plan_id == plan_id), None)
        return None if told is None or told.seen is None else as_story(told.seen)

    def kept(self, plan_id: str) -> KeptPlan | None:
        if not self.installed:
            return None
        return next((one for one in self._client.story().kept if one.plan_id == plan_id), None)

    def file(self, path: str) -> Reading[bytes | None]:
        try:
            return Known(self._files().read_bytes(path), f"/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return Known(None, f"/{path}")
        except OSError as error:
            return Unknown(text("service.host.unread", path=f"/{path}", message=error.strerror or ""))

    def boot_id(self) -> Reading[str]:
        try:
            return Known(self._root.read(_BOOT_ID), f"/{_BOOT_ID}")
        except OSError as error:
            return Unknown(text("service.host.unread", path=f"/{_BOOT_ID}", message=error.strerror or ""))


class _Hearing:
    """The helper tells of steps as they begin; so the one before is over, as far as nothing went wrong."""

    def __init__(self, told: StepTold | None, begun: Begun | None) -> None:
        self._told = told
        self._begun = begun
        self._at: HostProgress | None = None

    def hear(self, now: HostProgress) -> None:
        """A step began."""
        before, self._at = self._at, now
        if self._told is not None and before is not None and not before.back and not now.back:
            self._told(HostStepOutcome(before.step - 1, before.kind, before.subject, StepResult.DONE.value))
        if self._begun is not None:
            self._begun(now.kind, now.subject)

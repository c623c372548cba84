# SPDX-License-Identifier: GPL-3.0-or-later
"""The root helper's core as a process over a folder, asked as the bus client asks it: the same types, no bus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helper.bench import apply_line, ask, line, undo_line
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled
from vitrail.model.host_step import HostPlan
from vitrail.model.host_story import GuardClock, HostStory
from vitrail.model.host_wire import HostProgress, HostRunOutcome, HostRunState
from vitrail.model.wire import from_wire
from vitrail.service.helper_client import HelperStatus
from vitrail.service.helper_words import not_done


class CoreClient:
    """`before` is called with the verb before each request: what happens meanwhile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        self.fails: dict[str, Refused | Unreachable | ApplyFailed | Unsettled] = {}
        self.before: Callable[[str], None] = lambda _verb: None

    def _ask(self, verb: str, words: bytes, kind: Any, *, writes: bool = False) -> Any:
        self.asked.append(verb)
        self.before(verb)
        if verb in self.fails:
            raise self.fails[verb]
        (answer,) = ask(self.root, words)
        if not answer["ok"]:
            error: Any = answer["error"]
            raise not_done(error["kind"], error["args"], writes=writes)
        return from_wire(kind, answer["result"])

    def apply(self, plan: HostPlan, told: Callable[[HostProgress], None] | None = None) -> HostRunOutcome:
        del told
        outcome: HostRunOutcome = self._ask("apply", apply_line(plan), HostRunOutcome, writes=True)
        return outcome

    def undo(
        self,
        plan_id: str | None = None,
        *,
        everything: bool = False,
        force: bool = False,
        told: Callable[[HostProgress], None] | None = None,
    ) -> tuple[HostRunOutcome, ...]:
        del told
        words = undo_line(plan_id, everything=everything, force=force)
        outcomes: tuple[HostRunOutcome, ...] = self._ask("undo", words, tuple[HostRunOutcome, ...], writes=True)
        return outcomes

    def keep(self, plan_id: str, boot_id: str, told: Callable[[HostProgress], None] | None = None) -> HostRunState:
        del told
        words = line("keep", plan_id=plan_id, boot_id=boot_id)
        state: HostRunState = self._ask("keep", words, HostRunState, writes=True)
        return state

    def extend(self, plan_id: str, boot_id: str) -> GuardClock:
        clock: GuardClock = self._ask("extend", line("extend", plan_id=plan_id, boot_id=boot_id), GuardClock)
        return clock

    def status(self) -> HelperStatus:
        status: HelperStatus = self._ask("status", line("status"), HelperStatus)
        return status

    def story(self) -> HostStory:
        story: HostStory = self._ask("story", line("story"), HostStory)
        return story

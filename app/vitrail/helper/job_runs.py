# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that this door has begun, seen through to their end, and the waiting for any job's news.

Separate from the door, because nothing here knows of a bus, and from the job's files, because nothing there waits.
"""

from __future__ import annotations

import asyncio
import time

from vitrail.helper import jobs
from vitrail.helper.core_child import Asked, Core, start_job
from vitrail.model.host_wire import HostJob, Job, Refusal

_LOOK_SECONDS = 0.5
_FOLLOW_SECONDS = 20.0


class JobRuns:
    """What is under way."""

    def __init__(self, core: tuple[str, ...]) -> None:
        self._core = core
        self._under_way: dict[str, tuple[int, asyncio.Task[None]]] = {}

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Each done when its core has ended."""
        return {task for _, task in self._under_way.values()}

    def count(self, uid: int) -> int:
        """How many are this user's."""
        return sum(1 for owner, _ in self._under_way.values() if owner == uid)

    def begin(self, asked: Asked, uid: int) -> str:
        """Start what was allowed; its name. Raises Refusal."""
        begun = jobs.begin(asked, uid)
        try:
            core = start_job(self._core, asked, begun.answer, begun.progress)
        except Refusal:
            jobs.discard(begun.job)
            raise
        finally:
            begun.close()
        self._under_way[begun.job] = uid, asyncio.create_task(self._see_through(core, begun.job))
        return begun.job

    async def _see_through(self, core: Core, job: str) -> None:
        """Until it has ended, however long that takes: half a change is worse than a late one."""
        while not core.ended.done():
            await asyncio.wait({core.ended}, timeout=_LOOK_SECONDS)
            if jobs.says_too_much(job):
                core.kill()
        del self._under_way[job]

    async def follow(self, request: Job, uid: int) -> HostJob:
        """How a job is getting on, as soon as there is more than was seen. Raises Refusal."""
        job = jobs.find(request.job, uid)
        until = time.monotonic() + _FOLLOW_SECONDS
        while (state := jobs.look(job)).answer is None and state.seen == request.seen and time.monotonic() < until:
            if job in self._under_way:
                await asyncio.wait({self._under_way[job][1]}, timeout=_LOOK_SECONDS)
            else:
                await asyncio.sleep(_LOOK_SECONDS)
        return state

# SPDX-License-Identifier: GPL-3.0-or-later
"""A core that stays for the next question of the same kind: load is asked for every second or two.

Starting a core costs more than all that it reads for such a question. Only for what changes nothing; it leaves when it
is not asked for a while, and the first thing that goes wrong with it is its end.
"""

from __future__ import annotations

import asyncio
import os

from vitrail.helper.core_child import Answers, Asked, Core, ask_core
from vitrail.helper.run import start_core
from vitrail.model.host_wire import Kind, Refusal

_IDLE_SECONDS = 10.0
_SHORT_LINE = 4096
"""What fits into its pipe at once."""


class WarmCore:
    """The one that stays, if there is one; questions wait for each other."""

    def __init__(self, core: tuple[str, ...]) -> None:
        self._core = core
        self._there: tuple[Core, int, Answers] | None = None
        self._one_by_one = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None

    async def ask(self, asked: Asked) -> str:
        """Its answer. Raises Refusal."""
        if len(asked.line) > _SHORT_LINE:
            return await ask_core(self._core, asked)
        async with self._one_by_one:
            if self._leaving is not None:
                self._leaving.cancel()
            kept = False
            try:
                answer = await self._asked(asked.line)
                kept = True
            finally:
                if not kept:
                    self.leave()
            self._leaving = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.leave)
            return answer

    async def _asked(self, line: bytes) -> str:
        if self._there is None or self._there[0].ended.done():
            self.leave()
            self._there = await self._started()
        _, asking, answers = self._there
        try:
            os.write(asking, line)
        except OSError as error:
            raise Refusal(Kind.CORE_DIED) from error
        return await answers.next()

    async def _started(self) -> tuple[Core, int, Answers]:
        request, asking = os.pipe()
        reading, writing = os.pipe()
        try:
            child = Core(start_core(self._core, request, writing))
        except Refusal:
            os.close(asking)
            os.close(reading)
            raise
        finally:
            os.close(request)
            os.close(writing)
        try:
            return child, asking, await Answers.of(reading)
        except BaseException:
            os.close(asking)
            child.kill()
            raise

    def leave(self) -> None:
        """End it. It changes nothing, so that is allowed at any time."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._there is not None:
            child, asking, answers = self._there
            self._there = None
            os.close(asking)
            answers.close()
            if not child.ended.done():
                child.kill()

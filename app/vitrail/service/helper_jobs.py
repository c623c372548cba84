# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a change that the root helper carries out: it goes on by itself, so a lost connection is only a pause.

Separate from the client, because nothing here knows of a bus: a question and an answer are all that is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from vitrail.model.errors import Refused, Unreachable, Unsettled, VitrailError
from vitrail.model.host_wire import HostJob, HostProgress, Job
from vitrail.model.text import text
from vitrail.service.helper_words import NO_JOB

Told = Callable[[HostProgress], None]
Ask = Callable[[Job], HostJob]
_APART_SECONDS = 0.5
_LOST_SECONDS = 60.0
_AT_ONCE = -1


def follow(ask: Ask, job: str, told: Told | None, lost_seconds: float = _LOST_SECONDS) -> str:
    """The line that the job ends with; `told` hears each step as it begins. Raises Unsettled where nobody knows.

    The helper answers when there is news, so this mostly waits; two questions are never closer than half a second.
    """
    seen, last = 0, None
    heard = time.monotonic()
    while True:
        asked = time.monotonic()
        try:
            state = ask(Job(job, seen))
        except (Unreachable, Refused) as error:
            # The bus or its door may be on the way back; the core does not need them.
            if error.what.id == NO_JOB or time.monotonic() - heard > lost_seconds:
                raise Unsettled(error.what, text("helper.next.status")) from error
        else:
            heard, seen = time.monotonic(), state.seen
            if told is not None and state.progress is not None and state.progress != last:
                last = state.progress
                told(last)
            if state.answer is not None:
                return state.answer
        time.sleep(max(0.0, asked + _APART_SECONDS - time.monotonic()))


def recognised(ask: Ask, request_id: str) -> str | None:
    """The job that this request became, where its answer was lost on the way; None where there is none."""
    try:
        state = ask(Job(None, _AT_ONCE))
    except VitrailError:
        return None
    return state.job if state.request == request_id else None

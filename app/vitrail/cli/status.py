# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail status`: what waits for the user's word, what to do about it now, and what did not last."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import closing
from datetime import datetime

from vitrail.cli.banner import banner
from vitrail.cli.door import DONE, REFUSED
from vitrail.cli.json_runs import json_status
from vitrail.cli.json_values import print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.model.machine import MachineKind
from vitrail.model.reading import Known, Reading
from vitrail.model.resume import ResumeStage, ResumeState, TrialStory
from vitrail.model.text import Text, text
from vitrail.service.awaiting import Awaiting
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker

_LINES_SHOWN = 20
_MINUTE_SECONDS = 60


def run(request: Namespace) -> int:
    """Tell it; the code says whether something waits."""
    with closing(open_from(request)) as workplace:
        waiting = workplace.awaiting()
        if request.json:
            print_json(json_status(waiting))
        else:
            page = Page(speaker(request.language))
            banner(page, workplace.kind, workplace.label)
            for one in waiting:
                _write(page, one, real=workplace.kind is MachineKind.REAL)
            for plan_id in workplace.kept_half_way():
                page.entry("→ ", text("cli.status.half-way", plan=plan_id))
            for plan_id in workplace.still_acting():
                page.entry("→ ", text("cli.status.restart-to-finish", plan=plan_id))
            if not waiting:
                page.paragraph(text("cli.status.nothing"))
            _write_last(page, workplace)
    return REFUSED if waiting else DONE


def _write_last(page: Page, workplace: Workplace) -> None:
    """What did not last, where that is the newest that happened."""
    state = workplace.resume_state()
    told = state if state.stage is ResumeStage.TAKEN_BACK else workplace.last_taken_back()
    if told is not None and told.story is not None:
        _write_story(page, told, told.story)


def _write(page: Page, one: Awaiting, *, real: bool) -> None:
    if one.vm_name:
        page.paragraph(text("cli.status.waits", plan=one.plan_id, vm=one.vm_name, mode=one.mode))
    else:
        page.paragraph(text("cli.status.waits-of-others", plan=one.plan_id))
    match one.stage:
        case ResumeStage.RESTART_DUE:
            page.entry("→ ", text("cli.status.restart" if real else "cli.status.simulated"), 2)
            page.entry("→ ", text("cli.status.or-undo", plan=one.plan_id), 2)
        case ResumeStage.TRIAL:
            page.entry("", _time_left(one.until), 2)
            page.entry("→ ", text("cli.status.keep", plan=one.plan_id), 2)
            page.entry("→ ", text("cli.status.more-time", plan=one.plan_id), 2)
            page.entry("→ ", text("cli.status.or-undo", plan=one.plan_id), 2)
        case _:
            page.entry("→ ", text("cli.status.clear", plan=one.plan_id), 2)


def _time_left(until: Reading[float]) -> Text:
    if not isinstance(until, Known):
        return text("cli.status.time-unknown", reason=until.reason)
    left = max(0, round(until.value - time.time()))
    return text("cli.status.minutes-left", -(-left // _MINUTE_SECONDS), at=_clock(until.value))


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M")


def _write_story(page: Page, state: ResumeState, story: TrialStory) -> None:
    """What did not last: when, why, what was seen then, what to try."""
    when = story.taken_back_at
    if isinstance(when, Known):
        at = datetime.fromtimestamp(when.value).astimezone().strftime("%Y-%m-%d %H:%M")
        page.heading(text("cli.status.story", plan=state.plan_id, vm=state.vm_name or "-", when=at))
    else:
        page.heading(text("cli.status.story-no-time", plan=state.plan_id, vm=state.vm_name or "-"))
    page.entry("", story.why, 2)
    for reading, title in (
        (story.drivers, text("cli.status.drivers-then")),
        (story.outputs, text("cli.status.outputs-then")),
    ):
        if isinstance(reading, Known) and reading.value:
            page.entry("", title, 2)
            for name, seen in reading.value:
                page.entry("", f"{name}: {seen}", 4)
    if isinstance(story.kernel_lines, Known) and story.kernel_lines.value:
        page.entry("", text("cli.status.kernel-then"), 2)
        for line in story.kernel_lines.value[-_LINES_SHOWN:]:
            page.entry("", line, 4)
    for advice in story.advice:
        page.entry("→ ", advice, 2)

# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail keep`: the trial becomes lasting, and the VM gets what waited for that; or more time to look."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from datetime import datetime
from functools import partial

from vitrail.cli.door import DONE, REFUSED
from vitrail.cli.json_runs import json_runs, utc
from vitrail.cli.json_values import json_reading, print_json
from vitrail.cli.page import Page
from vitrail.cli.place import open_from
from vitrail.cli.runs_page import begun, write_step
from vitrail.model.errors import Refused
from vitrail.model.outcome import RunOutcome, StepResult
from vitrail.model.reading import Known
from vitrail.model.text import text
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import speaker


def run(request: Namespace) -> int:
    """Keep what is on trial. The code is 1 where something that belongs to it is left for the user."""
    with closing(open_from(request)) as workplace:
        page = Page(speaker(request.language))
        if request.more_time:
            return _more_time(request, workplace, page)
        if request.json:
            outcomes = workplace.keep(request.plan_id, without_screen=request.without_screen)
            print_json(json_runs(outcomes))
        else:
            outcomes = workplace.keep(
                request.plan_id,
                without_screen=request.without_screen,
                progress=lambda step: write_step(page, step),
                begun=partial(begun, page),
            )
            page.write()
            words = "cli.keep.done-but" if _left(outcomes) else "cli.keep.done"
            page.paragraph(text(words, plan=outcomes[0].plan_id))
    return REFUSED if _left(outcomes) else DONE


def _left(outcomes: tuple[RunOutcome, ...]) -> bool:
    """Whether something is still to be done by hand."""
    return any(step.result in (StepResult.LEFT, StepResult.FAILED) for one in outcomes for step in one.steps)


def _more_time(request: Namespace, workplace: Workplace, page: Page) -> int:
    plan_id = request.plan_id or next((one.plan_id for one in workplace.awaiting()), None)
    if plan_id is None:
        raise Refused(text("service.keep.nothing"), text("service.keep.history"))
    workplace.more_time(plan_id)
    until = next(one.until for one in workplace.awaiting() if one.plan_id == plan_id)
    if request.json:
        print_json({"plan_id": plan_id, "until": json_reading(until, utc)})
    elif isinstance(until, Known):
        at = datetime.fromtimestamp(until.value).astimezone().strftime("%H:%M")
        page.paragraph(text("cli.keep.more-time", at=at))
    else:
        page.paragraph(text("cli.keep.more-time-unknown", reason=until.reason))
    return DONE

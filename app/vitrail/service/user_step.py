# SPDX-License-Identifier: GPL-3.0-or-later
"""The step on the user's own files: what opens the proof page at the next login, put there and taken away again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from vitrail.model.errors import ApplyFailed
from vitrail.model.journal import StepDone, StepStarted, StepTakenBack
from vitrail.model.outcome import RunResult, StepOutcome, StepResult
from vitrail.model.text import text
from vitrail.model.wire import text_digest
from vitrail.plan.describe import kind_of, subject_of
from vitrail.service.journal import unreachable_original

if TYPE_CHECKING:
    from vitrail.model.step import ResumeAtLogin
    from vitrail.service.changing import Bench
    from vitrail.service.journal import Journal, Run, StepRecord
    from vitrail.service.user_files import UserFiles

RESUME_FILE = "autostart/org.vitrail.Vitrail.Resume.desktop"
"""The one file of the user's that is ever written, from the configuration folder."""
_OURS = "Comment=Written by Vitrail."


def put_resume(bench: Bench, journal: Journal, index: int, step: ResumeAtLogin) -> StepOutcome:
    """Write it. Raises ApplyFailed where it cannot be written, with nothing changed."""
    try:
        before = bench.user.read(RESUME_FILE)
        journal.append(
            StepStarted(
                index,
                kind_of(step),
                subject_of(step),
                "" if before is None else bench.state.put(before),
                bench.state.put(step.content),
            )
        )
        if before != step.content:
            bench.user.write(RESUME_FILE, step.content)
    except OSError as error:
        journal.append(StepTakenBack(index, StepResult.FAILED.value, ""))
        journal.end(RunResult.TAKEN_BACK)
        path = str(bench.user.path(RESUME_FILE))
        raise ApplyFailed(text("service.resume.unwritable", path=path, message=error.strerror or "")) from error
    journal.append(StepDone(index, text_digest(step.content)))
    result = StepResult.SAME if before == step.content else StepResult.DONE
    return StepOutcome(kind_of(step), subject_of(step), result)


def drop_resume(files: UserFiles) -> None:
    """Take away the entry that nobody waits for any more. Raises nothing: at a login nobody could help."""
    with contextlib.suppress(OSError):
        words = files.read(RESUME_FILE)
        if words is not None and _OURS in words:
            files.remove(RESUME_FILE)


def resume_way(bench: Bench, step: StepRecord, current: str | None, *, force: bool) -> tuple[StepResult, str | None]:
    """What taking it back comes to, and what is there afterwards. Raises Unreachable where an original is gone."""
    started = step.started
    digest = "" if current is None else text_digest(current)
    if digest == started.before_digest or current is None:
        return StepResult.SAME, current
    if digest != started.after_digest and not force:
        return StepResult.LEFT, current
    if not started.before_digest:
        return StepResult.TAKEN_BACK, None
    former = bench.state.get(started.before_digest)
    if former is None:
        raise unreachable_original(bench.state, started.before_digest)
    return StepResult.TAKEN_BACK, former


def undo_resume(bench: Bench, run: Run, journal: Journal, step: StepRecord, *, force: bool) -> StepOutcome:
    """Take it away, unless somebody edited on. Raises Unreachable."""
    detail = None
    try:
        current = bench.user.read(RESUME_FILE)
        result, target = resume_way(bench, step, current, force=force)
        if target is None and current is not None:
            bench.user.remove(RESUME_FILE)
        elif target is not None and target != current:
            bench.user.write(RESUME_FILE, target)
        if result is StepResult.LEFT:
            detail = text("service.resume.edited", path=str(bench.user.path(RESUME_FILE)))
    except OSError as error:
        result = StepResult.FAILED
        path = str(bench.user.path(RESUME_FILE))
        detail = text("service.resume.unremovable", path=path, message=error.strerror or "")
    if result is not StepResult.SAME or run.in_effect:
        journal.append(StepTakenBack(step.started.index, result.value, ""))
    return StepOutcome(step.started.step, step.started.subject, result, detail)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done, for people: each step with how it ended, then the whole in one sentence."""

from __future__ import annotations

from vitrail.cli.door import DONE, UNSETTLED
from vitrail.cli.json_runs import worst
from vitrail.cli.outlet import STDOUT
from vitrail.cli.page import Page
from vitrail.model.machine import MachineKind
from vitrail.model.outcome import RunOutcome, RunResult, StepOutcome, StepResult
from vitrail.model.text import Text, text

_RESULTS: dict[StepResult, tuple[str, Text]] = {
    StepResult.DONE: ("✓", text("cli.step.done")),
    StepResult.SAME: ("✓", text("cli.step.same")),
    StepResult.FAILED: ("✗", text("cli.step.failed")),
    StepResult.TAKEN_BACK: ("✓", text("cli.step.taken-back")),
    StepResult.MERGED: ("✓", text("cli.step.merged")),
    StepResult.LEFT: ("!", text("cli.step.left")),
    StepResult.UNKNOWN: ("?", text("cli.step.unknown")),
}


_WHAT = {
    "edit-vm": "cli.step.edit-vm",
    "write-file": "cli.step.write-file",
    "run-tool": "cli.step.run-tool",
    "arguments-by-tool": "cli.step.arguments-by-tool",
    "make-trial-image": "cli.step.make-trial-image",
    "set-one-shot": "cli.step.set-one-shot",
    "store-guard": "cli.step.store-guard",
    "bind-live": "cli.step.bind-live",
    "join-group": "cli.step.join-group",
    "label-rom": "cli.step.label-rom",
    "resume-at-login": "cli.step.resume-at-login",
    "install-helper": "cli.step.install-helper",
    "keep-host": "cli.step.keep-host",
}
"""Steps by their name in the journal; an older or newer one is shown by that name."""


def begun(page: Page, kind: str, subject: str) -> None:
    """What is being done now, for whoever waits before a terminal; some of it takes minutes."""
    if STDOUT.is_terminal:
        what = text(_WHAT.get(kind, "cli.step.other"), kind=kind, subject=subject)
        page.entry("… ", text("cli.step.begun", what=what))


def write_step(page: Page, step: StepOutcome) -> None:
    """One line a step, as soon as it ended."""
    mark, word = _RESULTS[step.result]
    what = text(_WHAT.get(step.kind, "cli.step.other"), kind=step.kind, subject=step.subject)
    page.entry(f"{mark} ", text("cli.step.line", result=word, what=what))
    if step.detail is not None:
        page.entry("", step.detail, 4)


def write_sum(page: Page, outcomes: tuple[RunOutcome, ...], nothing: Text) -> None:
    """How it ended, and the way on; `nothing` where there was nothing to do."""
    page.write()
    plan = outcomes[0].plan_id if len(outcomes) == 1 else ""
    match worst(outcomes):
        case RunResult.APPLIED:
            page.paragraph(text("cli.run.applied", plan=plan))
        case RunResult.AWAITING_KEEP:
            page.paragraph(text("cli.run.awaiting-keep", plan=plan))
        case RunResult.TAKEN_BACK:
            page.paragraph(text("cli.run.taken-back"))
        case RunResult.INCOMPLETE:
            page.paragraph(text("cli.run.incomplete"))
        case RunResult.UNKNOWN:
            page.paragraph(text("cli.run.unknown"))
        case RunResult.NOTHING_TO_DO:
            page.paragraph(nothing)


def write_waiting(page: Page, kind: MachineKind, plan_id: str) -> None:
    """What to do about a change that is on trial now."""
    if kind is not MachineKind.REAL:
        page.entry("→ ", text("cli.run.simulated-waits", plan=plan_id), 2)
        return
    for step in ("restart", "keep-then", "black"):
        page.entry("→ ", text(f"cli.run.waits.{step}", plan=plan_id), 2)


def run_code(outcomes: tuple[RunOutcome, ...]) -> int:
    """Everything as asked, or a state that nobody asked for."""
    return UNSETTLED if worst(outcomes) in (RunResult.INCOMPLETE, RunResult.UNKNOWN) else DONE

# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back: what would be written is shown first here too, then what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.outcome import RunOutcome, RunResult
from vitrail.model.text import Text, text
from vitrail.service.undoing import UndoPreview


@dataclass(frozen=True, slots=True)
class BackCard:
    """One run to take back."""

    title: Text
    diff: str
    note: Text | None
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeBackPage:
    """`result` once it was done."""

    question: Text
    lead: Text
    cards: tuple[BackCard, ...]
    result: RunResult | None


def take_back_page(previews: tuple[UndoPreview, ...], done: tuple[RunOutcome, ...] | None) -> TakeBackPage:
    """The page before the click (`done` None) and after it."""
    cards = tuple(_card(one) for one in previews)
    if done is None:
        lead = text("wizard.back.lead") if cards else text("wizard.back.nothing")
        return TakeBackPage(text("wizard.back.question"), lead, cards, None)
    result = worst_of(done)
    return TakeBackPage(text("wizard.back.done-question"), text(f"wizard.back.result.{result.value}"), cards, result)


def worst_of(done: tuple[RunOutcome, ...]) -> RunResult:
    """What to say of several runs: the one that needs the user most."""
    order = (RunResult.INCOMPLETE, RunResult.UNKNOWN, RunResult.AWAITING_KEEP, RunResult.APPLIED, RunResult.TAKEN_BACK)
    results = {one.result for one in done}
    return next((one for one in order if one in results), RunResult.NOTHING_TO_DO)


def _card(preview: UndoPreview) -> BackCard:
    return BackCard(
        title=preview.what or text("wizard.back.vm", vm=preview.vm_name),
        diff=preview.diff,
        note=_note(preview),
        left=preview.left,
    )


def _note(preview: UndoPreview) -> Text | None:
    if preview.gone:
        return text("wizard.back.gone")
    return text("wizard.back.merges") if preview.merges else None

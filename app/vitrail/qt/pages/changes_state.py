# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Changes says: every run, newest first, what can be taken back, and what a new read saw of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vitrail.model.mode import mode_name
from vitrail.model.outcome import HistoryEntry, Outcome, PromiseResult, RunOutcome, RunResult, RunState
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.qt.facts import Facts
from vitrail.qt.theme import Tone
from vitrail.qt.words import Badge, run_badge
from vitrail.service.undoing import UndoPreview

_IN_FORCE = (RunState.APPLIED, RunState.AWAITING_KEEP, RunState.INCOMPLETE, RunState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One run."""

    run: str
    plan_id: str
    when: str
    applied_at: float
    vm: str
    mode: Text
    state: Badge
    in_force: bool


@dataclass(frozen=True, slots=True)
class ChangesState:
    """The whole page; `none` says why there is nothing."""

    headline: Text
    changes: tuple[ChangeLine, ...]
    any_in_force: bool
    none: Text | None


def page_state(facts: Facts) -> ChangesState:
    """The page of these facts."""
    if isinstance(facts.history, Unknown):
        return ChangesState(text("qt.changes.unread"), (), any_in_force=False, none=facts.history.reason)
    lines = tuple(_line(entry) for entry in facts.history.value)
    active = sum(line.in_force for line in lines)
    headline = text("qt.changes.headline", count=active) if active else text("qt.changes.headline-none")
    return ChangesState(headline, lines, any_in_force=active > 0, none=None if lines else text("qt.changes.none"))


def _line(entry: HistoryEntry) -> ChangeLine:
    when = datetime.fromtimestamp(entry.applied_at).astimezone()
    return ChangeLine(
        entry.run,
        entry.plan_id,
        when.strftime("%Y-%m-%d %H:%M"),
        entry.applied_at,
        entry.vm_name,
        mode_name(entry.mode),
        run_badge(entry.state),
        entry.state in _IN_FORCE,
    )


@dataclass(frozen=True, slots=True)
class BackState:
    """What a Take back would do: sentences, the diff of it, and whether it does anything."""

    sentences: tuple[Text, ...]
    diff: str
    possible: bool


def back_state(previews: tuple[UndoPreview, ...]) -> BackState:
    """What taking these back would write now."""
    if not previews:
        return BackState((text("qt.back.nothing"),), "", possible=False)
    sentences: list[Text] = [text("qt.back.will", count=len({one.run for one in previews}))]
    for one in previews:
        if one.gone:
            sentences.append(text("qt.back.gone", vm=one.vm_name))
        elif one.merges:
            sentences.append(text("qt.back.merges", vm=one.what or one.vm_name))
        sentences += [text("qt.back.left", vm=one.what or one.vm_name, what=what) for what in one.left]
    diffs = [one.diff for one in previews if one.diff]
    if not diffs:
        sentences.append(text("qt.back.same"))
    return BackState(tuple(sentences), "\n".join(diffs), possible=True)


def outcome_words(outcomes: tuple[RunOutcome, ...]) -> Badge:
    """How a Take back ended, in one line."""
    if not outcomes:
        return Badge(text("qt.back.nothing"), Tone.INFO)
    results = {outcome.result for outcome in outcomes}
    if results <= {RunResult.TAKEN_BACK, RunResult.NOTHING_TO_DO}:
        return Badge(text("qt.back.done", count=len(outcomes)), Tone.GOOD)
    if RunResult.UNKNOWN in results:
        return Badge(text("qt.back.unsettled"), Tone.UNKNOWN)
    return Badge(text("qt.back.incomplete"), Tone.BAD)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """A promise against a new read."""

    result: Badge
    step: Text
    expected: str
    seen: str


def proof(outcomes: tuple[Outcome, ...]) -> tuple[ProofLine, ...]:
    """What a new read saw of each promise."""
    marks: dict[PromiseResult, tuple[str, Tone]] = {
        PromiseResult.KEPT: ("qt.proof.kept", Tone.GOOD),
        PromiseResult.BROKEN: ("qt.proof.broken", Tone.BAD),
        PromiseResult.UNKNOWN: ("qt.proof.unknown", Tone.UNKNOWN),
    }
    lines = []
    for outcome in outcomes:
        words, tone = marks[outcome.result]
        lines.append(ProofLine(Badge(text(words), tone), outcome.step, outcome.expected, outcome.seen))
    return tuple(lines)


def newest_in_force(facts: Facts) -> str:
    """The plan that a plain Take back would take; empty where there is none."""
    entries = facts.history.value if isinstance(facts.history, Known) else ()
    return next((entry.plan_id for entry in entries if entry.state in _IN_FORCE), "")

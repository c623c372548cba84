# SPDX-License-Identifier: GPL-3.0-or-later
"""After the restart, as facts for the page: is it as meant, how long is there to say so, or what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.reading import Known, Reading
from vitrail.model.resume import ResumeStage, ResumeState, TrialStory
from vitrail.model.text import Text, text
from vitrail.qt.restart.before import clock
from vitrail.qt.theme import Tone
from vitrail.qt.wizard.state.check import CheckPage, check_page

_SOON_SECONDS = 120
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Countdown:
    """How long until the guard takes it back; `seconds` None where nobody knows."""

    words: Text
    tone: Tone
    seconds: int | None


@dataclass(frozen=True, slots=True)
class ProofPage:
    """The trial: what a new read saw, and the three answers."""

    question: Text
    lead: Text
    check: CheckPage
    can_keep: bool


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One fact of the failed start: what, and what was seen then."""

    what: Text
    seen: tuple[str, ...]
    reason: Text | None
    """Why nothing is known, None where it is."""


@dataclass(frozen=True, slots=True)
class StoryPage:
    """A change that did not last: when, why, what was seen, what to try."""

    question: Text
    lead: Text
    why: Text
    lines: tuple[StoryLine, ...]
    advice: tuple[Text, ...]


def countdown(until: Reading[float], now: float) -> Countdown:
    """The time that is left, in words that change every second below two minutes and every minute above."""
    if not isinstance(until, Known):
        return Countdown(text("qt.proof.time-unknown", reason=until.reason), Tone.UNKNOWN, None)
    left = max(0, round(until.value - now))
    if left == 0:
        return Countdown(text("qt.proof.time-over"), Tone.BAD, 0)
    at = clock(until.value)
    if left < _SOON_SECONDS:
        return Countdown(text("qt.proof.seconds-left", left, until=at), Tone.BAD, left)
    return Countdown(text("qt.proof.minutes-left", left // 60, until=at), Tone.WARN, left)


def proof_page(state: ResumeState, outcomes: tuple[Outcome, ...]) -> ProofPage:
    """The page in the trial boot. Keeping is always allowed: it is the user who sees the screen."""
    check = check_page(outcomes, state.vm_name)
    return ProofPage(
        question=text("qt.proof.question"),
        lead=text(f"qt.proof.lead.{check.overall.value}", vm=state.vm_name),
        check=check,
        can_keep=check.overall is not PromiseResult.BROKEN,
    )


def story_page(state: ResumeState, story: TrialStory) -> StoryPage:
    """The page after a trial that did not last."""
    when = clock(story.taken_back_at.value) if isinstance(story.taken_back_at, Known) else None
    lead = (
        text("qt.story.lead", vm=state.vm_name, when=when) if when else text("qt.story.lead-no-time", vm=state.vm_name)
    )
    return StoryPage(
        question=text("qt.story.question"),
        lead=lead,
        why=story.why,
        lines=(
            _line("qt.story.drivers", story.drivers, _pairs),
            _line("qt.story.outputs", story.outputs, _pairs),
            _line("qt.story.kernel", story.kernel_lines, tuple),
        ),
        advice=story.advice,
    )


def _pairs(pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(f"{name}  {seen}" for name, seen in pairs)


def _line(title: str, reading: Reading[T], words: Callable[[T], tuple[str, ...]]) -> StoryLine:
    if not isinstance(reading, Known):
        return StoryLine(text(title), (), reading.reason)
    return StoryLine(text(title), words(reading.value), None)


def has_page(state: ResumeState) -> bool:
    """Whether there is something to show after a login."""
    return state.stage in (ResumeStage.TRIAL, ResumeStage.TAKEN_BACK)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: each promise of the plan against a new read of the machine, with where it was read."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.text import Text, text


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise: as meant, as seen."""

    title: Text
    result: PromiseResult
    word: Text
    expected: str
    seen: str
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """The answer in a sentence, then every promise; what to do next last."""

    question: Text
    answer: Text
    overall: PromiseResult
    proofs: tuple[Proof, ...]
    next_steps: tuple[Text, ...]


def check_page(outcomes: tuple[Outcome, ...], vm_name: str) -> CheckPage:
    """What the new read saw. No outcome at all is not a success."""
    overall = overall_of(outcomes)
    return CheckPage(
        question=text("wizard.check.question"),
        answer=text(f"wizard.check.answer.{overall.value}"),
        overall=overall,
        proofs=tuple(_proof(one) for one in outcomes),
        next_steps=_next_steps(overall, vm_name),
    )


def overall_of(outcomes: tuple[Outcome, ...]) -> PromiseResult:
    """Broken where one is broken, unknown where one is unknown or none was made, else kept."""
    results = {one.result for one in outcomes}
    if PromiseResult.BROKEN in results:
        return PromiseResult.BROKEN
    if PromiseResult.UNKNOWN in results or not results:
        return PromiseResult.UNKNOWN
    return PromiseResult.KEPT


def _proof(outcome: Outcome) -> Proof:
    return Proof(
        title=outcome.step,
        result=outcome.result,
        word=text(f"wizard.check.result.{outcome.result.value}"),
        expected=outcome.expected,
        seen=outcome.seen,
        evidence=tuple((one.source, one.value) for one in outcome.evidence),
    )


def _next_steps(overall: PromiseResult, vm_name: str) -> tuple[Text, ...]:
    if overall is PromiseResult.KEPT:
        return (text("wizard.check.next.start", vm=vm_name), text("wizard.check.next.black"))
    return (text("wizard.check.next.back"), text("wizard.check.next.again"))

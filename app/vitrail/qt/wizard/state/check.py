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


@dataclass(frozen=True, slots=True)
class ProofGroup:
    """Everything that was read anew from one place."""

    source: Text
    result: PromiseResult
    word: Text
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """The answer in a sentence, then every promise; what to do next last."""

    question: Text
    answer: Text
    overall: PromiseResult
    groups: tuple[ProofGroup, ...]
    next_steps: tuple[Text, ...]


def check_page(outcomes: tuple[Outcome, ...], vm_name: str) -> CheckPage:
    """What the new read saw. No outcome at all is not a success."""
    overall = overall_of(outcomes)
    sources = dict.fromkeys(_source(one) for one in outcomes)
    return CheckPage(
        question=text("wizard.check.question"),
        answer=text(f"wizard.check.answer.{overall.value}"),
        overall=overall,
        groups=tuple(_group(source, tuple(one for one in outcomes if _source(one) == source)) for source in sources),
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


def _group(source: str, outcomes: tuple[Outcome, ...]) -> ProofGroup:
    """What is not as meant stands first."""
    result = overall_of(outcomes)
    order = (PromiseResult.BROKEN, PromiseResult.UNKNOWN, PromiseResult.KEPT)
    return ProofGroup(
        source=text("wizard.check.evidence", source=source),
        result=result,
        word=_word(result),
        proofs=tuple(_proof(one) for one in sorted(outcomes, key=lambda one: order.index(one.result))),
    )


def _proof(outcome: Outcome) -> Proof:
    return Proof(outcome.step, outcome.result, _word(outcome.result), outcome.expected, outcome.seen)


def _word(result: PromiseResult) -> Text:
    return text(f"wizard.check.result.{result.value}")


def _source(outcome: Outcome) -> str:
    """What was read: evidence names it, and the place in it last."""
    if not outcome.evidence:
        return ""
    read, _, place = outcome.evidence[0].source.rpartition(" ")
    return read or place


def _next_steps(overall: PromiseResult, vm_name: str) -> tuple[Text, ...]:
    if overall is PromiseResult.KEPT:
        return (text("wizard.check.next.start", vm=vm_name), text("wizard.check.next.black"))
    return (text("wizard.check.next.back"), text("wizard.check.next.again"))

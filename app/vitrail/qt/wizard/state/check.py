# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: each promise of the plan against a new read of the machine, with where it was read."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.text import Text, text


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was promised: where it stands in what was read, as meant, as seen."""

    where: str
    result: PromiseResult
    word: Text
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class ProofGroup:
    """Everything that one step promised; `sources` is where it was read anew."""

    title: Text
    result: PromiseResult
    word: Text
    proofs: tuple[Proof, ...]
    sources: tuple[str, ...]


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
    steps = dict.fromkeys(one.step for one in outcomes)
    return CheckPage(
        question=text("wizard.check.question"),
        answer=text(f"wizard.check.answer.{overall.value}"),
        overall=overall,
        groups=tuple(_group(tuple(one for one in outcomes if one.step == step)) for step in steps),
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


def _group(outcomes: tuple[Outcome, ...]) -> ProofGroup:
    """What is not as meant stands first."""
    result = overall_of(outcomes)
    order = (PromiseResult.BROKEN, PromiseResult.UNKNOWN, PromiseResult.KEPT)
    sources = dict.fromkeys(_split(one.source)[0] for outcome in outcomes for one in outcome.evidence)
    return ProofGroup(
        title=outcomes[0].step,
        result=result,
        word=_word(result),
        proofs=tuple(_proof(one) for one in sorted(outcomes, key=lambda one: order.index(one.result))),
        sources=tuple(sources),
    )


def _proof(outcome: Outcome) -> Proof:
    where = _split(outcome.evidence[0].source)[1] if outcome.evidence else ""
    return Proof(where, outcome.result, _word(outcome.result), outcome.expected, outcome.seen)


def _word(result: PromiseResult) -> Text:
    return text(f"wizard.check.result.{result.value}")


def _split(source: str) -> tuple[str, str]:
    """What was read, and the place in it: evidence names both, the place last."""
    read, _, place = source.rpartition(" ")
    return (read, place) if read else (place, "")


def _next_steps(overall: PromiseResult, vm_name: str) -> tuple[Text, ...]:
    if overall is PromiseResult.KEPT:
        return (text("wizard.check.next.start", vm=vm_name), text("wizard.check.next.black"))
    return (text("wizard.check.next.back"), text("wizard.check.next.again"))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Problems says: what fails first, then what is not known, then what passed."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.text import Text, text
from vitrail.qt.facts import Facts
from vitrail.qt.theme import Tone
from vitrail.qt.words import finding_tone


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One finding as it is shown."""

    key: str
    tone: Tone
    kind: Text
    title: Text
    remedy: Text | None
    evidence: tuple[Evidence, ...]


def line_of(finding: Finding, key: str) -> ProblemLine:
    """A finding as it is shown, known by this key."""
    kind = finding.status.value if finding.status is not Status.FAIL else finding.severity.value
    return ProblemLine(
        key,
        finding_tone(finding.status, finding.severity),
        text(f"qt.finding.{kind}"),
        finding.title,
        finding.remedy,
        finding.evidence,
    )


@dataclass(frozen=True, slots=True)
class ProblemsState:
    """The whole page. `count` is what the rail's badge says: what fails and blocks or warns."""

    headline: Text
    subline: tuple[Text, ...]
    open: tuple[ProblemLine, ...]
    passed: tuple[ProblemLine, ...]
    count: int


def page_state(facts: Facts) -> ProblemsState:
    """The page of these facts."""
    open_ = sorted((finding for finding in facts.findings if finding.status is not Status.PASS), key=_order)
    passed = [finding for finding in facts.findings if finding.status is Status.PASS]
    unmeasured = sum(finding.status is Status.UNKNOWN for finding in open_)
    count = sum(counts(finding) for finding in open_)
    return ProblemsState(
        text("qt.problems.headline", count=count) if count else text("qt.problems.none"),
        (text("qt.problems.passed", count=len(passed)), text("qt.problems.unmeasured", count=unmeasured)),
        tuple(line_of(finding, f"{finding.id}/{number}") for number, finding in enumerate(open_)),
        tuple(line_of(finding, f"{finding.id}/{number}") for number, finding in enumerate(passed)),
        count,
    )


def counts(finding: Finding) -> bool:
    """Whether the rail's badge counts it: it fails, and blocks or warns."""
    return finding.status is Status.FAIL and finding.severity is not Severity.INFO


def _order(finding: Finding) -> tuple[int, int]:
    severity = (Severity.BLOCKS, Severity.WARNS, Severity.INFO).index(finding.severity)
    return (severity, 0 if finding.status is Status.FAIL else 1)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fact becomes a finding: the three statuses, and the evidence that a reading leaves.

Separate so that every judgement states its evidence in the same form: where it was read, and what stood there.
"""

from __future__ import annotations

from enum import Enum

from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.machine import SriovCapability
from vitrail.model.reading import Known, Reading
from vitrail.model.text import Text


def passed(
    finding_id: str, severity: Severity, title: Text, evidence: tuple[Evidence, ...] = (), remedy: Text | None = None
) -> Finding:
    """It was looked at and it is as it should be."""
    return Finding(finding_id, Status.PASS, severity, title, evidence, remedy)


def failed(
    finding_id: str, severity: Severity, title: Text, remedy: Text | None, evidence: tuple[Evidence, ...] = ()
) -> Finding:
    """It was looked at and it is not as it should be; `remedy` is what would change that."""
    return Finding(finding_id, Status.FAIL, severity, title, evidence, remedy)


def not_known(
    finding_id: str, severity: Severity, title: Text, remedy: Text | None, evidence: tuple[Evidence, ...] = ()
) -> Finding:
    """It could not be looked at; `title` says why, `remedy` what would let it be seen."""
    return Finding(finding_id, Status.UNKNOWN, severity, title, evidence, remedy)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case SriovCapability():
            return f"{value.active}/{value.total}"
        case tuple():
            return ", ".join(_shown(item) for item in value) or "-"
        case _:
            return str(value)


def seen(*readings: Reading[object]) -> tuple[Evidence, ...]:
    """What was read, word for word, with its source; a reading that was not made leaves no evidence."""
    return tuple(Evidence(one.source, _shown(one.value)) for one in readings if isinstance(one, Known))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON forms that every command shares: a reading, a finding, an error, and the one way to print a document.

`null` means read and there is none; `{"unknown": reason}` means not read. Texts are English, whoever asks. The output
is ASCII: what a name holds cannot move a terminal's cursor, and JSON readers get it back exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from vitrail.cli.outlet import STDOUT
from vitrail.model.errors import Refused, VitrailError
from vitrail.model.finding import Evidence, Finding
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text
from vitrail.text.speaker import english

SCHEMA = 1

T = TypeVar("T")
Json = dict[str, Any]

say = english().say


def json_reading(reading: Known[T] | Unknown, form: Callable[[T], Any] | None = None) -> Any:
    """The value (in its form), null where there is none, or why it was not read."""
    if isinstance(reading, Unknown):
        return json_unknown(reading.reason)
    if form is None or reading.value is None:
        return reading.value
    return form(reading.value)


def json_unknown(reason: Text) -> Json:
    """What was not read, and why."""
    return {"unknown": say(reason)}


def json_evidence(evidence: tuple[Evidence, ...]) -> list[Json]:
    """What was seen, word for word."""
    return [{"source": item.source, "value": item.value} for item in evidence]


def json_finding(finding: Finding) -> Json:
    """One conclusion."""
    return {
        "id": finding.id,
        "status": finding.status.value,
        "severity": finding.severity.value,
        "title": say(finding.title),
        "evidence": json_evidence(finding.evidence),
        "remedy": None if finding.remedy is None else say(finding.remedy),
    }


def json_error(error: VitrailError, *, of_a_plan: bool) -> Json:
    """A failure as the contract has it; the refusal of a plan also lists what it rests on."""
    document: Json = {
        "error": {
            # The room in front of a text's id is our business, not a script's.
            "id": error.what.id.partition(".")[2] or error.what.id,
            "message": say(error.what),
            "next": [say(step) for step in error.next_steps],
        }
    }
    if of_a_plan and isinstance(error, Refused):
        document["findings"] = [json_finding(finding) for finding in error.findings]
    return document


def print_json(document: Json) -> None:
    """One object with the schema's number in front."""
    # Without an indent json's C encoder does it; 2,000 devices are felt otherwise.
    STDOUT.put(json.dumps({"schema": SCHEMA, **document}) + "\n")

# SPDX-License-Identifier: GPL-3.0-or-later
"""How a failure is told: one JSON object on stdout for a script, sentences on stderr for a person."""

from __future__ import annotations

import sys

from vitrail.cli.json_values import json_error, print_json
from vitrail.cli.page import Page
from vitrail.model.errors import VitrailError
from vitrail.text.speaker import speaker


def tell_failure(error: VitrailError, command: str, *, as_json: bool, language: str | None) -> None:
    """Tell it where the caller listens."""
    if as_json:
        print_json(json_error(error, of_a_plan=command in ("plan", "apply")))
        sys.stdout.flush()
    else:
        sys.stdout.flush()
        Page(speaker(language), sys.stderr).failure(error)

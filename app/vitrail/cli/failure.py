# SPDX-License-Identifier: GPL-3.0-or-later
"""How a failure is told: one JSON object on stdout for a script, sentences on stderr for a person."""

from __future__ import annotations

import os
import sys
from traceback import extract_tb, print_exception

from vitrail.cli.json_values import json_error, print_json
from vitrail.cli.outlet import STDERR, STDOUT
from vitrail.cli.page import Page
from vitrail.model.errors import VitrailError
from vitrail.model.text import text
from vitrail.text.speaker import speaker


def tell_failure(error: VitrailError, command: str, *, as_json: bool, language: str | None) -> None:
    """Tell it where the caller listens."""
    if as_json:
        print_json(json_error(error, of_a_plan=command in ("plan", "apply")))
    else:
        STDOUT.reaches()
        Page(speaker(language), STDERR).failure(error)


def tell_lost_output(reason: OSError, language: str | None) -> None:
    """What was to be read did not get out; what it was about is done or refused all the same."""
    what = text("cli.output-lost", reason=reason.strerror or str(reason))
    Page(speaker(language), STDERR).failure(VitrailError(what, text("cli.fault.state")))


def fault_of(error: BaseException) -> VitrailError:
    """A fault of our own, without its message: that may hold what nobody is to see. VITRAIL_TRACE shows all."""
    if os.environ.get("VITRAIL_TRACE"):
        print_exception(error, file=sys.stderr)
    frames = extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "-"  # noqa: PTH119
    return VitrailError(
        text("cli.fault", kind=type(error).__name__, place=place), text("cli.fault.report"), text("cli.fault.state")
    )

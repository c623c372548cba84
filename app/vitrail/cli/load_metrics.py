# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail load --openmetrics`: every tick as metrics for other programs, until it is ended."""

from __future__ import annotations

import signal
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

from vitrail.cli.json_load import json_load
from vitrail.cli.json_values import print_json
from vitrail.cli.outlet import STDOUT
from vitrail.cli.page import Page
from vitrail.model.errors import Refused
from vitrail.model.sample import Sample
from vitrail.model.text import text
from vitrail.service.live_load import LiveLoad
from vitrail.service.metrics_outlet import open_outlet
from vitrail.service.openmetrics import openmetrics
from vitrail.text.speaker import speaker


@contextmanager
def telling(request: Namespace, load: LiveLoad) -> Iterator[Callable[[Sample], None]]:
    """What takes each tick; with `--json` that is printed besides. Raises Refused where nothing is measured."""
    if not load.measures:
        raise Refused(text("cli.load.nothing-measured"), text("cli.load.nothing-measured.next"))
    with closing(open_outlet(request.openmetrics)) as outlet, _ended_softly():
        if not request.json and STDOUT.is_terminal:
            Page(speaker(request.language)).paragraph(text("cli.load.tells", where=request.openmetrics))

        def tell(sample: Sample) -> None:
            outlet.put(openmetrics(sample))
            if request.json:
                print_json(json_load(sample))

        yield tell


@contextmanager
def _ended_softly() -> Iterator[None]:
    """A service manager ends with SIGTERM what a user ends with Ctrl+C; both take the metrics away."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

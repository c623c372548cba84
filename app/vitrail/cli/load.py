# SPDX-License-Identifier: GPL-3.0-or-later
"""`vitrail load`: what every card and VM does, once or again and again."""

from __future__ import annotations

import gc
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing

from vitrail.cli.door import DONE, NOT_MEASURED
from vitrail.cli.json_load import json_load
from vitrail.cli.json_values import print_json
from vitrail.cli.outlet import STDOUT
from vitrail.model.machine import MachineKind
from vitrail.model.reading import Unknown
from vitrail.model.sample import Sample
from vitrail.service.live_load import LiveLoad, open_load

Show = Callable[[Sample], None]


def run(request: Namespace) -> int:
    """Sample and show until the count is reached or the reader leaves; the code tells whether the machine was read."""
    with closing(open_load(request.machine, request.connect)) as load:
        if request.ask_guest is not None:
            from vitrail.cli.load_guest import choose  # noqa: PLC0415 - hardly ever wanted

            return choose(request, load)
        unread = load.kind is MachineKind.REAL and isinstance(load.host.devices, Unknown)
        once = request.count is None and request.openmetrics is None and not STDOUT.is_terminal
        count = 1 if once else request.count
        try:
            if request.openmetrics is not None:
                from vitrail.cli.load_metrics import telling  # noqa: PLC0415 - likewise

                with telling(request, load) as show:
                    _repeat(load, count, request.interval, show)
            else:
                _repeat(load, count, request.interval, _shower(request, load))
        except KeyboardInterrupt:
            # The way to end it.
            STDOUT.put("\n" if STDOUT.is_terminal else "")
        return NOT_MEASURED if unread else DONE


def _repeat(load: LiveLoad, count: int | None, interval: float, show: Show) -> None:
    if count != 1:
        # It may run for days, and hears of what changes meanwhile.
        gc.enable()
        load.follow()
    due = time.monotonic()
    if load.measures:
        # Most load is the difference between two looks.
        load.tick()
        due += interval
    shown = 0
    while count is None or shown < count:
        time.sleep(max(0.0, due - time.monotonic()))
        show(load.tick())
        if not STDOUT.reaches():
            return
        shown += 1
        # A tick that was late is not made up for.
        due = max(due + interval, time.monotonic())


def _shower(request: Namespace, load: LiveLoad) -> Show:
    if request.json:
        return lambda sample: print_json(json_load(sample))
    from vitrail.cli.load_page import LoadPage  # noqa: PLC0415 - a script does not pay for the page

    return LoadPage(request.language, load, refreshes=request.count != 1).show

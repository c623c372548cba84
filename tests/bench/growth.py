# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look costs as machines grow: reading, judging and working out every page, from 10 to 1,000 VMs, 1 to 64 cards.

Linear or better: ten times the VMs, or eight times the cards, may cost ten or eight times as much, and no more than
a measurement's inaccuracy above it. Processor time, so that what else the machine does counts little.
"""

from __future__ import annotations

import gc
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from machines import make_recording
from vitrail.qt.pages.by_name import NAMES, prepare
from vitrail.qt.reading import read_facts
from vitrail.service.places import open_place
from vitrail.text.speaker import Speaker

INACCURACY = 1.3
ROUNDS = 5


def measure_growth() -> bool:
    """Print what each step costs; True when none grows faster than the machine."""
    of_vms = {vms: _cost(8, vms) for vms in (10, 100, 1000)}
    of_cards = {cards: _cost(cards, 100) for cards in (1, 8, 64)}
    return all([_report("VMs", of_vms), _report("cards", of_cards)])


def _cost(cards: int, vms: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        machine = Path(folder) / "machine"
        make_recording(machine, cards, vms)
        place = open_place(str(machine), None, state_folder=Path(folder) / "state")
        say = Speaker().say
        times = []
        gc.disable()
        for _ in range(ROUNDS):
            begun = time.process_time()
            facts = read_facts(place)
            for name in NAMES:
                prepare(name, facts, say)
            times.append(time.process_time() - begun)
        gc.enable()
        place.close()
        return min(times)


def _report(what: str, costs: dict[int, float]) -> bool:
    kept = True
    sizes = list(costs)
    for small, large in pairwise(sizes):
        grown, cost = large / small, costs[large] / costs[small]
        kept = kept and cost <= grown * INACCURACY
        print(
            f"a look at {large} {what}: {costs[large]:.4f} s against {costs[small]:.4f} s at {small}, {cost:.1f} times "
            f"the cost of {grown:.0f} times the {what}: {'kept' if cost <= grown * INACCURACY else 'BROKEN'}"
        )
    return kept

# SPDX-License-Identifier: GPL-3.0-or-later
"""Times commands in turns, so that what else the machine does hits both sides alike."""

from __future__ import annotations

import os
import subprocess
import time


def as_installed(folder: str) -> dict[str, str]:
    """The environment of an installed program: whatever is Python is compiled once, into this folder."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPYCACHEPREFIX": folder
    }


def seconds_in_turns(commands: dict[str, list[str]], rounds: int = 9) -> dict[str, float]:
    """The best wall time of each command, the commands run in turns; one round before warms the caches."""
    best = dict.fromkeys(commands, float("inf"))
    for turn in range(rounds + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if turn:
                best[name] = min(best[name], time.perf_counter() - begun)
    return best


def report(what: str, ours: float, theirs: float, budget: float, unit: str = "s") -> bool:
    """Print one line, and say whether the budget holds."""
    ratio = ours / theirs
    kept = ratio <= budget
    verdict = "kept" if kept else "BROKEN"
    print(f"{what}: {ours:.3f} {unit} against {theirs:.3f} {unit}, ratio {ratio:.2f}, budget {budget:.2f}: {verdict}")
    return kept

# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures against the budgets, side by side in one run: `./dev bench [scan] [window] [stall] [growth] [load]`.

Each benchmark prints what was measured, against what, and the ratio with its budget; the exit status is 1 when a
budget is broken. Ratios, not seconds: machines differ, two programs on the same machine in the same minute do not.
"""

from __future__ import annotations

import sys

from growth import measure_growth
from load import measure_load
from scan import measure_scan
from stall import measure_stall
from window import measure_window

BENCHMARKS = {
    "scan": measure_scan,
    "window": measure_window,
    "stall": measure_stall,
    "growth": measure_growth,
    "load": measure_load,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, all of them without a name."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 3
    kept = [BENCHMARKS[name]() for name in names or BENCHMARKS]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's run came to, a line a test. It listens to pytest and believes only a pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.machine import keep_consoles, kept_consoles


@dataclass(slots=True)
class Row:
    """One test: time of everything that belongs to it, and the worst that was said of it."""

    scenario: str
    test: str
    seconds: float = 0.0
    verdict: str = "did not run"


class Table:
    """A pytest plugin."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What is promised now must have a verdict at the end."""
        for item in items:
            self._rows[item.nodeid] = _row(item.nodeid)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """What `--only` leaves out was not asked for."""
        for item in items:
            self._rows.pop(item.nodeid, None)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Who watches sees what runs, from its beginning."""
        row = self._rows.setdefault(nodeid, _row(nodeid))
        print(f"\n{row.scenario}: {row.test} ... ", end="", flush=True)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """And how it ended."""
        row = self._rows[nodeid]
        print(f"{row.verdict}, {row.seconds:.0f} s", end="", flush=True)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """No dots between these lines."""
        return report.outcome if report.when == "call" or report.outcome != "passed" else "", "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Setup and teardown count too: a machine that does not start has not passed."""
        row = self._rows.setdefault(report.nodeid, _row(report.nodeid))
        row.seconds += report.duration
        if report.failed:
            keep_consoles()
        if report.outcome != "passed":
            row.verdict = "FAILED" if report.failed else "FAILED (skipped)"
        elif report.when == "call" and row.verdict == "did not run":
            row.verdict = "FAILED (expected to fail)" if hasattr(report, "wasxfail") else "passed"

    def all_passed(self) -> bool:
        """Whether there was something, and all of it passed."""
        return bool(self._rows) and all(row.verdict == "passed" for row in self._rows.values())

    def text(self) -> str:
        """The table, and one line below it."""
        width = max((len(row.test) for row in self._rows.values()), default=4)
        lines = [f"{'scenario':<12} {'test':<{width}} {'time':>8}  verdict"]
        lines += [
            f"{row.scenario:<12} {row.test:<{width}} {row.seconds:>6.1f} s  {row.verdict}"
            for row in self._rows.values()
        ]
        passed = sum(row.verdict == "passed" for row in self._rows.values())
        consoles = [f"consoles: {folder}" for folder in kept_consoles() if folder.is_dir()]
        return "\n".join(["", *lines, f"{passed} of {len(self._rows)} passed", *consoles, ""])


def _row(node_id: str) -> Row:
    file, _, name = node_id.partition("::")
    return Row(Path(file).stem.replace("_", "-"), name.removeprefix("test_").replace("_", " "))

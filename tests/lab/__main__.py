# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev lab [SCENARIO ... | --all | --list]`: run scenarios one after another and say in a table how each ended.

Only a test that ran and passed counts. Whatever cannot run, is left out or is skipped makes the lab fail.
"""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.place import HERE, LabCannotRunError, forget_old_runs, lab_folder, require
from lab.scenario_list import SCENARIOS, Scenario
from lab.table import Table


def main(words: list[str]) -> int:
    """The exit status: 0 only when every test of every scenario asked for has passed."""
    parser = argparse.ArgumentParser(prog="./dev lab", description="Whole machines, restarted for real.")
    parser.add_argument("scenario", nargs="*", help="names as --list shows them; none: those that take minutes")
    parser.add_argument("--all", action="store_true", help="every scenario of this version")
    parser.add_argument("--list", action="store_true", help="show the scenarios and end")
    parser.add_argument("--only", metavar="WORD", default="", help="only tests with this in their name")
    asked = parser.parse_args(words)
    if asked.list:
        _list()
        return 0
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in asked.scenario if name not in known]:
        print(f"No scenario of that name: {', '.join(unknown)}. There is: {', '.join(known)}.")
        return 3
    chosen = [known[name] for name in asked.scenario] or [
        scenario for scenario in SCENARIOS if scenario.file and (asked.all or scenario.quick)
    ]
    if absent := [scenario.name for scenario in chosen if not scenario.file]:
        print(f"Not part of this version: {', '.join(absent)}.")
        return 1
    return _run(chosen, asked.only)


def _list() -> None:
    for number, scenario in enumerate(SCENARIOS):
        kind = "not in this version" if not scenario.file else "minutes" if scenario.quick else "long"
        print(f"{number}  {scenario.name:<13} {kind:<20} {scenario.says}")


def _run(chosen: list[Scenario], only: str) -> int:
    try:
        require()
        with (lab_folder() / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another lab runs from this folder; waiting for it.", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            return _run_alone(chosen, only)
    except LabCannotRunError as error:
        print(error)
        return 1


def _run_alone(chosen: list[Scenario], only: str) -> int:
    from lab.image import image  # noqa: PLC0415 - what they stand on was only just found to be there
    from lab.share import share  # noqa: PLC0415 - likewise

    forget_old_runs()
    began = time.monotonic()
    print(f"Machine image: {image().folder} ({time.monotonic() - began:.0f} s)", flush=True)
    share()
    table = Table()
    files = [str(HERE / "scenarios" / f"{scenario.file}.py") for scenario in chosen]
    options = [
        "-q",
        "--no-header",
        "--tb=short",
        "-o",
        "python_files=*.py",
        "-o",
        "timeout=0",
        "-p",
        "no:cacheprovider",
    ]
    status = pytest.main([*files, *options, *(("-k", only) if only else ())], plugins=[table])
    print(table.text())
    return 0 if status == pytest.ExitCode.OK and table.all_passed() else 1


def _ended(_number: int, _frame: object) -> None:
    """A lab that is told to end ends its machines on the way out. Any other error would only end one test."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for told in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(told, _ended)
    sys.exit(main(sys.argv[1:]))

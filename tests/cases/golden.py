# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden plans: which machine, VM and choice each case is, and what is kept of its plan.

Kept is what a reader would judge: the command line's JSON, the document's change and the change back. Left out is the
plan's id: it follows every fact of the machine, so it would change where nothing to be read does.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from machines.build import place_of
from vitrail.cli.json_plan import json_plan
from vitrail.cli.json_values import json_error
from vitrail.model import host_place
from vitrail.model.choice import Choice, make_choice
from vitrail.model.errors import Refused
from vitrail.model.host_step import FixedFile, WriteFile
from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.plan import Plan
from vitrail.model.step import EditVm, HostStep
from vitrail.model.vm import Vm
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.xmldoc.diff import shown_diff
from vitrail.xmldoc.take_back import take_back

FOLDER = Path(__file__).parent
_ANY_ID = "0123456789abcdef"
"""Stands in every kept plan for its id, which steps on the host carry."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of cases.toml."""

    machine: str
    name: str
    gpu: str | None
    settings: tuple[tuple[str, str], ...]

    @property
    def vm(self) -> str:
        """The VM that the case is named after."""
        return self.name.split("--")[0]

    @property
    def mode(self) -> Mode:
        """The mode that the case is named after."""
        return Mode(self.name.split("--")[1])

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return FOLDER / self.machine / self.name

    @property
    def choice(self) -> Choice:
        """What is asked for."""
        return make_choice(self.mode, PciAddress.parse(self.gpu) if self.gpu else None, dict(self.settings))

    @property
    def words(self) -> list[str]:
        """The same question to the command line."""
        words = ["plan", "--machine", str(place_of(self.machine)), "--vm", self.vm, "--mode", self.mode.value]
        words += ["--gpu", self.gpu] if self.gpu else []
        return words + [word for key, value in self.settings for word in ("--set", f"{key}={value}")] + ["--json"]


def read_cases() -> tuple[Case, ...]:
    """Every case of every machine."""
    tables = tomllib.loads((FOLDER / "cases.toml").read_text())
    return tuple(
        Case(machine, name, said.get("gpu"), tuple(said.get("set", {}).items()))
        for machine, cases in tables.items()
        for name, said in cases.items()
    )


CASES = read_cases()


@cache
def place(machine: str) -> Workplace:
    """The recording, with a state folder in which nothing was ever changed."""
    return open_place(str(place_of(machine)), None, state_folder=Path(mkdtemp(prefix="vitrail-cases-")))


@cache
def read(machine: str) -> Host:
    """The machine, read once: every case on it looks at the same facts."""
    return place(machine).read()


def planned(case: Case, host: Host | None = None, vm: Vm | None = None) -> Plan | Refused:
    """The plan, or why there is none."""
    there = place(case.machine)
    host = host or read(case.machine)
    try:
        return there.plan(host, vm or there.find_vm(host, case.vm), case.choice)
    except Refused as refusal:
        return refusal


def edited(plan: Plan) -> EditVm | None:
    """The step on the VM's document; None where it needs none."""
    return next((step for step in plan.steps if isinstance(step, EditVm)), None)


def files_of(case: Case) -> dict[str, str]:
    """What is kept of the case, by file name."""
    found = planned(case)
    if isinstance(found, Refused):
        return {"refusal.json": _written(json_error(found, of_a_plan=True))}
    return files_of_plan(found)


def files_of_plan(found: Plan) -> dict[str, str]:
    """The same of a plan that was made on other facts than a recording's."""
    document = json_plan(found)
    del document["plan_id"]
    for phase in document["phases"]:
        for step in phase["steps"]:
            if step["kind"] == "edit-vm":
                step["diff"] = "domain.diff"
            if step["kind"] == "resume-at-login" or step["subject"] in _same_everywhere(found):
                step["diff"] = ""
    files = {"plan.json": _written(document).replace(found.plan_id, _ANY_ID)}
    step = edited(found)
    if step is not None:
        files["domain.diff"] = shown_diff(step.before, step.after)
        files["undo.diff"] = shown_diff(step.after, take_back(step.before, step.after, step.after).text)
    return files


def _same_everywhere(plan: Plan) -> set[str]:
    """Files without values: their texts are no fact of a machine, and are tried where they are made."""
    changes = [step.change for step in plan.steps if isinstance(step, HostStep)]
    files = [change for change in changes if isinstance(change, WriteFile) and isinstance(change.template, FixedFile)]
    return {host_place.subject_of_change(change) for change in files if host_place.place_of(change.template).ours}


def _written(document: dict[str, Any]) -> str:
    # Where the checkout lies is nobody's finding.
    return json.dumps(document, indent=2, ensure_ascii=False).replace(f"{FOLDER.parents[1]}/", "") + "\n"


def kept(case: Case) -> dict[str, str]:
    """The files of the case as they were kept."""
    return kept_in(case.folder)


def kept_in(folder: Path) -> dict[str, str]:
    """The files that were kept there."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def keep(case: Case) -> None:
    """Write the case's files anew."""
    keep_in(case.folder, files_of(case))


def keep_in(folder: Path, files: dict[str, str]) -> None:
    """Write these files anew, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, words in files.items():
        (folder / name).write_text(words)

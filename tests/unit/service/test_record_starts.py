# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording holds everything that a plan for the computer's start is made on, whatever was scrubbed from it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from vitrail.model.host_place import kind_of_change, subject_of_change
from vitrail.model.machine import Host, MachineKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Unknown
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.plan.host_phase import host_part
from vitrail.probe.host import read_host
from vitrail.source.names import Names
from vitrail.source.recording import open_recording
from vitrail.source.root import FolderRoot, Root
from vitrail.source.saving import plan_recording, save_recording

TESTS = Path(__file__).resolve().parents[2]
CASES = tomllib.loads((TESTS / "cases" / "cases.toml").read_text("utf-8"))
RESTARTS = [
    (machine, cases["win11--passthrough--restart"]["gpu"])
    for machine, cases in CASES.items()
    if "win11--passthrough--restart" in cases
]


def _read(root: Root) -> Host:
    return read_host(root, Unknown(text("tests.unread")), kind=MachineKind.RECORDING, names=Names(root), nvml=None)


def _shape(host: Host, card: str) -> tuple[object, ...]:
    gpu = host.gpu_at(PciAddress.parse(card))
    assert gpu is not None
    part = host_part(host, gpu, "0123456789abcdef")
    steps = [step for phase in part.phases for step in phase.steps if isinstance(step, HostStep)]
    kinds = [(kind_of_change(step.change), subject_of_change(step.change)) for step in steps]
    return (part.guard and (part.guard.strength, part.guard.reasons)), kinds, [one.id for one in part.findings]


@pytest.mark.parametrize(("machine", "card"), RESTARTS, ids=[machine for machine, _ in RESTARTS])
def test_a_recording_of_a_recording_gives_the_same_steps(machine, card, tmp_path):
    root = FolderRoot(TESTS / "machines" / machine / "root")
    save_recording(plan_recording(root, None, {}, ()), tmp_path / "again.tar.xz")
    again = open_recording(tmp_path / "again.tar.xz").root
    shape = _shape(_read(root), card)
    assert shape == _shape(_read(again), card)
    assert shape[1] or shape[2]

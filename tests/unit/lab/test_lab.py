# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's parts that need no machine: wiring, mailbox, verdicts, the list, and the refusal to run half."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import place
from lab.mailbox import CommandFailedError, GuestDiedError, LateError, Mailbox
from lab.scenario_list import SCENARIOS
from lab.table import Table
from lab.wiring import AUDIO, CARD, NIC, VGA_CARD, Hardware, Iommu, Slot


def test_buses_are_numbered_through_bridges():
    board = Hardware((Slot((CARD, AUDIO)), Slot((CARD, NIC), bridged=True), Slot((CARD,))), builtin=VGA_CARD)
    assert [(one.address, one.tied) for one in board.wired()] == [
        ("0000:00:02.0", ("0000:00:02.0",)),
        ("0000:01:00.0", ("0000:01:00.0", "0000:01:00.1")),
        ("0000:01:00.1", ("0000:01:00.0", "0000:01:00.1")),
        ("0000:03:01.0", ("0000:02:00.0", "0000:03:01.0", "0000:03:02.0")),
        ("0000:03:02.0", ("0000:02:00.0", "0000:03:01.0", "0000:03:02.0")),
        ("0000:04:00.0", ("0000:04:00.0",)),
    ]
    assert [one.address for one in board.displays()] == [
        *("0000:00:02.0", "0000:01:00.0", "0000:03:01.0", "0000:04:00.0")
    ]


@pytest.mark.parametrize("iommu", Iommu)
def test_a_machine_is_emulated_with_the_iommu_it_was_given(iommu: Iommu):
    words = " ".join(Hardware((Slot((CARD,)),), iommu).arguments_of_qemu())
    assert ("intel-iommu" in words, "amd-iommu" in words) == (iommu is Iommu.INTEL, iommu is Iommu.AMD)
    assert "kvm" not in words


def dead() -> None:
    """What a machine without a process says."""
    raise GuestDiedError("gone")


def mailbox(folder: Path, alive: Callable[[], None] = lambda: None) -> Mailbox:
    """One in which nobody answers."""
    box = Mailbox(folder / "mailbox", alive)
    box.empty()
    return box


def test_an_answer_that_does_not_come_is_late(tmp_path: Path):
    with pytest.raises(LateError, match="no answer"):
        mailbox(tmp_path).run("true", limit_s=0.05)


def test_nobody_can_answer_in_a_dead_machine(tmp_path: Path):
    with pytest.raises(GuestDiedError):
        mailbox(tmp_path, dead).run("true")


def test_a_status_other_than_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    box = mailbox(tmp_path)
    monkeypatch.setattr(box, "send", lambda _: "one")
    (box.folder / "one.err").write_text("why not")
    (box.folder / "one.rc").write_text("4\n")
    with pytest.raises(CommandFailedError, match=r"status 4(.|\n)*why not"):
        box.run("false")
    assert box.run("false", ok=False).status == 4


def test_a_start_before_leaves_no_answer(tmp_path: Path):
    box = mailbox(tmp_path)
    (box.folder / "ready").write_text("1.5 0f\n")
    assert box.ready() == (1.5, "0f")
    box.empty()
    assert box.ready() is None


def report(outcome: str, when: str = "call", **more: object) -> SimpleNamespace:
    """What pytest says of one part of a test."""
    given = {"nodeid": "tests/lab/scenarios/scan.py::test_one", "duration": 1.0, "when": when, "outcome": outcome}
    return SimpleNamespace(**given, failed=outcome == "failed", **more)


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [report("skipped")],
        [report("passed", "setup")],
        [report("passed"), report("failed", "teardown")],
        [report("passed", wasxfail="")],
        [report("passed", "setup"), report("failed")],
    ],
)
def test_only_a_pass_is_believed(reports: list[pytest.TestReport]):
    table = Table()
    for one in reports:
        table.pytest_runtest_logreport(one)
    assert not table.all_passed()


def test_a_pass_is_one_with_its_time():
    table = Table()
    for when in ("setup", "call", "teardown"):
        table.pytest_runtest_logreport(report("passed", when))
    assert table.all_passed()
    assert "scan         one    3.0 s  passed" in table.text()


def test_every_scenario_is_listed():
    listed = {scenario.file for scenario in SCENARIOS if scenario.file}
    assert listed == {path.stem for path in (place.HERE / "scenarios").glob("*.py")}


def test_a_lab_that_lacks_something_names_it_and_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRAIL_LAB_DIR", str(tmp_path))
    monkeypatch.setattr(place, "PROGRAMS", ("no-such-program",))
    with pytest.raises(place.LabCannotRunError, match="no-such-program"):
        place.require()


def test_consoles_are_kept_for_a_while_and_copies_as_long_as_their_lab_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITRAIL_LAB_DIR", str(tmp_path))
    for name in (f"share-{os.getpid()}", "share-0", "failed", "long-ago"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    os.utime(tmp_path / "runs" / "long-ago", (0, 0))
    place.forget_old_runs()
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {f"share-{os.getpid()}", "failed"}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded machine's plan carried out by the helper on a copy of that machine, and taken back byte for byte.

The two sides meet here: what the unprivileged side made of a recording is asked of the root side, which looks
everything up again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.golden import CASES, Case, planned, read
from helper.bench import apply_line, ask, snapshot, undo_line
from helper.recorded_bench import Recorded
from vitrail.model.boot import BootStack
from vitrail.model.host_step import ArgumentsByTool, HostChange, HostPlan, RunTool, WriteFile, arguments_of, tokens_of
from vitrail.model.kernel_argument import words_of
from vitrail.model.plan import Plan, When
from vitrail.model.reading import known_or
from vitrail.model.step import HostStep
from vitrail.model.trial import EntryTrial, GrubTrial

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


def plan_of(case: Case) -> Plan:
    plan = planned(case)
    assert isinstance(plan, Plan)
    return plan


def host_changes(plan: Plan, when: When) -> tuple[HostChange, ...]:
    """The host's steps of these phases."""
    steps = [step for phase in plan.phases if phase.when is when for step in phase.steps]
    return tuple(step.change for step in steps if isinstance(step, HostStep))


def with_restart() -> dict[str, Case]:
    """Every case whose plan changes how its machine starts."""
    plans = {case: planned(case) for case in CASES if case.mode == "passthrough"}
    return {
        f"{case.machine}/{case.name}": case
        for case, plan in plans.items()
        if isinstance(plan, Plan) and plan.guard is not None
    }


RESTARTING = with_restart()
TRIED = [name for name, case in RESTARTING.items() if host_changes(plan_of(case), When.KEEP)]


def machine(name: str, folder: Path) -> Recorded:
    files = [one for one in host_changes(plan_of(RESTARTING[name]), When.APPLY) if isinstance(one, WriteFile)]
    trial = next((one.template for one in files if isinstance(one.template, GrubTrial | EntryTrial)), None)
    place = RESTARTING[name].machine
    return Recorded(place, read(place), folder, trial)


def crossing(plan: Plan, steps: tuple[HostChange, ...], keep: tuple[HostChange, ...], *, guarded: bool) -> HostPlan:
    return HostPlan(
        plan.plan_id,
        plan.machine_id_hash or "",
        plan.boot_id or "",
        plan.identities,
        steps,
        keep,
        guarded=guarded,
    )


def carried_out_and_back(there: Recorded, plan: HostPlan) -> dict[str, tuple[object, ...]]:
    """What the machine was in between; raises unless it is as before in the end."""
    before = snapshot(there.root)
    (answer,) = ask(there.root, apply_line(plan))
    assert answer["ok"], answer
    between = snapshot(there.root)
    assert between != before
    (answer,) = ask(there.root, undo_line())
    assert answer["ok"], answer
    assert [run["result"] for run in answer["result"]] == ["taken_back"]
    assert snapshot(there.root) == before
    return between


UNIFIED = [name for name, case in RESTARTING.items() if known_or(read(case.machine).boot.stack, None) is BootStack.UKI]


@pytest.mark.parametrize("name", UNIFIED)
def test_an_image_that_nobody_can_look_into_is_refused_and_all_is_as_before(name: str, tmp_path: Path) -> None:
    """A unified image is not listed, so that nothing of it is promised: the plan is undone before it is over."""
    plan = plan_of(RESTARTING[name])
    there = machine(name, tmp_path)
    before = snapshot(there.root)
    (answer,) = ask(there.root, apply_line(crossing(plan, host_changes(plan, When.APPLY), (), guarded=True)))
    assert not answer["ok"]
    assert snapshot(there.root) == before


@pytest.mark.parametrize("name", [name for name in RESTARTING if name not in UNIFIED])
def test_what_lasts_is_carried_out_and_taken_back_byte_for_byte(name: str, tmp_path: Path) -> None:
    plan = plan_of(RESTARTING[name])
    keep = host_changes(plan, When.KEEP)
    there = machine(name, tmp_path)
    steps = keep or host_changes(plan, When.APPLY)
    carried_out_and_back(there, crossing(plan, steps, (), guarded=not keep))
    calls = (there.root / "calls").read_text().split("\n")
    tools = [step.tool for step in steps if isinstance(step, RunTool | ArgumentsByTool)]
    assert {line.split()[0] for line in calls if line} >= {tool.value.split("-mkinitrd")[0] for tool in tools}


@pytest.mark.parametrize("name", TRIED)
def test_a_trial_is_carried_out_and_taken_back_byte_for_byte(name: str, tmp_path: Path) -> None:
    plan = plan_of(RESTARTING[name])
    steps, keep = host_changes(plan, When.APPLY), host_changes(plan, When.KEEP)
    crossed = crossing(plan, steps, keep, guarded=True)
    assert set(tokens_of(crossed)) == {plan.plan_id}
    before = snapshot(machine(name, tmp_path / "before").root)
    between = carried_out_and_back(machine(name, tmp_path / "there"), crossed)
    mine = {change.template for change in steps if isinstance(change, WriteFile)}
    assert mine
    changed = {path for path in between if between[path] != before.get(path)}
    assert not any("initr" in path and "vitrail" not in path for path in changed)


@pytest.mark.parametrize("name", RESTARTING)
def test_words_of_a_plan_are_all_its_own_or_needed(name: str) -> None:
    plan = plan_of(RESTARTING[name])
    words = {word for when in When for one in host_changes(plan, when) for word in words_of(arguments_of(one))}
    own = {f"vitrail.plan={plan.plan_id}", "panic=30", "systemd.wants=vitrail-guard.service", "intel_iommu=on"}
    assert words <= own

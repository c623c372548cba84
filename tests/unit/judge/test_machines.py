# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded machines, read by the real readers: what may be given, what forbids it, which mode comes first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.hosts import at
from vitrail.judge.isolation import judge_card
from vitrail.judge.passthrough import apply_gates, passthrough_findings
from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.reading import Known
from vitrail.model.verdict import Feasibility, Isolation, ModeVerdict
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace

_MACHINES = Path(__file__).parents[2] / "machines"
Open = Callable[[str], Workplace]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    return lambda name: open_place(str(_MACHINES / name), None, state_folder=tmp_path)


def _stops(place: Workplace, machine: Host, address: str) -> set[str]:
    card = machine.gpu_at(at(address))
    assert card is not None
    return {one.id for one in passthrough_findings(machine, None, card, place.knowledge) if one.stops}


def _gates(machine: Host, address: str) -> set[str]:
    card = machine.gpu_at(at(address))
    assert card is not None
    return {one.id for one in apply_gates(machine, card)}


def _modes(place: Workplace, machine: Host, name: str, purpose: str) -> dict[Mode, ModeVerdict]:
    assert isinstance(machine.vms, Known)
    vm = next(one for one in machine.vms.value if one.name == name)
    return {one.mode: one for one in place.modes(machine, vm, purpose)}


@pytest.mark.parametrize(
    ("name", "address", "isolation"),
    [
        ("amd-desktop", "01:00.0", Isolation.ISOLATED),
        ("amd-desktop", "0e:00.0", Isolation.ISOLATED),
        ("intel-desktop", "00:02.0", Isolation.ISOLATED),
        ("intel-desktop", "03:00.0", Isolation.ISOLATED),
        ("two-identical", "09:00.0", Isolation.ISOLATED),
        ("bad-group", "06:00.0", Isolation.SHARED),
        ("bad-group", "07:00.0", Isolation.ISOLATED),
        ("no-iommu", "01:00.0", Isolation.UNKNOWN),
    ],
)
def test_which_card_can_be_given_alone(opened, name, address, isolation):
    machine = opened(name).read()
    card = machine.gpu_at(at(address))
    assert card is not None
    assert judge_card(machine, card).isolation is isolation


@pytest.mark.parametrize(
    ("name", "address", "stops"),
    [
        ("amd-desktop", "01:00.0", set()),
        ("amd-desktop", "0e:00.0", {"group.host-devices"}),
        ("intel-desktop", "03:00.0", set()),
        ("two-identical", "09:00.0", set()),
        ("bad-group", "06:00.0", {"group.isolated", "group.host-devices"}),
        ("no-iommu", "01:00.0", {"iommu.active"}),
        ("optimus-laptop", "01:00.0", set()),
        ("single-gpu", "09:00.0", set()),
        ("vgpu-server", "03:00.0", {"card.management"}),
        ("vgpu-server", "3b:00.0", {"card.parts"}),
        ("vgpu-server", "86:00.0", set()),
        ("vgpu-server", "c3:00.0", {"card.parts"}),
        ("vgpu-server", "c3:00.1", {"card.whole"}),
    ],
)
def test_what_makes_giving_a_card_impossible(opened, name, address, stops):
    place = opened(name)
    assert _stops(place, place.read(), address) == stops


@pytest.mark.parametrize(
    ("name", "address", "gates"),
    [
        ("amd-desktop", "01:00.0", set()),
        ("single-gpu", "09:00.0", {"card.only-screen"}),
        ("bad-group", "07:00.0", {"card.only-screen"}),
        ("intel-desktop", "03:00.0", set()),
        ("two-identical", "09:00.0", set()),
        ("optimus-laptop", "01:00.0", set()),
    ],
)
def test_what_forbids_writing_it(opened, name, address, gates):
    assert _gates(opened(name).read(), address) == gates


@pytest.mark.parametrize(
    ("name", "vm", "mode", "feasible"),
    [
        ("amd-desktop", "debian-dev", Mode.PASSTHROUGH, Feasibility.AFTER_CHANGES),
        ("amd-desktop", "debian-dev", Mode.VIRGL, Feasibility.READY),
        ("two-identical", "win11-studio", Mode.PASSTHROUGH, Feasibility.READY),
        ("two-identical", "win11-studio", Mode.VIRGL, Feasibility.IMPOSSIBLE),
        ("no-iommu", "win10", Mode.PASSTHROUGH, Feasibility.IMPOSSIBLE),
        ("vgpu-server", "training", Mode.VGPU, Feasibility.READY),
        ("vgpu-server", "training", Mode.SRIOV, Feasibility.READY),
        ("vgpu-server", "training", Mode.MIG_VGPU, Feasibility.IMPOSSIBLE),
    ],
)
def test_a_mode_on_a_recorded_machine(opened, name, vm, mode, feasible):
    place = opened(name)
    assert _modes(place, place.read(), vm, "unknown")[mode].feasible is feasible


def test_a_game_on_windows_wants_the_free_card(opened):
    place = opened("two-identical")
    first = min(_modes(place, place.read(), "win11-studio", "games").values(), key=lambda one: one.rank)
    assert (first.mode, first.feasible) == (Mode.PASSTHROUGH, Feasibility.READY)
    assert [card.address for card in first.cards if card.feasible is Feasibility.READY] == [at("09:00.0")]

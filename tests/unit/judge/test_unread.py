# SPDX-License-Identifier: GPL-3.0-or-later
"""What was not read: nothing fails, nothing becomes possible by it, and nothing becomes impossible by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from fakes.hosts import (
    ETHERNET,
    INTEL,
    UNREAD,
    amd_integrated,
    at,
    capabilities,
    device,
    given,
    host,
    intel_host,
    intel_integrated,
    known,
    nvidia_card,
    vm,
)
from vitrail.judge.feasibility import judge_choice, judge_modes
from vitrail.judge.isolation import judge_card, judge_groups
from vitrail.judge.losses import losses
from vitrail.judge.passthrough import apply_gates, host_needs
from vitrail.judge.readiness import judge_host
from vitrail.model.choice import Passthrough, Virgl
from vitrail.model.machine import Gpu, Host, PciDevice
from vitrail.model.reading import Known, Unknown
from vitrail.model.verdict import Feasibility
from vitrail.model.vm import GuestSystem, Vm, VmState

LINUX = vm("linux", guest=GuestSystem.LINUX)
_RUNNING = vm("other", hostdevs=given("01:00.0"), state=VmState.RUNNING)
_NETWORK = device("02:00.0", ETHERNET, INTEL, 0x1539, group=14)

MACHINES: dict[str, Host] = {
    "free": host(amd_integrated(), nvidia_card()),
    "lit": host(nvidia_card(boot_vga=True)),
    "tied": host(nvidia_card(), others=(_NETWORK,), network_cards=((at("02:00.0"), "enp2s0"),)),
    "no-iommu-amd": host(nvidia_card(group=None), active=False),
    "no-iommu-intel": intel_host(nvidia_card(group=None), active=False, intel_iommu_default_on="off"),
    "integrated": intel_host(intel_integrated(group=None)),
    "given-away": host(amd_integrated(), nvidia_card(), vms=(_RUNNING,)),
}


def _unread_in(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The same value with one reading after the other not made."""
    if isinstance(value, Known):
        yield path, UNREAD
        for where, other in _unread_in(value.value, path):
            yield where, Known(other, value.source)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            for where, other in _unread_in(item, f"{path}[{index}]"):
                yield where, (*value[:index], other, *value[index + 1 :])
    elif is_dataclass(value) and not isinstance(value, (Vm, type)):
        for field in fields(value):
            for where, other in _unread_in(getattr(value, field.name), f"{path}.{field.name}"):
                yield where, replace(value, **{field.name: other})


def _everything_unread(value: Any) -> Any:
    changes = {
        field.name: UNREAD if isinstance(part, (Known, Unknown)) else _everything_unread(part)
        for field in fields(value)
        if isinstance(part := getattr(value, field.name), (Known, Unknown)) or is_dataclass(part)
    }
    return replace(value, **changes)


CASES = [(name, path, machine) for name, base in MACHINES.items() for path, machine in _unread_in(base)]


def _words(machine: Host, knowledge) -> dict[str, Feasibility]:
    found = {}
    for verdict in judge_modes(machine, LINUX, known(capabilities()), knowledge, "unknown"):
        found[verdict.mode.value] = verdict.feasible
        found |= {f"{verdict.mode.value} {card.address}": card.feasible for card in verdict.cards}
    return found


# Readings that hold copies of the same fact: a group lists devices that the machine and the card list too.
@pytest.mark.parametrize(("name", "path", "machine"), CASES, ids=[f"{name}{path}" for name, path, _ in CASES])
def test_not_reading_one_thing_makes_nothing_possible_and_nothing_impossible(knowledge, name, path, machine):
    before, after = _words(MACHINES[name], knowledge), _words(machine, knowledge)
    for key, word in after.items():
        if key not in before:
            continue
        if before[key] is not Feasibility.READY:
            assert word is not Feasibility.READY, (key, path)
        if before[key] is not Feasibility.IMPOSSIBLE:
            assert word is not Feasibility.IMPOSSIBLE, (key, path)


@pytest.mark.parametrize(("name", "path", "machine"), CASES, ids=[f"{name}{path}" for name, path, _ in CASES])
def test_everything_else_can_be_said_without_that_reading(knowledge, name, path, machine):
    assert judge_host(machine, knowledge), (name, path)
    judge_groups(machine)
    choice = Passthrough(at("01:00.0"))
    assert judge_choice(machine, LINUX, choice, UNREAD, knowledge)
    losses(machine, LINUX, choice)
    for card in machine.gpus.value if isinstance(machine.gpus, Known) else ():
        judge_card(machine, card)
        host_needs(machine, card)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("reading", ["holders", "boot_vga", "outputs"])
def test_a_card_that_may_be_in_use_is_never_given_as_it_is(name, reading):
    base = MACHINES[name]
    card: Gpu = base.gpus.value[-1]
    doubtful = replace(card, **{reading: UNREAD})
    machine = replace(base, gpus=Known((*base.gpus.value[:-1], doubtful), "test"))
    assert host_needs(machine, doubtful).reserve or any(gate.stops for gate in apply_gates(machine, doubtful))


def test_a_machine_of_which_nothing_was_read_is_judged(knowledge):
    machine = _everything_unread(MACHINES["free"])
    assert isinstance(machine.iommu.active, Unknown)
    assert {finding.status for finding in judge_host(machine, knowledge)} == {"unknown"}
    words = set(_words(machine, knowledge).values())
    assert Feasibility.READY in words  # a plain screen needs nothing of the machine
    assert Feasibility.IMPOSSIBLE not in words


def test_a_card_of_which_nothing_was_read_is_judged(knowledge):
    base = MACHINES["free"]
    card: Gpu = base.gpus.value[1]
    functions: tuple[PciDevice, ...] = tuple(_everything_unread(one) for one in card.functions)
    bare = replace(_everything_unread(card), device=functions[0], functions=functions)
    machine = replace(base, gpus=Known((bare,), "test"))
    assert _words(machine, knowledge)["passthrough 0000:01:00.0"] in (Feasibility.UNKNOWN, Feasibility.AFTER_CHANGES)
    assert judge_choice(machine, LINUX, Virgl(at("01:00.0")), UNREAD, knowledge)

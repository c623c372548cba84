# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has which part of which card, as far as the machine and the VMs' definitions tell."""

from __future__ import annotations

import pytest

from fakes.hosts import at, given
from fakes.live_machine import uuid_of
from vitrail.load.processes import VmProcesses
from vitrail.load.tenancy import Tenancy, Way, cards_of, tenants_of
from vitrail.model.machine import MediatedDevice
from vitrail.model.reading import Known
from vitrail.model.vm import Hostdev, VmState

CARD = "03:00.0"
MDEV = "aa618089-8b16-4d01-a136-25a0f3c73123"


def uses(machine, mediated_devices=()):
    tenants = tenants_of(machine.host(mediated_devices=mediated_devices))
    assert isinstance(tenants, Known)
    return [tenant.uses for tenant in tenants.value]


def test_a_whole_card(machine):
    machine.card(CARD, "vfio-pci")
    machine.vm(1, *given(CARD))
    assert uses(machine) == [(Tenancy(Way.WHOLE, at(CARD)),)]


@pytest.mark.parametrize(
    ("driver", "use"),
    [
        ("nvidia", Tenancy(Way.SHARE, at(CARD), at("03:00.2"))),
        ("xe", Tenancy(Way.FUNCTION, at(CARD), at("03:00.2"), 2)),
    ],
)
def test_a_virtual_function_is_a_part_of_its_card(machine, driver, use):
    machine.card(CARD, driver)
    machine.functions(CARD, 2)
    machine.vm(1, *given("03:00.2"))
    assert uses(machine) == [(use,)]


@pytest.mark.parametrize(("driver", "way"), [("nvidia", Way.SHARE), ("i915", Way.MEDIATED)])
def test_a_mediated_device_is_a_part_of_its_card(machine, driver, way):
    machine.card(CARD, driver)
    machine.vm(1, Hostdev("mdev", mdev_uuid=MDEV.upper()))
    mdevs = (MediatedDevice(MDEV, "a-type", at(CARD)),)
    assert uses(machine, mediated_devices=mdevs) == [(Tenancy(way, at(CARD), mdev_uuid=MDEV),)]


def test_a_mediated_device_that_is_not_there_yet_may_be_on_any_card(machine):
    machine.vm(1, Hostdev("mdev", mdev_uuid=MDEV))
    assert uses(machine) == [(Tenancy(Way.SHARE, None, mdev_uuid=MDEV),)]


def test_a_vm_that_is_drawn_for(machine):
    machine.card(CARD, "amdgpu")
    machine.vm(1, drawn_on=CARD)
    machine.vm(2, gl=True)
    assert uses(machine) == [(Tenancy(Way.DRAWN, at(CARD)),), (Tenancy(Way.DRAWN, None),)]


def test_what_is_no_card_is_no_use_of_one(machine):
    machine.vm(1, Hostdev("usb"), *given("09:00.0"))
    assert uses(machine) == [()]


def test_vms_that_are_off_have_no_load(machine):
    for number, state in enumerate(VmState):
        machine.vm(number, state=state)
    tenants = tenants_of(machine.host())
    assert isinstance(tenants, Known)
    assert len(tenants.value) == 2


def test_virtual_functions_are_no_cards_of_their_own(machine):
    machine.card(CARD, "xe")
    machine.functions(CARD, 2)
    cards = cards_of(machine.host())
    assert isinstance(cards, Known)
    assert [card.address for card in cards.value] == [at(CARD)]


def test_processes_of_two_vms_are_told_apart(machine):
    for number, pid in ((1, 100), (2, 200)):
        machine.process(pid, number=number)
        machine.process(pid + 1, name="vhost-user-gpu")
        machine.join(pid + 1, number)
    machine.process(50, name="bash")
    processes = VmProcesses(machine.root)
    processes.refresh()
    assert processes.of(uuid_of(1)) == (100, 101)
    assert processes.of(uuid_of(2)) == (200, 201)
    assert processes.of(uuid_of(3)) == ()


def test_a_qemu_of_the_users_own_session_needs_no_control_group(machine):
    machine.process(100, number=1)
    machine.write("proc/100/cgroup", "0::/user.slice/user-1000.slice/session-2.scope")
    machine.process(101, name="virgl_render_se", parent=100)
    processes = VmProcesses(machine.root)
    processes.refresh()
    assert processes.of(uuid_of(1)) == (100, 101)


def test_a_known_process_is_not_looked_at_again(machine):
    machine.process(100, number=1)
    processes = VmProcesses(machine.root)
    processes.refresh()
    machine.write("proc/100/cmdline", "something else")
    processes.refresh()
    assert processes.of(uuid_of(1)) == (100,)
    machine.end(100)
    processes.refresh()
    assert processes.of(uuid_of(1)) == ()


def test_a_process_that_ends_while_it_is_looked_at_is_nobodys(machine):
    machine.tree.folder_at("proc/300")
    processes = VmProcesses(machine.root)
    processes.refresh()
    assert processes.visible

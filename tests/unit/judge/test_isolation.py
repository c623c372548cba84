# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups can be given alone, and what the others are tied to."""

from __future__ import annotations

from dataclasses import replace

from fakes.hosts import (
    AMD,
    AMD_CHIPSET,
    ETHERNET,
    HDA,
    HOST_BRIDGE,
    INTEL,
    NVIDIA,
    NVME,
    PCI_BRIDGE,
    SATA,
    UNREAD,
    USB,
    VGA,
    amd_integrated,
    at,
    device,
    gpu,
    host,
    known,
    nvidia_card,
)
from vitrail.judge.isolation import judge_card, judge_groups, tied_to
from vitrail.judge.words import plain
from vitrail.model.machine import Host
from vitrail.model.text import Text, text
from vitrail.model.verdict import Isolation

ALONE = (text("judge.group.alone"),)


def _only(machine: Host) -> tuple[Isolation, tuple[Text, ...]]:
    (verdict,) = judge_groups(machine)
    return verdict.isolation, verdict.reasons


def _amd_behind_its_switch(group: int = 1):
    port = device("00:01.1", PCI_BRIDGE, AMD_CHIPSET, 0x1483, group=group)
    upstream = device("03:00.0", PCI_BRIDGE, AMD, 0x1478, group=group, parent="00:01.1")
    downstream = device("04:00.0", PCI_BRIDGE, AMD, 0x1479, group=group, parent="03:00.0")
    card = gpu(
        device("05:00.0", VGA, AMD, 0x73DF, group=group, parent="04:00.0"),
        device("05:00.1", HDA, AMD, 0xAB28, group=group, parent="04:00.0"),
    )
    return card, (port, upstream, downstream)


def _arc(*, told: bool = True, group: int = 20):
    def behind(bridge: str) -> str | None:
        return bridge if told else None

    bridges = (
        device("00:01.0", PCI_BRIDGE, INTEL, 0x460D, group=group),
        device("01:00.0", PCI_BRIDGE, INTEL, 0x4FA1, group=group, parent=behind("00:01.0")),
        device("02:01.0", PCI_BRIDGE, INTEL, 0x4FA4, group=group, parent=behind("01:00.0")),
        device("02:04.0", PCI_BRIDGE, INTEL, 0x4FA4, group=group, parent=behind("01:00.0")),
    )
    card = gpu(device("03:00.0", VGA, INTEL, 0x56A6, group=group, parent=behind("02:01.0")))
    sound = device("04:00.0", HDA, INTEL, 0x4F92, group=group, parent=behind("02:04.0"))
    return card, (*bridges, sound)


def test_all_functions_of_one_slot_are_one_card():
    assert _only(host(nvidia_card())) == (Isolation.ISOLATED, ALONE)


def test_bridges_do_not_count():
    root = device("00:01.0", PCI_BRIDGE, INTEL, 0x1901, group=14)
    dummy = device("00:02.0", HOST_BRIDGE, AMD_CHIPSET, 0x1482, group=14)
    assert _only(host(nvidia_card(), others=(root, dummy))) == (Isolation.ISOLATED, ALONE)


def test_a_card_behind_its_own_switch_can_be_given_alone():
    card, bridges = _amd_behind_its_switch()
    assert _only(host(card, others=bridges)) == (Isolation.ISOLATED, ALONE)


def test_a_network_card_and_disks_are_named():
    network = device("02:00.0", ETHERNET, 0x8086, 0x1539, group=14)
    disks = tuple(device(f"0{slot}:00.0", NVME, 0x144D, 0xA80A, group=14) for slot in (3, 4))
    isolation, reasons = _only(host(nvidia_card(), others=(network, *disks)))
    what = text("judge.list.last", first=text("judge.kind.network", 1), last=text("judge.kind.disk", 2))
    assert (isolation, reasons) == (Isolation.SHARED, (text("judge.group.tied", what=what),))


def test_two_cards_in_one_group_are_tied_to_each_other():
    first, second = nvidia_card("01", 1), nvidia_card("02", 1)
    isolation, _ = _only(host(first, second))
    assert isolation is Isolation.SHARED


def test_sound_on_its_own_bus_behind_the_card_s_switch_is_part_of_the_card():
    card, rest = _arc()
    assert _only(host(card, others=rest)) == (Isolation.ISOLATED, ALONE)


def test_without_the_chain_of_bridges_sound_on_another_bus_stays_open():
    card, rest = _arc(told=False)
    isolation, reasons = _only(host(card, others=rest))
    assert (isolation, reasons) == (Isolation.UNKNOWN, (text("judge.group.maybe-own-sound"),))


def test_sound_of_another_maker_is_not_part_of_the_card():
    sound = device("04:00.0", HDA, 0x13F6, 0x8788, group=14)
    assert _only(host(nvidia_card(), others=(sound,)))[0] is Isolation.SHARED


def test_the_chipset_s_switch_is_not_the_card_s():
    # A chipset of the same maker as its graphics would be climbed if only the maker counted.
    upstream = device("01:00.0", PCI_BRIDGE, AMD, 0x43F4, group=15, parent="00:02.1")
    down = device("02:00.0", PCI_BRIDGE, AMD, 0x43F5, group=15, parent="01:00.0")
    side = device("02:04.0", PCI_BRIDGE, AMD, 0x43F5, group=15, parent="01:00.0")
    card = gpu(device("03:00.0", VGA, AMD, 0x73DF, group=15, parent="02:00.0"))
    sata = device("04:00.0", SATA, AMD, 0x43F6, group=15, parent="02:04.0")
    port = device("00:02.1", PCI_BRIDGE, AMD_CHIPSET, 0x14DB, group=15)
    assert _only(host(card, others=(port, upstream, down, side, sata)))[0] is Isolation.SHARED


def test_two_cards_on_one_board_are_two_cards():
    bridges = (
        device("00:01.0", PCI_BRIDGE, INTEL, 0x460D, group=7),
        device("01:00.0", PCI_BRIDGE, INTEL, 0x4FA0, group=7, parent="00:01.0"),
        device("02:00.0", PCI_BRIDGE, INTEL, 0x4FA4, group=7, parent="01:00.0"),
        device("02:01.0", PCI_BRIDGE, INTEL, 0x4FA4, group=7, parent="01:00.0"),
    )
    left = gpu(device("03:00.0", VGA, INTEL, 0x56C1, group=7, parent="02:00.0"))
    right = gpu(device("04:00.0", VGA, INTEL, 0x56C1, group=7, parent="02:01.0"))
    assert _only(host(left, right, others=bridges))[0] is Isolation.SHARED


def test_a_group_without_a_card_is_judged_too():
    board = (
        device("00:14.0", 0x0C0500, AMD_CHIPSET, 0x790B, group=10),
        device("00:14.3", 0x060100, AMD_CHIPSET, 0x790E, group=10),
    )
    assert _only(host(others=board)) == (Isolation.ISOLATED, ALONE)


def test_different_devices_without_a_card_go_only_together():
    mixed = (device("02:00.0", SATA, 0x1022, 0x43F6, group=3), device("03:00.0", USB, 0x1022, 0x43F7, group=3))
    isolation, reasons = _only(host(others=mixed))
    assert isolation is Isolation.SHARED
    assert reasons[0].id == "judge.group.together"


def test_a_group_of_bridges_only_has_nothing_to_give():
    bridge = device("00:01.2", PCI_BRIDGE, AMD_CHIPSET, 0x1483, group=1)
    assert _only(host(others=(bridge,))) == (Isolation.ISOLATED, (text("judge.group.only-bridges"),))


def test_virtual_functions_are_parts_of_their_card():
    card = gpu(device("51:00.0", VGA, NVIDIA, 0x2235, group=9))
    function = device("51:01.2", VGA, NVIDIA, 0x2235, group=9, physical="51:00.0")
    assert _only(host(card, others=(function,)))[0] is Isolation.ISOLATED


def test_a_device_of_unknown_class_still_ties():
    mystery = device("05:00.0", None, None, None, group=14)
    assert _only(host(nvidia_card(), others=(mystery,)))[0] is Isolation.SHARED


def test_groups_that_were_not_read_have_no_verdicts():
    assert judge_groups(host(nvidia_card(), groups=UNREAD)) == ()


def test_every_group_that_a_card_touches_counts():
    # The graphics are alone; their sound shares a group with a disk.
    card = gpu(device("0b:00.0", VGA, group=35), device("0b:00.1", HDA, group=36))
    disk = device("0c:00.0", NVME, 0x144D, 0xA80A, group=36)
    verdict = judge_card(host(card, others=(disk,)), card)
    assert (verdict.number, verdict.isolation) == (35, Isolation.SHARED)


def test_a_card_whose_functions_have_groups_of_their_own_can_be_given():
    card = amd_integrated()
    assert judge_card(host(card), card).isolation is Isolation.ISOLATED


def test_a_card_in_no_group_is_not_known_to_be_alone():
    card = nvidia_card(group=None)
    verdict = judge_card(host(card, active=False), card)
    assert (verdict.number, verdict.isolation) == (None, Isolation.UNKNOWN)


def test_a_card_whose_group_was_not_read_is_not_known_to_be_alone():
    card = gpu(device("01:00.0", VGA, group=UNREAD))
    assert judge_card(host(card), card).isolation is Isolation.UNKNOWN


def test_groups_that_were_not_read_say_why():
    card = nvidia_card()
    verdict = judge_card(host(card, groups=UNREAD), card)
    assert verdict.reasons == (text("judge.group.unread", reason=UNREAD.reason),)


def test_what_is_tied_to_a_card_is_named():
    disk = device("03:00.0", NVME, 0x144D, 0xA80A, group=14)
    card = nvidia_card()
    assert [one.address for one in tied_to(host(card, others=(disk,)), card)] == [at("03:00.0")]


def test_a_group_with_a_member_that_could_not_be_read_is_not_called_alone():
    card = nvidia_card()
    machine = host(card)
    (group,) = machine.groups.value
    partial = replace(machine, groups=known((replace(group, silent=(at("03:00.0"),)),)))
    assert _only(partial) == (Isolation.UNKNOWN, (text("judge.group.silent", where=plain("03:00.0")),))
    assert judge_card(partial, card).isolation is Isolation.UNKNOWN


def test_a_loop_of_bridges_ends():
    # Crafted facts may say anything; a reader of them must come back.
    first = device("01:00.0", PCI_BRIDGE, NVIDIA, 1, group=14, parent="02:00.0")
    second = device("02:00.0", PCI_BRIDGE, NVIDIA, 1, group=14, parent="01:00.0")
    card = gpu(device("03:00.0", VGA, group=14, parent="02:00.0"))
    other = device("04:00.0", NVME, 0x144D, 0xA80A, group=14)
    assert _only(host(card, others=(first, second, other)))[0] is Isolation.SHARED

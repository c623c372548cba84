# SPDX-License-Identifier: GPL-3.0-or-later
"""A pasted listing becomes a machine: what the text tells is known, everything else is unknown with a reason."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vitrail.model.machine import Gpu, Host, MachineKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.probe.listing import host_from_listing
from vitrail.source.lspci_text import read_listing

TEXT = """\
IOMMU Group 0 00:00.0 Host bridge [0600]: Intel Corporation Host Bridge [8086:3e30] (rev 0a)
IOMMU Group 1 00:01.0 PCI bridge [0604]: Intel Corporation PCIe Controller (x16) [8086:1901]
IOMMU Group 1 01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [GeForce RTX 3070] [10de:2484] (rev a1)
IOMMU Group 1 01:00.1 Audio device [0403]: NVIDIA Corporation GA104 HD Audio [10de:228b] (rev a1)
IOMMU Group 2 03:00.0 VGA compatible controller [0300]: Intel Corporation DG2 [Arc A310] [8086:56a6]
IOMMU Group 3 04:00.0 Audio device [0403]: Intel Corporation DG2 Audio Controller [8086:4f92]
"""
PLAIN = "00:02.0 VGA compatible controller: Intel Corporation UHD Graphics 620 (rev 07)\n"


def machine(words: str) -> Host:
    return host_from_listing(read_listing(words))


def card(host: Host, address: str) -> Gpu:
    found = host.gpu_at(PciAddress.parse(address))
    assert found is not None
    return found


def test_cards_with_all_functions_of_their_slot_first_themselves():
    host = machine(TEXT)
    assert isinstance(host.gpus, Known)
    assert [[function.address.short for function in gpu.functions] for gpu in host.gpus.value] == [
        ["01:00.0", "01:00.1"],
        ["03:00.0"],
    ]


def test_groups_in_the_order_of_their_numbers():
    host = machine(TEXT)
    assert isinstance(host.groups, Known)
    assert {group.number: [member.address.short for member in group.members] for group in host.groups.value} == {
        0: ["00:00.0"],
        1: ["00:01.0", "01:00.0", "01:00.1"],
        2: ["03:00.0"],
        3: ["04:00.0"],
    }
    assert host.iommu.active == Known(value=True, source="listing")


def test_names_and_ids():
    device = card(machine(TEXT), "01:00.0").device
    assert device.vendor_name == Known("NVIDIA Corporation", "listing")
    assert device.name == Known("GA104 [GeForce RTX 3070]", "listing")
    assert (device.identity.vendor_id, device.identity.device_id) == (0x10DE, 0x2484)


def test_what_the_text_leaves_open_is_unknown():
    gpu = card(machine(PLAIN), "00:02.0")
    assert (gpu.device.identity.vendor_id, gpu.device.identity.device_id) == (None, None)
    assert isinstance(gpu.device.group, Unknown)
    assert isinstance(gpu.device.driver, Unknown)
    host = machine(PLAIN)
    assert isinstance(host.groups, Unknown)
    assert isinstance(host.iommu.active, Unknown)


def test_a_function_shown_without_a_group_has_none():
    host = machine(
        "00:00.0 Host bridge: Intel Corporation Host Bridge\n\tFlags: bus master, IOMMU group 0\n\n"
        "00:02.0 VGA compatible controller: Intel Corporation UHD Graphics 620\n\tFlags: bus master, IRQ 3\n"
    )
    assert card(host, "00:02.0").device.group == Known(None, "listing")


def test_the_bridge_above_a_card_is_known_where_the_text_tells_the_buses():
    host = machine(
        "00:01.0 PCI bridge: Intel Corporation Root Port\n\tBus: primary=00, secondary=01, subordinate=01\n"
        "01:00.0 VGA compatible controller: NVIDIA Corporation GA104\n"
    )
    assert card(host, "01:00.0").device.parent == PciAddress.parse("00:01.0")


@pytest.mark.parametrize("name", [field.name for field in fields(Gpu) if field.name not in ("device", "functions")])
def test_no_fact_of_a_card_is_made_up(name: str):
    assert isinstance(getattr(card(machine(TEXT), "01:00.0"), name), Unknown)


@pytest.mark.parametrize(
    "name",
    ["kernel", "machine_id_hash", "boot_id", "cmdline", "virtual", "modules", "kvm", "mediated_devices", "vms"],
)
def test_no_fact_of_the_machine_is_made_up(name: str):
    assert isinstance(getattr(machine(TEXT), name), Unknown)


def test_the_machine_says_that_it_is_a_listing():
    assert machine(TEXT).kind is MachineKind.LISTING


def test_the_same_text_gives_the_same_digest_and_another_text_another():
    assert machine(TEXT).digest == machine(TEXT).digest != machine(PLAIN).digest

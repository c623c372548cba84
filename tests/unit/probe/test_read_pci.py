# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions, groups, drivers: the inventory."""

from __future__ import annotations

from errno import EACCES, EIO

import pytest

from fakes.desktop import CARD, SOUND, card, desktop, read, reason, value
from fakes.roots import BrokenRoot, NotingRoot
from fakes.sysfs import ETHERNET, PCI_BRIDGE, VGA, Tree
from vitrail.model.machine import IommuKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known
from vitrail.source.root import AbsentRoot


def test_every_function_is_listed_with_ids_class_driver_and_group(tmp_path):
    device = read(desktop(tmp_path)).device_at(PciAddress.parse(CARD))
    assert device is not None
    identity = device.identity
    assert (identity.vendor_id, identity.device_id) == (0x10DE, 0x2783)
    assert (identity.subsystem_vendor_id, identity.subsystem_device_id) == (0x1458, 0x4117)
    assert device.pci_class.code == VGA
    assert (value(device.driver), value(device.group)) == ("nvidia", 12)
    assert str(device.parent) == "0000:00:01.1"


def test_a_subsystem_of_zeros_is_none(tmp_path):
    device = read(desktop(tmp_path)).device_at(PciAddress.parse(SOUND))
    assert device is not None
    assert device.identity.subsystem_vendor_id is None


def test_without_uevent_the_single_files_and_the_driver_link_are_read(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x1002, 0x73BF, driver="amdgpu", subsystem=(0x1002, 0x0E3A), uevent=False)
    device = card(read(tree)).device
    assert (device.identity.vendor_id, device.identity.subsystem_device_id) == (0x1002, 0x0E3A)
    assert value(device.driver) == "amdgpu"


def test_a_uevent_without_a_driver_line_still_finds_the_driver_link(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x1002, 0x73BF, driver="amdgpu")
    tree.file(f"{tree.place_of(CARD)}/uevent", "PCI_CLASS=30000\nPCI_ID=1002:73BF")
    assert value(card(read(tree)).device.driver) == "amdgpu"


def test_a_function_without_a_driver_has_none(tmp_path):
    assert value(card(read(Tree(tmp_path).pci(CARD, VGA, 0x1002, 0x73BF))).device.driver) is None


@pytest.mark.parametrize("code", [0x030000, 0x030200, 0x038000])
def test_every_display_class_is_a_card(tmp_path, code):
    assert len(value(read(Tree(tmp_path).pci(CARD, code, 0x1A03, 0x2000)).gpus)) == 1


def test_a_card_has_all_functions_of_its_slot_itself_first(tmp_path):
    gpu = card(read(desktop(tmp_path)))
    assert [str(device.address) for device in gpu.functions] == [CARD, SOUND]


def test_groups_hold_their_members_by_number(tmp_path):
    groups = {group.number: group for group in value(read(desktop(tmp_path)).groups)}
    assert [str(member.address) for member in groups[12].members] == [CARD, SOUND]
    assert list(groups) == sorted(groups)


def test_a_group_whose_folder_is_not_there_is_found_by_the_links_to_it(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 0x2783)
    (tree.folder / tree.place_of(CARD) / "iommu_group").symlink_to("../../../kernel/iommu_groups/7")
    (group,) = value(read(tree).groups)
    assert (group.number, len(group.members)) == (7, 1)


def test_a_member_that_will_not_say_what_it_is_stays_in_its_group(tmp_path):
    tree = desktop(tmp_path)
    root = BrokenRoot(tree.folder, lambda path: SOUND in path and "/sys/devices" in f"/{path}", EIO)
    groups = {group.number: group for group in value(read(root).groups)}
    assert [str(address) for address in groups[12].silent] == [SOUND]


def test_a_member_that_only_its_group_knows_stays_in_it(tmp_path):
    tree = desktop(tmp_path).file("sys/kernel/iommu_groups/12/devices/0000:01:00.7")
    groups = {group.number: group for group in value(read(tree).groups)}
    assert [str(address) for address in groups[12].silent] == ["0000:01:00.7"]


def test_groups_that_may_not_be_looked_at_are_unknown(tmp_path):
    root = BrokenRoot(desktop(tmp_path).folder, lambda path: path.startswith("sys/kernel/iommu_groups"), EACCES)
    assert reason(read(root).groups) == "probe.forbidden"


def test_a_virtual_function_names_its_card(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 0x2235, sriov=(32, 1))
    tree.pci("0000:01:00.4", VGA, 0x10DE, 0x2235, physfn=CARD)
    host = read(tree)
    assert str(card(host, "0000:01:00.4").device.physical_function) == CARD
    assert [len(gpu.functions) for gpu in value(host.gpus)] == [1, 1]
    sriov = value(card(host).sriov)
    assert (sriov.total, sriov.active, [str(one) for one in sriov.functions]) == (32, 1, ["0000:01:00.4"])


def test_no_sysfs_at_all_is_unknown_and_no_empty_machine(tmp_path):
    for host in (read(AbsentRoot()), read(Tree(tmp_path))):
        assert {reason(host.devices), reason(host.gpus), reason(host.groups)} == {"probe.not-recorded"}


def test_a_machine_without_a_card_has_none(tmp_path):
    host = read(Tree(tmp_path).pci("0000:00:03.0", ETHERNET, 0x8086, 0x15F3))
    assert (value(host.gpus), value(host.groups)) == ((), ())


def test_an_iommu_is_told_by_its_class_and_never_by_the_command_line(tmp_path):
    off = read(Tree(tmp_path / "off").kernel(cmdline="intel_iommu=on").iommu())
    on = read(Tree(tmp_path / "on").kernel(cmdline="quiet").iommu("dmar0", "dmar1"))
    assert (value(off.iommu.active), value(off.iommu.kind)) == (False, None)
    assert (value(on.iommu.active), value(on.iommu.kind)) == (True, IommuKind.INTEL)


@pytest.mark.parametrize(("table", "offered"), [("DMAR", IommuKind.INTEL), ("IVRS", IommuKind.AMD), ("FACP", None)])
def test_what_the_firmware_describes_is_told_whether_it_is_in_use_or_not(tmp_path, table, offered):
    seen = read(Tree(tmp_path).file(f"sys/firmware/acpi/tables/{table}").iommu()).iommu
    assert (value(seen.active), value(seen.offered)) == (False, offered)


def test_groups_without_the_class_still_mean_an_iommu(tmp_path):
    host = read(Tree(tmp_path).pci(CARD, VGA, 0x10DE, 0x2783, group=1))
    assert value(host.iommu.active) is True


def test_names_that_are_no_addresses_are_left_alone(tmp_path):
    tree = desktop(tmp_path).file("sys/bus/pci/devices/README").file("sys/kernel/iommu_groups/zero/devices/x")
    assert len(value(read(tree).devices)) == 8


def test_reading_never_touches_what_wakes_a_sleeping_card(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 0x2783, driver="nvidia", power_state="D3cold")
    for name in ("config", "rom", "current_link_speed", "max_link_speed", "current_link_width", "max_link_width"):
        tree.file(f"{tree.place_of(CARD)}/{name}", "1")
    root = NotingRoot(tree.folder)
    gpu = card(read(root))
    assert reason(gpu.link) == "probe.asleep"
    touched = {path.rpartition("/")[2] for path in root.read_paths}
    assert touched.isdisjoint({"config", "rom", "current_link_speed", "max_link_speed", "information"})


def test_a_bridge_between_is_the_parent(tmp_path):
    tree = (
        Tree(tmp_path)
        .pci("0000:00:01.0", PCI_BRIDGE, 1, 1)
        .pci("0000:01:00.0", PCI_BRIDGE, 1, 1, behind="0000:00:01.0")
    )
    tree.pci("0000:02:00.0", VGA, 0x1002, 0x73BF, behind="0000:01:00.0")
    host = read(tree)
    devices = {str(device.address): device.parent for device in value(host.devices)}
    assert devices == {
        "0000:00:01.0": None,
        "0000:01:00.0": PciAddress(0, 0, 1, 0),
        "0000:02:00.0": PciAddress(0, 1, 0, 0),
    }
    assert isinstance(host.devices, Known)

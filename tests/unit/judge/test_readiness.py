# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this computer ready: one finding a question, with evidence and what would change it."""

from __future__ import annotations

import pytest

from fakes.hosts import UNREAD, VGA, amd_integrated, device, gpu, host, intel_host, nvidia_card, vm
from vitrail.judge.readiness import judge_host
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import CpuVendor, Host, MachineKind

ALWAYS = {
    "cpu.virtualization",
    "kvm.available",
    "iommu.active",
    "host.virtual",
    "gpu.present",
    "gpu.isolated",
    "identical-cards",
    "boot.stack",
    "secure-boot",
    "lockdown",
    "libvirt.vms",
}


def _found(machine: Host, knowledge: Knowledge) -> dict[str, Finding]:
    return {one.id: one for one in judge_host(machine, knowledge)}


def test_a_machine_in_order_has_nothing_that_stops(knowledge):
    found = judge_host(host(amd_integrated(), nvidia_card(), vms=(vm(),)), knowledge)
    assert {one.id for one in found} >= ALWAYS
    assert [one.id for one in found if one.stops] == []


@pytest.mark.parametrize(
    ("said", "finding", "severity"),
    [
        ({"virtualization": False}, "cpu.virtualization", Severity.BLOCKS),
        ({"kvm": False}, "kvm.available", Severity.BLOCKS),
        ({"active": False}, "iommu.active", Severity.BLOCKS),
        (
            {"active": False, "vendor": CpuVendor.INTEL, "intel_iommu_default_on": "off"},
            "iommu.active",
            Severity.BLOCKS,
        ),
        ({"virtual": "kvm"}, "host.virtual", Severity.WARNS),
        ({"stack": None}, "boot.stack", Severity.WARNS),
        ({"secure_boot": True}, "secure-boot", Severity.INFO),
        ({"lockdown": "integrity"}, "lockdown", Severity.INFO),
        ({"vms": ()}, "libvirt.vms", Severity.INFO),
        ({"cmdline": "ro pcie_acs_override=downstream"}, "cmdline.acs-override", Severity.WARNS),
        ({"cmdline": "ro vfio-pci.ids=10de:2504"}, "cmdline.vfio-ids", Severity.INFO),
        ({"cmdline": "ro vfio_pci.ids=10de:2504"}, "cmdline.vfio-ids", Severity.INFO),
        ({"cmdline": "ro amd_iommu=on video=efifb:off"}, "cmdline.folklore", Severity.INFO),
    ],
)
def test_what_is_not_as_it_should_be_is_said(knowledge, said, finding, severity):
    found = _found(host(amd_integrated(), nvidia_card(), **said), knowledge)[finding]
    assert (found.status, found.severity) == (Status.FAIL, severity)
    assert found.remedy is not None
    assert found.evidence


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ({"virtualization": UNREAD}, "cpu.virtualization"),
        ({"kvm": UNREAD}, "kvm.available"),
        ({"active": UNREAD}, "iommu.active"),
        ({"virtual": UNREAD}, "host.virtual"),
        ({"stack": UNREAD}, "boot.stack"),
        ({"secure_boot": UNREAD}, "secure-boot"),
        ({"lockdown": UNREAD}, "lockdown"),
        ({"gpus": UNREAD}, "gpu.present"),
        ({"vms": UNREAD}, "libvirt.vms"),
    ],
)
def test_what_was_not_read_is_unknown(knowledge, said, finding):
    assert _found(host(amd_integrated(), nvidia_card(), **said), knowledge)[finding].status is Status.UNKNOWN


def test_a_plain_command_line_gives_no_findings(knowledge):
    assert not any(name.startswith("cmdline.") for name in _found(host(nvidia_card()), knowledge))


def test_what_the_iommu_needs_is_said_with_the_argument(knowledge):
    machine = intel_host(nvidia_card(group=None), active=False, intel_iommu_default_on="off")
    remedy = _found(machine, knowledge)["iommu.active"].remedy
    assert remedy is not None
    assert dict(remedy.args) == {"arguments": "intel_iommu=on"}


def test_no_card_is_a_warning_because_a_plain_screen_needs_none(knowledge):
    found = _found(host(), knowledge)
    assert (found["gpu.present"].status, found["gpu.present"].stops) == (Status.FAIL, False)
    assert "gpu.isolated" not in found


def test_the_screen_of_remote_management_is_no_card_to_give(knowledge):
    machine = host(gpu(device("03:00.0", VGA, 0x1A03, 0x2000, group=4)))
    found = _found(machine, knowledge)["gpu.present"]
    assert found.title.id == "judge.gpu.none-but-management"


def test_twins_are_named(knowledge):
    found = _found(host(nvidia_card("01", 1), nvidia_card("02", 2)), knowledge)["identical-cards"]
    assert (found.status, len(found.evidence)) == (Status.FAIL, 2)


@pytest.mark.parametrize(
    ("kind", "stops"),
    [
        (MachineKind.REAL, True),
        (MachineKind.REMOTE, True),
        (MachineKind.RECORDING, False),
        (MachineKind.DEMO, False),
        (MachineKind.LISTING, False),
    ],
)
def test_a_silent_libvirt_matters_where_it_was_asked(knowledge, kind, stops):
    assert _found(host(nvidia_card(), vms=UNREAD, kind=kind), knowledge)["libvirt.vms"].stops is stops


def test_ids_are_stable_and_none_comes_twice(knowledge):
    machine = host(amd_integrated(), nvidia_card("01", 1), nvidia_card("02", 2))
    names = [one.id for one in judge_host(machine, knowledge)]
    assert len(names) == len(set(names))


def test_a_report_about_two_cards_names_both(knowledge):
    found = _found(host(nvidia_card("01", 1), nvidia_card("02", 2)), knowledge)["report.nvidia-code-43"]
    assert [one.source for one in found.evidence][1:] == ["0000:01:00.0", "0000:02:00.0"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against giving a card, what the host needs, and what forbids writing it yet."""

from __future__ import annotations

import pytest

from fakes.hosts import (
    DISPLAY_3D,
    ETHERNET,
    HDA,
    INTEL,
    NVIDIA,
    PCI_BRIDGE,
    UNREAD,
    USB,
    VGA,
    amd_integrated,
    at,
    device,
    given,
    gpu,
    holders,
    host,
    intel_host,
    intel_integrated,
    nvidia_card,
    output,
    process,
    vm,
)
from vitrail.judge.passthrough import HostNeeds, apply_gates, host_needs, passthrough_findings
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import (
    Connection,
    CpuVendor,
    Gpu,
    Holder,
    HolderKind,
    Host,
    IommuKind,
    MediatedDevice,
    Output,
    SriovCapability,
)
from vitrail.model.reading import Known
from vitrail.model.text import text
from vitrail.model.vm import VmState


def _findings(machine: Host, card: Gpu, knowledge: Knowledge, of=None) -> dict[str, Finding]:
    return {one.id: one for one in passthrough_findings(machine, of, card, knowledge)}


def _stops(machine: Host, card: Gpu, knowledge: Knowledge) -> set[str]:
    return {one.id for one in passthrough_findings(machine, None, card, knowledge) if one.stops}


def test_a_free_card_has_nothing_against_it(knowledge):
    card = nvidia_card()
    machine = host(amd_integrated(), card)
    assert _stops(machine, card, knowledge) == set()
    assert host_needs(machine, card) == HostNeeds()
    assert apply_gates(machine, card) == ()


@pytest.mark.parametrize(
    ("vendor", "number"), [(0x1A03, 0x2000), (0x102B, 0x0534), (0x19E5, 0x1711)], ids=["aspeed", "matrox", "hibmc"]
)
def test_the_screen_of_remote_management_is_never_given(knowledge, vendor, number):
    card = gpu(device("03:00.0", VGA, vendor, number, group=14))
    assert _stops(host(card), card, knowledge) == {"card.management"}


def test_a_virtual_function_is_no_whole_card(knowledge):
    card = gpu(device("51:00.4", DISPLAY_3D, NVIDIA, 0x2235, group=9, physical="51:00.0"))
    assert "card.whole" in _stops(host(card), card, knowledge)


def test_what_is_no_graphics_card_is_refused(knowledge):
    card = gpu(device("02:00.0", ETHERNET, INTEL, 0x1539, group=9))
    assert _stops(host(card), card, knowledge) == {"card.display"}


def test_a_card_whose_functions_are_in_use_is_not_whole(knowledge):
    card = nvidia_card(sriov=SriovCapability(16, 2, (at("01:00.4"), at("01:00.5"))))
    assert _stops(host(card), card, knowledge) == {"card.parts"}


def test_a_card_with_shares_cut_from_it_is_not_whole(knowledge):
    card = nvidia_card()
    cut = (MediatedDevice("u", "nvidia-63", card.address),)
    assert _stops(host(card, mediated_devices=cut), card, knowledge) == {"card.parts"}


def test_an_unused_capability_for_functions_does_not_stop(knowledge):
    card = nvidia_card(sriov=SriovCapability(1, 0, ()))
    assert _stops(host(card), card, knowledge) == set()


def test_a_card_tied_to_others_stops_and_says_what_would_change_it(knowledge):
    card = nvidia_card()
    network = device("02:00.0", ETHERNET, INTEL, 0x1539, group=14)
    found = _findings(host(card, others=(network,)), card, knowledge)["group.isolated"]
    assert found.stops
    assert found.remedy == text("judge.group.remedy")


@pytest.mark.parametrize("carried", ["network_cards", "disk_controllers", "input_controllers"])
def test_what_this_computer_works_with_is_a_hard_stop(knowledge, carried):
    card = gpu(device("01:00.0", VGA, group=14), device("01:00.2", USB, group=14))
    machine = host(card, **{carried: ((at("01:00.2"), "the thing"),)})
    assert "group.host-devices" in _stops(machine, card, knowledge)


def test_the_keyboard_on_the_processor_s_own_usb_is_a_hard_stop(knowledge):
    # Every function has a group of its own, and still the slot goes as a whole.
    card = amd_integrated()
    machine = host(card, nvidia_card(), input_controllers=((at("15:00.3"), "Keyboard"),))
    assert _stops(machine, card, knowledge) == {"group.host-devices"}


def test_an_unused_usb_controller_of_the_card_warns_only(knowledge):
    card = gpu(device("01:00.0", VGA, group=14), device("01:00.2", USB, group=14))
    found = _findings(host(card), card, knowledge)["group.host-devices"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ({"boot_vga": True}, "card.boot-vga"),
        ({"outputs": (output(),)}, "card.lit"),
        ({"holders": holders(process())}, "card.held"),
        ({"holders": holders(Holder(HolderKind.VM, "other", uuid="u"))}, "card.held"),
        ({"boot_vga": UNREAD}, "card.boot-vga"),
        ({"outputs": UNREAD}, "card.lit"),
        ({"outputs": (Output("VGA-1", Known(Connection.UNKNOWN, "t"), UNREAD, UNREAD),)}, "card.lit"),
        ({"outputs": (Output("DP-1", UNREAD, UNREAD, UNREAD),)}, "card.lit"),
        ({"holders": UNREAD}, "card.held"),
        ({"holders": holders(not_seen=3)}, "card.held"),
    ],
)
def test_a_card_in_use_is_kept_from_the_start_where_another_screen_stays(knowledge, said, finding):
    card = nvidia_card(**said)
    machine = host(amd_integrated(), card)
    found = _findings(machine, card, knowledge)[finding]
    assert (found.status is Status.PASS, found.severity) == (False, Severity.WARNS)
    assert _stops(machine, card, knowledge) == set()
    assert host_needs(machine, card).reserve
    assert apply_gates(machine, card) == ()


@pytest.mark.parametrize(
    ("other", "title"),
    [
        (None, "judge.only-screen.yes"),
        (amd_integrated(outputs=(output(connected=False),)), "judge.only-screen.unplugged"),
    ],
    ids=["alone", "nothing plugged in elsewhere"],
)
def test_the_only_card_with_a_picture_is_never_kept_from_the_start(other, title):
    card = nvidia_card(outputs=(output(),))
    machine = host(card) if other is None else host(other, card)
    (gate,) = apply_gates(machine, card)
    assert (gate.id, gate.title.id, gate.severity) == ("card.only-screen", title, Severity.BLOCKS)


@pytest.mark.parametrize("stack", [UNREAD, None])
def test_nothing_is_written_where_nobody_knows_how_this_computer_starts(stack):
    card = nvidia_card(outputs=(output(),))
    (gate,) = apply_gates(host(amd_integrated(), card, stack=stack), card)
    assert gate.id == "boot.stack"


def test_a_card_kept_for_vms_is_dark_though_nobody_lists_its_sockets():
    card = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), outputs=UNREAD, holders=holders(not_seen=40))
    assert apply_gates(host(amd_integrated(), card), card) == ()


@pytest.mark.parametrize(
    ("class_code", "driver", "dark"),
    [(VGA, None, True), (VGA, "nvidia", False), (VGA, UNREAD, False), (DISPLAY_3D, "nvidia", True)],
)
def test_a_card_whose_sockets_nobody_lists_is_dark_where_nothing_could_draw(class_code, driver, dark):
    card = gpu(device("01:00.0", class_code, group=14, driver=driver), outputs=UNREAD)
    assert host_needs(host(amd_integrated(), card), card).reserve is not dark


def test_a_card_without_a_driver_is_no_screen_that_stays(knowledge):
    card, idle = nvidia_card("01", 1), gpu(device("02:00.0", VGA, group=2), outputs=UNREAD)
    assert _findings(host(card, idle), card, knowledge)["card.only-screen"].status is Status.FAIL


def test_a_card_kept_for_vms_whose_holders_are_not_known_is_not_written():
    card = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), holders=UNREAD)
    (gate,) = apply_gates(host(amd_integrated(), card), card)
    assert (gate.id, gate.status) == ("card.held", Status.UNKNOWN)


def test_a_card_without_sockets_needs_no_word_on_the_first_screen():
    card = gpu(device("01:00.0", DISPLAY_3D, group=14), boot_vga=UNREAD, outputs=())
    assert apply_gates(host(amd_integrated(), card), card) == ()


def test_the_only_screen_warns_and_a_dark_one_may_go(knowledge):
    card = nvidia_card()
    machine = host(card)
    found = _findings(machine, card, knowledge)["card.only-screen"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)
    assert apply_gates(machine, card) == ()


def test_another_card_that_vms_have_is_no_screen_that_stays(knowledge):
    card = nvidia_card("01", 1)
    away = gpu(device("02:00.0", VGA, group=2, driver="vfio-pci"))
    assert _findings(host(card, away), card, knowledge)["card.only-screen"].status is Status.FAIL


@pytest.mark.parametrize(
    ("facts", "arguments", "remedy"),
    [
        ({"vendor": CpuVendor.INTEL, "intel_iommu_default_on": "off"}, ("intel_iommu=on",), None),
        ({"vendor": CpuVendor.INTEL, "intel_iommu_default_on": None}, ("intel_iommu=on",), None),
        ({"vendor": CpuVendor.INTEL, "intel_iommu_default_on": UNREAD}, ("intel_iommu=on",), None),
        ({"vendor": CpuVendor.INTEL, "intel_iommu_default_on": "on"}, (), "judge.iommu.firmware-intel"),
        ({"vendor": CpuVendor.INTEL, "intel_iommu_default_on": "except-integrated"}, (), "judge.iommu.firmware-intel"),
        (
            {"vendor": CpuVendor.INTEL, "intel_iommu_default_on": "off", "cmdline": "ro intel_iommu=on iommu=pt"},
            (),
            "judge.iommu.firmware-intel",
        ),
        (
            {"vendor": CpuVendor.INTEL, "intel_iommu_default_on": "on", "cmdline": "ro intel_iommu=off"},
            ("intel_iommu=on",),
            None,
        ),
        ({"vendor": CpuVendor.INTEL, "cmdline": "ro iommu=off"}, (), "judge.iommu.remove-argument"),
        ({"vendor": CpuVendor.AMD}, (), "judge.iommu.firmware-amd"),
        ({"vendor": CpuVendor.AMD, "cmdline": "ro amd_iommu=off"}, (), "judge.iommu.remove-argument"),
        ({"vendor": CpuVendor.OTHER}, (), "judge.iommu.firmware-other"),
        ({"vendor": CpuVendor.INTEL, "virtual": "kvm"}, (), "judge.iommu.ask-outer"),
        ({"vendor": CpuVendor.INTEL, "virtual": "kvm", "offered": None}, (), "judge.iommu.ask-outer"),
        (
            {"virtual": "kvm", "offered": IommuKind.INTEL, "cmdline": "ro intel_iommu=off"},
            ("intel_iommu=on",),
            None,
        ),
        ({"virtual": "kvm", "offered": IommuKind.AMD}, (), "judge.iommu.firmware-amd"),
        ({"vendor": CpuVendor.INTEL, "offered": None}, (), "judge.iommu.firmware-intel"),
        ({"vendor": CpuVendor.AMD, "offered": None}, (), "judge.iommu.firmware-amd"),
        ({"vendor": UNREAD}, (), None),
        ({"active": UNREAD}, (), None),
    ],
)
def test_what_an_iommu_that_is_off_needs(knowledge, facts, arguments, remedy):
    card = nvidia_card(group=None)
    machine = host(amd_integrated(), card, **({"active": False} | facts))
    needs = host_needs(machine, card)
    assert needs.arguments == arguments
    assert (needs.firmware.id if needs.firmware else None) == remedy
    assert ("iommu.active" in _stops(machine, card, knowledge)) == (remedy is not None)


@pytest.mark.parametrize(
    ("default", "cmdline", "group", "arguments"),
    [
        ("except-integrated", "ro", None, ("intel_iommu=on",)),
        ("except-integrated", "ro intel_iommu=on", 0, ()),
        ("except-integrated", "ro intel_iommu=on,sm_on", 0, ()),
        ("except-integrated", UNREAD, None, ("intel_iommu=on",)),
        ("on", "ro", 0, ()),
        (UNREAD, "ro", None, ("intel_iommu=on",)),
        (UNREAD, "ro", 0, ()),
    ],
)
def test_graphics_inside_an_intel_processor_may_need_the_argument_though_the_iommu_is_on(
    default, cmdline, group, arguments
):
    card = intel_integrated(group=group)
    machine = intel_host(card, nvidia_card(), intel_iommu_default_on=default, cmdline=cmdline)
    assert host_needs(machine, card).arguments == arguments


def test_a_card_in_a_slot_needs_no_argument_where_only_integrated_graphics_are_left_out():
    card = nvidia_card()
    assert host_needs(intel_host(intel_integrated(group=None), card), card).arguments == ()


def test_no_folklore_is_ever_asked_for():
    machines = [
        (host(card := nvidia_card(group=None), active=False, vendor=vendor), card)
        for vendor in (CpuVendor.AMD, CpuVendor.INTEL, CpuVendor.OTHER)
    ]
    asked = {argument for machine, card in machines for argument in host_needs(machine, card).arguments}
    assert asked <= {"intel_iommu=on"}


def test_needed_steps_on_an_unknown_boot_stack_say_so(knowledge):
    card = nvidia_card(boot_vga=True)
    assert _findings(host(card, stack=UNREAD), card, knowledge)["boot.stack"].status is Status.UNKNOWN
    assert _findings(host(card, stack=None), card, knowledge)["boot.stack"].status is Status.FAIL


def test_without_steps_the_boot_stack_does_not_matter(knowledge):
    card = nvidia_card()
    assert "boot.stack" not in _findings(host(amd_integrated(), card, stack=UNREAD), card, knowledge)


def _first_card_kept(*seen: Holder) -> Gpu:
    free = device("01:00.0", VGA, NVIDIA, 0x2504, group=14, driver="vfio-pci")
    return gpu(free, boot_vga=True, outputs=UNREAD, holders=holders(*seen))


def test_the_first_card_kept_free_from_the_start_needs_nothing_more():
    card = _first_card_kept()
    machine = host(amd_integrated(boot_vga=False), card)
    assert host_needs(machine, card) == HostNeeds()
    assert apply_gates(machine, card) == ()


def test_the_first_card_inside_a_running_vm_may_come_back_to_this_computer():
    card = _first_card_kept(Holder(HolderKind.VM, "win11", uuid="1"))
    assert host_needs(host(amd_integrated(boot_vga=False), card), card).reserve


def test_parts_that_exist_are_counted_in_plain_words(knowledge):
    card = nvidia_card(sriov=SriovCapability(4, 2, (at("01:00.4"), at("01:00.5"))))
    assert [one.value for one in _findings(host(card), card, knowledge)["card.parts"].evidence] == ["2/4"]


def test_a_card_that_cannot_be_reset_warns(knowledge):
    card = nvidia_card(reset_methods=())
    found = _findings(host(card), card, knowledge)["card.reset"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)


def test_twins_inform_and_do_not_stop(knowledge):
    first, second = nvidia_card("01", 1), nvidia_card("02", 2)
    found = _findings(host(first, second), first, knowledge)["card.identical"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.INFO)
    assert [one.source for one in found.evidence] == ["0000:02:00.0", "0000:02:00.1"]


def test_devices_whose_ids_are_not_told_are_no_twins(knowledge):
    first = gpu(device("01:00.0", VGA, None, None, group=1))
    second = gpu(device("02:00.0", VGA, None, None, group=2))
    assert _findings(host(first, second), first, knowledge)["card.identical"].status is Status.PASS


def test_sound_on_another_bus_is_said_to_stay(knowledge):
    bridges = (
        device("00:01.0", PCI_BRIDGE, INTEL, 0x460D, group=20),
        device("01:00.0", PCI_BRIDGE, INTEL, 0x4FA1, group=20, parent="00:01.0"),
        device("02:01.0", PCI_BRIDGE, INTEL, 0x4FA4, group=20, parent="01:00.0"),
        device("02:04.0", PCI_BRIDGE, INTEL, 0x4FA4, group=20, parent="01:00.0"),
    )
    card = gpu(device("03:00.0", VGA, INTEL, 0x56A6, group=20, parent="02:01.0"))
    sound = device("04:00.0", HDA, INTEL, 0x4F92, group=20, parent="02:04.0")
    found = _findings(host(card, others=(*bridges, sound)), card, knowledge)["card.sound-apart"]
    assert found.title == text("judge.sound.apart", address="04:00.0")


def test_a_sleeping_card_informs(knowledge):
    card = nvidia_card(power_state="D3cold")
    assert _findings(host(card), card, knowledge)["card.asleep"].severity is Severity.INFO


def test_a_machine_that_is_a_vm_warns(knowledge):
    card = nvidia_card()
    assert _findings(host(card, virtual="kvm"), card, knowledge)["host.virtual"].severity is Severity.WARNS


def test_a_card_that_another_running_vm_has_is_not_given_twice(knowledge):
    card = nvidia_card()
    other = vm("other", hostdevs=given("01:00.0"), state=VmState.RUNNING)
    assert _stops(host(card, vms=(other,)), card, knowledge) == {"card.other-vm"}


def test_a_card_that_another_vm_has_which_is_off_warns(knowledge):
    card = nvidia_card()
    other = vm("other", hostdevs=given("01:00.0"))
    found = _findings(host(card, vms=(other,)), card, knowledge)["card.other-vm"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)


def test_the_vm_s_own_card_is_nobody_else_s(knowledge):
    card = nvidia_card()
    mine = vm("mine", hostdevs=given("01:00.0", "01:00.1"), state=VmState.RUNNING)
    found = _findings(host(card, vms=(mine,)), card, knowledge, of=mine)["card.other-vm"]
    assert found.status is Status.PASS


def test_the_vm_that_has_the_card_already_may_be_changed():
    mine = vm("mine", hostdevs=given("01:00.0"), state=VmState.RUNNING)
    holder = Holder(HolderKind.VM, "mine", uuid=mine.uuid)
    card = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), holders=holders(holder))
    assert apply_gates(host(amd_integrated(), card, vms=(mine,)), card) == ()


def test_a_vm_that_nobody_can_look_up_holds_the_card():
    holder = Holder(HolderKind.VM, "ghost", uuid="u")
    card = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), holders=holders(holder))
    for vms in (UNREAD, ()):
        assert "card.held" in {gate.id for gate in apply_gates(host(amd_integrated(), card, vms=vms), card)}


def test_known_reports_name_their_source_and_stop_nothing(knowledge):
    card = gpu(device("01:00.0", VGA, 0x1002, 0x731F, group=14))
    found = _findings(host(card), card, knowledge)["report.amd-reset"]
    assert not found.stops
    assert found.evidence[0].source.startswith("github.com/gnif/vendor-reset")


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ({"virt_type": "qemu"}, "vm.kvm"),
        ({"machine": "pc-i440fx-7.2"}, "vm.board"),
        ({"uefi": False}, "vm.firmware"),
    ],
)
def test_a_vm_that_fits_badly_is_warned_of_and_not_refused(knowledge, said, finding):
    card = nvidia_card()
    found = _findings(host(card), card, knowledge, of=vm(**said))
    assert finding in found
    assert not found[finding].stops

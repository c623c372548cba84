# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines against modes: what works now, after changes, not here, or could not be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.hosts import (
    AMD,
    DISPLAY_3D,
    ETHERNET,
    INTEL,
    NVIDIA,
    UNREAD,
    VGA,
    amd_integrated,
    at,
    capabilities,
    device,
    gpu,
    host,
    intel_host,
    intel_integrated,
    known,
    nvidia_card,
    vm,
)
from vitrail.judge.feasibility import judge_choice, judge_modes
from vitrail.judge.words import card_name
from vitrail.model.choice import CHOICE_OF, Basic, Passthrough, Qxl, Virgl, Virtio, make_choice
from vitrail.model.finding import Severity, Status
from vitrail.model.knowledge import PURPOSES
from vitrail.model.machine import Gpu, Host, MdevType, SriovCapability
from vitrail.model.mode import NEEDS_A_CARD, WRITTEN_BY_THIS_VERSION, Mode
from vitrail.model.text import text
from vitrail.model.verdict import Feasibility, ModeVerdict
from vitrail.model.vm import GuestSystem, Vm, VmGraphics, VmState

READY, CHANGES, NOT_HERE, OPEN = (
    Feasibility.READY,
    Feasibility.AFTER_CHANGES,
    Feasibility.IMPOSSIBLE,
    Feasibility.UNKNOWN,
)

LINUX = vm("linux", guest=GuestSystem.LINUX)
WINDOWS = vm("windows", guest=GuestSystem.WINDOWS)


def desktop() -> Host:
    """The picture on the processor's graphics, a free card beside it."""
    return host(amd_integrated(), nvidia_card())


def lit_single() -> Host:
    """One card, and it shows the desktop."""
    return host(amd_integrated())


def no_iommu_amd() -> Host:
    return host(amd_integrated(), nvidia_card(group=None), active=False)


def no_iommu_intel() -> Host:
    return intel_host(
        intel_integrated(None),
        nvidia_card(group=None),
        active=False,
        intel_iommu_default_on="off",
    )


def bad_group() -> Host:
    card = nvidia_card()
    return host(amd_integrated(), card, others=(device("02:00.0", ETHERNET, INTEL, 0x1539, group=14),))


def empty() -> Host:
    return host()


def server() -> Host:
    """A card for servers with vGPU types, and the management screen."""
    types = (MdevType("nvidia-558", "A40-8Q", 6, "vfio-pci"),)
    card = gpu(
        device("51:00.0", DISPLAY_3D, NVIDIA, 0x2235, group=5, driver="nvidia"),
        outputs=(),
        mdev_types=types,
        sriov=SriovCapability(32, 0, ()),
    )
    return host(gpu(device("03:00.0", VGA, 0x1A03, 0x2000, group=4), boot_vga=True, render_node=None), card)


def judged(machine: Host, of: Vm, knowledge, caps=None, purpose: str = "unknown") -> dict[Mode, ModeVerdict]:
    reading = known(capabilities()) if caps is None else caps
    return {one.mode: one for one in judge_modes(machine, of, reading, knowledge, purpose)}


TABLE = [
    (desktop, WINDOWS, Mode.PASSTHROUGH, READY),
    (desktop, WINDOWS, Mode.SINGLE_GPU, CHANGES),
    (desktop, WINDOWS, Mode.LOOKING_GLASS, CHANGES),
    (desktop, LINUX, Mode.LOOKING_GLASS, NOT_HERE),
    (desktop, WINDOWS, Mode.VGPU, NOT_HERE),
    (desktop, WINDOWS, Mode.MIG_VGPU, NOT_HERE),
    (desktop, WINDOWS, Mode.SRIOV, NOT_HERE),
    (desktop, WINDOWS, Mode.GVT_G, NOT_HERE),
    (desktop, WINDOWS, Mode.GVT_D, NOT_HERE),
    (desktop, WINDOWS, Mode.VIRTIO, READY),
    (desktop, LINUX, Mode.VIRGL, READY),
    (desktop, WINDOWS, Mode.VIRGL, NOT_HERE),
    (desktop, LINUX, Mode.VENUS, OPEN),
    (desktop, WINDOWS, Mode.VENUS, NOT_HERE),
    (desktop, LINUX, Mode.NATIVE_CONTEXT, OPEN),
    (desktop, WINDOWS, Mode.QXL, READY),
    (desktop, WINDOWS, Mode.BASIC, READY),
    (lit_single, WINDOWS, Mode.PASSTHROUGH, CHANGES),
    (lit_single, WINDOWS, Mode.SINGLE_GPU, CHANGES),
    (lit_single, WINDOWS, Mode.LOOKING_GLASS, NOT_HERE),
    (no_iommu_amd, WINDOWS, Mode.PASSTHROUGH, NOT_HERE),
    (no_iommu_amd, LINUX, Mode.VIRGL, READY),
    (no_iommu_intel, WINDOWS, Mode.PASSTHROUGH, CHANGES),
    (bad_group, WINDOWS, Mode.PASSTHROUGH, CHANGES),  # the integrated graphics could go
    (empty, WINDOWS, Mode.PASSTHROUGH, NOT_HERE),
    (empty, LINUX, Mode.VIRGL, NOT_HERE),
    (empty, WINDOWS, Mode.VIRTIO, READY),
    (server, WINDOWS, Mode.VGPU, READY),
    (server, WINDOWS, Mode.MIG_VGPU, NOT_HERE),
    (server, WINDOWS, Mode.SRIOV, NOT_HERE),
    (server, WINDOWS, Mode.PASSTHROUGH, READY),
]


@pytest.mark.parametrize(
    ("machine", "of", "mode", "expected"), TABLE, ids=lambda one: getattr(one, "__name__", str(one))
)
def test_machine_against_mode(knowledge, machine, of, mode, expected):
    assert judged(machine(), of, knowledge)[mode].feasible is expected


@pytest.mark.parametrize("machine", [desktop, lit_single, no_iommu_amd, no_iommu_intel, bad_group, empty, server])
@pytest.mark.parametrize("mode", Mode)
def test_every_no_and_every_unknown_says_why_and_what_would_change_it(knowledge, machine, mode):
    verdict = judged(machine(), WINDOWS, knowledge)[mode]
    assert verdict.reasons
    assert verdict.needs or verdict.feasible is READY
    assert verdict.available == (mode in WRITTEN_BY_THIS_VERSION)


def test_every_mode_that_takes_a_card_judges_every_whole_card(knowledge):
    part = gpu(device("51:00.4", DISPLAY_3D, NVIDIA, 0x2235, group=9, physical="01:00.0"))
    verdicts = judged(host(amd_integrated(), nvidia_card(), part), WINDOWS, knowledge)
    for mode in NEEDS_A_CARD:
        assert [card.address for card in verdicts[mode].cards] == [at("15:00.0"), at("01:00.0")]


@pytest.mark.parametrize("mode", [*sorted(NEEDS_A_CARD), Mode.VIRGL, Mode.VENUS, Mode.NATIVE_CONTEXT])
def test_no_mode_offers_the_screen_of_remote_management(knowledge, mode):
    verdict = next(card for card in judged(server(), LINUX, knowledge)[mode].cards if card.address == at("03:00.0"))
    assert verdict.feasible is NOT_HERE


@pytest.mark.parametrize("purpose", PURPOSES)
def test_ranks_count_from_one_and_what_is_not_here_comes_last(knowledge, purpose):
    verdicts = judge_modes(desktop(), WINDOWS, known(capabilities()), knowledge, purpose)
    assert [one.rank for one in verdicts] == list(range(1, len(Mode) + 1))
    impossible = [one.feasible is NOT_HERE for one in verdicts]
    assert impossible == sorted(impossible)


@pytest.mark.parametrize(
    ("purpose", "of", "first"),
    [
        ("games", WINDOWS, Mode.PASSTHROUGH),
        ("compute", LINUX, Mode.PASSTHROUGH),
        ("desktop", LINUX, Mode.VIRGL),
        ("desktop", WINDOWS, Mode.VIRTIO),
        ("legacy", WINDOWS, Mode.BASIC),
        ("unknown", WINDOWS, Mode.VIRTIO),
    ],
)
def test_the_first_mode_fits_the_purpose(knowledge, purpose, of, first):
    assert judge_modes(desktop(), of, known(capabilities()), knowledge, purpose)[0].mode is first


# Shares

_SLICES = (MdevType("nvidia-700", "A100-3-20C", 2, "vfio-pci"),)


def _share(knowledge, card, mode: Mode) -> Feasibility:
    return judged(host(amd_integrated(), card), WINDOWS, knowledge)[mode].cards[1].feasible


def _card(vendor: int | None, number: int | None, *, driver: str | None = None, **said: object) -> Gpu:
    return gpu(device("01:00.0", VGA, vendor, number, group=14, driver=driver), **said)


@pytest.mark.parametrize(
    ("card", "mode", "expected"),
    [
        (_card(NVIDIA, 0x2F04, sriov=SriovCapability(1, 0, ())), Mode.VGPU, NOT_HERE),
        (_card(NVIDIA, 0x2F04, sriov=SriovCapability(1, 0, ())), Mode.SRIOV, NOT_HERE),
        (_card(NVIDIA, 0x2235, sriov=SriovCapability(32, 0, ())), Mode.VGPU, CHANGES),
        (_card(NVIDIA, 0x3FFF, sriov=SriovCapability(32, 0, ())), Mode.VGPU, OPEN),
        (_card(NVIDIA, 0x3FFF, mdev_types=UNREAD), Mode.VGPU, OPEN),
        (_card(NVIDIA, 0x1EB8, mdev_types=(MdevType("nvidia-231", "T4-4Q", 0, "vfio-pci"),)), Mode.VGPU, CHANGES),
        (_card(NVIDIA, 0x1EB8, mdev_types=(MdevType("nvidia-231", "T4-4Q", 2, "vfio-pci"),)), Mode.VGPU, READY),
        (_card(NVIDIA, 0x20B5), Mode.MIG_VGPU, CHANGES),
        (
            _card(NVIDIA, 0x20B5, mdev_types=_SLICES),
            Mode.MIG_VGPU,
            READY,
        ),
        (_card(NVIDIA, 0x20B5, mdev_types=_SLICES), Mode.VGPU, CHANGES),
        (_card(AMD, 0x73DF), Mode.VGPU, NOT_HERE),
        (_card(AMD, 0x74A1, sriov=SriovCapability(8, 0, ())), Mode.SRIOV, CHANGES),
        (_card(AMD, 0x74A1, sriov=SriovCapability(8, 2, (at("01:00.1"), at("01:00.2")))), Mode.SRIOV, READY),
        (_card(AMD, 0x3FFF, sriov=SriovCapability(8, 0, ())), Mode.SRIOV, OPEN),
        (_card(AMD, 0x3FFF, sriov=UNREAD), Mode.SRIOV, OPEN),
        (_card(INTEL, 0xE212, sriov=SriovCapability(12, 0, ())), Mode.SRIOV, CHANGES),
        (_card(INTEL, 0x4680, sriov=SriovCapability(7, 0, ())), Mode.SRIOV, CHANGES),
        (_card(INTEL, 0xE20B), Mode.SRIOV, NOT_HERE),
        (_card(INTEL, 0x3E92), Mode.GVT_G, CHANGES),
        (_card(INTEL, 0x3E92, driver="xe"), Mode.GVT_G, CHANGES),
        (_card(INTEL, 0x3E92, mdev_types=(MdevType("i915-GVTg_V5_4", "GVTg", 1, "vfio-pci"),)), Mode.GVT_G, READY),
        (_card(INTEL, 0x4680), Mode.GVT_G, NOT_HERE),
        (_card(AMD, 0x73DF), Mode.GVT_G, NOT_HERE),
        (_card(None, None), Mode.VGPU, OPEN),
    ],
)
def test_a_card_against_a_share(knowledge, card, mode, expected):
    assert _share(knowledge, card, mode) is expected


def test_integrated_graphics_of_intel_can_go_whole_by_their_own_mode(knowledge):
    machine = intel_host(intel_integrated(group=None), nvidia_card())
    verdict = judged(machine, WINDOWS, knowledge)[Mode.GVT_D]
    assert [card.feasible for card in verdict.cards] == [CHANGES, NOT_HERE]


# Capabilities and guests


@pytest.mark.parametrize(
    ("lacks", "mode"),
    [
        ({"video_models": ("vga", "qxl")}, Mode.VIRTIO),
        ({"video_models": ("vga", "virtio")}, Mode.QXL),
        ({"video_models": ("virtio", "none")}, Mode.BASIC),
        ({"graphics_types": ("vnc",)}, Mode.VIRGL),
        ({"graphics_types": ("spice",)}, Mode.VIRTIO),
    ],
)
def test_what_qemu_lacks_makes_a_mode_impossible(knowledge, lacks, mode):
    caps = known(capabilities(**lacks))
    assert judged(desktop(), LINUX, knowledge, caps)[mode].feasible is NOT_HERE


@pytest.mark.parametrize("mode", [Mode.VIRTIO, Mode.VIRGL, Mode.QXL, Mode.BASIC])
def test_capabilities_that_nobody_asked_for_leave_it_open(knowledge, mode):
    assert judged(desktop(), LINUX, knowledge, UNREAD)[mode].feasible is OPEN


def test_capabilities_that_nobody_asked_for_do_not_hold_a_card_back(knowledge):
    assert judged(desktop(), LINUX, knowledge, UNREAD)[Mode.PASSTHROUGH].feasible is READY


@pytest.mark.parametrize("enum", ["video_models", "graphics_types"])
def test_an_enum_that_an_old_libvirt_does_not_list_leaves_it_open(knowledge, enum):
    caps = known(capabilities(**{enum: UNREAD}))
    assert judged(desktop(), LINUX, knowledge, caps)[Mode.VIRGL].feasible is OPEN


def test_libvirt_without_vfio_needs_changes(knowledge):
    caps = known(capabilities(pci_backends=()))
    assert judged(desktop(), LINUX, knowledge, caps)[Mode.PASSTHROUGH].feasible is CHANGES


def test_the_plainest_screen_is_found_where_there_is_no_vga(knowledge):
    caps = known(capabilities(video_models=("ramfb",)))
    assert judged(desktop(), LINUX, knowledge, caps)[Mode.BASIC].feasible is READY


def test_3d_with_an_unknown_guest_is_open_and_says_why(knowledge):
    verdict = judged(desktop(), vm("x", guest=UNREAD), knowledge)[Mode.VIRGL]
    assert verdict.feasible is OPEN
    assert {reason.id for reason in verdict.reasons} == {"judge.guest.3d-unknown"}


def test_a_card_kept_for_vms_draws_for_none(knowledge):
    kept = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), render_node=None)
    verdict = judged(host(kept), LINUX, knowledge)[Mode.VIRGL]
    assert verdict.feasible is NOT_HERE


def test_without_a_card_to_draw_3d_is_not_here_and_yet_may_be_written(knowledge):
    found = _of_choice(empty(), LINUX, Virgl(), knowledge)["card.draws"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)
    assert judged(empty(), LINUX, knowledge)[Mode.VIRGL].feasible is NOT_HERE


def test_one_card_that_draws_is_enough(knowledge):
    kept = gpu(device("01:00.0", VGA, group=14, driver="vfio-pci"), render_node=None)
    verdict = judged(host(kept, amd_integrated()), LINUX, knowledge)[Mode.VIRGL]
    assert (verdict.feasible, [card.feasible for card in verdict.cards]) == (READY, [NOT_HERE, READY])


def test_nvidia_takes_no_part_in_native_context(knowledge):
    assert judged(host(nvidia_card()), LINUX, knowledge)[Mode.NATIVE_CONTEXT].feasible is NOT_HERE


# A chosen mode


def _of_choice(machine: Host, of: Vm, choice, knowledge, caps=None):
    reading = known(capabilities()) if caps is None else caps
    return {one.id: one for one in judge_choice(machine, of, choice, reading, knowledge)}


@pytest.mark.parametrize("choice", [Virtio(), Virgl(), Qxl(), Basic(), Passthrough(at("01:00.0"))])
def test_a_choice_that_works_has_nothing_that_stops(knowledge, choice):
    found = _of_choice(desktop(), LINUX, choice, knowledge)
    assert [one.id for one in found.values() if one.stops] == []


@pytest.mark.parametrize("choice", [Virtio(), Virgl(), Qxl(), Basic(), Passthrough(at("01:00.0"))])
def test_unknown_capabilities_warn_once_and_stop_nothing(knowledge, choice):
    found = judge_choice(desktop(), LINUX, choice, UNREAD, knowledge)
    assert [one.severity for one in found if one.id == "capabilities.read"] == [Severity.WARNS]
    assert [one.id for one in found if one.stops] == []


@pytest.mark.parametrize("mode", sorted(set(Mode) - WRITTEN_BY_THIS_VERSION))
def test_a_mode_that_is_not_written_yet_is_refused(knowledge, mode):
    choice = make_choice(mode, at("01:00.0"), {})
    assert _of_choice(desktop(), LINUX, choice, knowledge)["mode.available"].stops


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("machine", [desktop, lit_single, no_iommu_amd, bad_group, empty, server])
def test_every_choice_is_judged_on_every_machine(knowledge, mode, machine):
    address = at("01:00.0") if "gpu" in CHOICE_OF[mode].__dataclass_fields__ else None
    assert judge_choice(machine(), WINDOWS, make_choice(mode, address, {}), known(capabilities()), knowledge)


def test_a_card_that_does_not_exist_is_refused_by_name(knowledge):
    found = _of_choice(desktop(), WINDOWS, Passthrough(at("09:00.0")), knowledge)["card.exists"]
    assert found.stops
    assert found.remedy is not None


def test_a_card_to_draw_on_that_does_not_exist_is_refused(knowledge):
    assert _of_choice(desktop(), LINUX, Virgl(at("09:00.0")), knowledge)["card.exists"].stops


def test_a_card_that_draws_badly_is_named_where_qemu_may_take_it(knowledge):
    found = _of_choice(host(nvidia_card(), amd_integrated()), LINUX, Virgl(), knowledge)
    assert dict(found["card.draws"].title.args)["card"] == card_name(amd_integrated())
    assert found["card.draws-nvidia"].title.id == "judge.draws.nvidia-maybe"


def test_a_vm_that_draws_on_a_card_already_is_judged_on_that_card(knowledge):
    drawn = VmGraphics(Mode.VIRGL, amd_integrated().address, text("tests.drawn"))
    found = _of_choice(host(nvidia_card(), amd_integrated()), replace(LINUX, graphics=(drawn,)), Virgl(), knowledge)
    assert "card.draws-nvidia" not in found


def test_a_device_that_is_no_card_is_refused(knowledge):
    network = device("02:00.0", ETHERNET, INTEL, 0x1539, group=9)
    found = _of_choice(host(nvidia_card(), others=(network,)), WINDOWS, Passthrough(at("02:00.0")), knowledge)
    assert found["card.display"].stops


def test_cards_that_were_not_read_cannot_be_given(knowledge):
    found = _of_choice(host(gpus=UNREAD), WINDOWS, Passthrough(at("01:00.0")), knowledge)["card.exists"]
    assert (found.status, found.stops) == (Status.UNKNOWN, True)


def test_3d_for_what_seems_to_be_windows_is_a_warning_because_a_guess_stops_nothing(knowledge):
    found = _of_choice(desktop(), WINDOWS, Virgl(), knowledge)["guest.fits"]
    assert (found.status, found.stops) == (Status.FAIL, False)


def test_a_running_vm_is_told_when_it_applies(knowledge):
    found = _of_choice(desktop(), vm("on", state=VmState.RUNNING), Virtio(), knowledge)["vm.state"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.INFO)


def test_a_saved_vm_is_warned_that_the_image_keeps_the_old_definition(knowledge):
    found = _of_choice(desktop(), vm("saved", has_managed_save=True), Virtio(), knowledge)["vm.managed-save"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNS)


def test_a_vm_without_a_definition_cannot_be_changed(knowledge):
    assert _of_choice(desktop(), vm("gone", persistent=False), Virtio(), knowledge)["vm.persistent"].stops


@pytest.mark.parametrize(
    ("choice", "lacks"),
    [
        (Virtio("spice"), {"graphics_types": ("vnc",)}),
        (Qxl("vnc"), {"graphics_types": ("spice",)}),
        (Virgl(None, "spice"), {"graphics_types": ("vnc", "egl-headless")}),
        (Virgl(), {"graphics_types": ("vnc", "spice")}),
    ],
)
def test_a_screen_that_qemu_lacks_is_refused(knowledge, choice, lacks):
    found = _of_choice(desktop(), LINUX, choice, knowledge, known(capabilities(**lacks)))
    assert found["capabilities.screen"].stops

# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM's graphics are what its XML names, seen beside the machine on which it would start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes import hosts
from machines.build import place_of
from vitrail.model.machine import Host, MediatedDevice
from vitrail.model.mode import Mode
from vitrail.model.reading import Known, known_or
from vitrail.model.vm import Vm
from vitrail.probe.vm_graphics import with_cards_of_vms, with_host_facts
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.source.resources import demo_path
from vitrail.xmldoc.vm import read_vm

CARD = hosts.nvidia_card()
SHARE = "aa618089-8b16-4d01-a136-25a0f3c73123"
SCREEN = "<video><model type='qxl'/></video>"


def hostdev(address: str) -> str:
    one = hosts.at(address)
    return (
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        f"<address domain='{one.domain:#x}' bus='{one.bus:#x}' slot='{one.slot:#x}' function='{one.function:#x}'/>"
        "</source></hostdev>"
    )


def mediated(uuid: str) -> str:
    return f"<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='{uuid}'/></source></hostdev>"


def vm(devices: str) -> Vm:
    return read_vm(
        "<domain type='kvm'><name>win11</name><memory>4194304</memory>"
        f"<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>{devices}</devices></domain>",
        state=hosts.UNREAD,
        has_managed_save=hosts.UNREAD,
        autostart=hosts.UNREAD,
    )


def seen(devices: str, host: Host) -> list[tuple[Mode | None, str | None]]:
    return [(one.mode, one.gpu and one.gpu.short) for one in with_host_facts(vm(devices), host).graphics]


def shares(type_id: str) -> Host:
    one = MediatedDevice(uuid=SHARE.upper(), type_id=type_id, parent=CARD.address)
    return replace(hosts.host(CARD), mediated_devices=hosts.known((one,)))


def test_a_card_is_passthrough_and_stands_before_the_emulated_screen() -> None:
    assert seen(SCREEN + hostdev("01:00.0"), hosts.host(CARD)) == [(Mode.PASSTHROUGH, "01:00.0"), (Mode.QXL, None)]


@pytest.mark.parametrize("address", ["01:00.1", "05:00.0"])
def test_the_sound_of_a_card_and_devices_that_are_not_here_give_no_picture(address: str) -> None:
    assert seen(hostdev(address), hosts.host(CARD)) == []


def test_a_virtual_function_is_a_share_of_its_card() -> None:
    part = hosts.gpu(hosts.device("01:00.2", hosts.VGA, physical="01:00.0"))
    assert seen(hostdev("01:00.2"), hosts.host(CARD, part)) == [(Mode.SRIOV, "01:00.0")]


@pytest.mark.parametrize(("type_id", "mode"), [("nvidia-63", Mode.VGPU), ("i915-GVTg_V5_4", Mode.GVT_G)])
def test_a_mediated_device_is_a_share_of_the_card_that_made_it(type_id: str, mode: Mode) -> None:
    assert seen(mediated(SHARE), shares(type_id)) == [(mode, "01:00.0")]


def test_a_mediated_device_that_is_not_here_stays_without_a_card() -> None:
    assert seen(mediated(SHARE), hosts.host(CARD)) == [(Mode.VGPU, None)]


def test_looking_twice_finds_the_same() -> None:
    host = shares("nvidia-63")
    once = with_host_facts(vm(SCREEN + hostdev("01:00.0") + mediated(SHARE)), host)
    assert with_host_facts(once, host) == once


def test_a_vm_without_anything_of_the_host_is_the_same_vm() -> None:
    plain = vm(SCREEN)
    assert with_host_facts(plain, hosts.host(CARD)) is plain


def test_vms_that_were_not_listed_stay_unlisted() -> None:
    host = hosts.host(CARD, vms=hosts.UNREAD)
    assert with_cards_of_vms(host) is host


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    return open_place("demo", None)


def test_a_machine_that_is_read_shows_the_cards_of_its_vms(demo: Workplace) -> None:
    modes = {one.name: [graphics.mode for graphics in one.graphics] for one in known_or(demo.read().vms, ())}
    assert modes["cad-studio"] == modes["render-node"] == [Mode.SRIOV]
    assert modes["win11-games"] == [Mode.VIRTIO]


def test_a_document_on_disk_is_read_against_the_machine(demo: Workplace) -> None:
    words = next((demo_path() / "libvirt" / "domains").glob("cad-studio*.xml")).read_text()
    found = demo.vm_from_text(words, demo.read())
    assert [(one.mode, one.gpu and one.gpu.short) for one in found.graphics] == [(Mode.SRIOV, "09:00.0")]


def test_shares_and_whole_cards_are_told_apart_on_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    host = open_place(str(place_of("vgpu-server")), None).read()
    assert isinstance(host.vms, Known)
    found = {one.name: [(part.mode, part.gpu and part.gpu.short) for part in one.graphics] for one in host.vms.value}
    assert found["training"] == [(Mode.PASSTHROUGH, "86:00.0")]
    assert found["transcode"] == [(Mode.SRIOV, "c3:00.0"), (Mode.BASIC, None)]
    assert found["vdi-01"] == [(Mode.VGPU, "3b:00.0")]

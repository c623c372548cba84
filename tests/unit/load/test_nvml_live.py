# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's library through the real pynvml: what pynvml gets wrong is right here, and every failure has its kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pynvml
import pytest

from fakes.hosts import at
from fakes.nvml_library import behind_pynvml
from vitrail.source.nvml_live import NvmlFault, NvmlLive, NvmlTrouble

VM = "0f4cbb52-3f43-4cfc-9d5e-7b8f4ed57001"
CARD = at("01:00.0")


@pytest.fixture
def live(nvidia):
    opened = NvmlLive(pynvml)
    opened.open()
    yield opened
    opened.close()
    assert nvidia.open == 0


def test_framebuffer_over_four_gib_is_not_cut_to_32_bits(nvidia, live):
    share = nvidia.share(7, nvidia.card("0000:01:00.0"), VM, gib=8)
    nvidia.set_share(share, framebuffer=6 << 30)
    assert pynvml.nvmlVgpuInstanceGetFbUsage(7) == 2 << 30
    assert live.share_memory(7) == 6 << 30


def test_the_vms_id_is_asked_for_with_the_buffers_true_size(nvidia, live):
    nvidia.share(7, nvidia.card("0000:01:00.0"), VM.upper())
    with pytest.raises(pynvml.NVMLError):
        pynvml.nvmlVgpuInstanceGetVmID(7)
    share = live.share(live.card(CARD), 7)
    assert (share.vm, share.vm_is_uuid, share.mdev_uuid) == (VM, True, None)


def test_a_vm_of_another_hypervisor_has_a_number_and_no_uuid(nvidia, live):
    nvidia.share(7, nvidia.card("0000:01:00.0"), "4711", vm_type=0)
    assert live.share(live.card(CARD), 7).vm_is_uuid is False


def test_a_licences_end_is_a_date(nvidia, live):
    share = nvidia.share(7, nvidia.card("0000:01:00.0"), VM)
    nvidia.set_share(share, licensed=1, licence_state=5, expiry=2)
    assert live.share_licence(7).expires == "2026-12-03"
    nvidia.set_share(share, expiry=4)
    assert live.share_licence(7).expires == "permanent"
    nvidia.set_share(share, licensed=0, licence_state=3, expiry=0)
    licence = live.share_licence(7)
    assert (licence.licensed, licence.state, licence.expires) == (False, 3, None)


def test_no_process_is_an_empty_answer_and_no_error(nvidia, live):
    nvidia.card("0000:01:00.0")
    card = live.card(CARD)
    with pytest.raises(pynvml.NVMLError):
        pynvml.nvmlDeviceGetProcessUtilization(card, 0)
    assert live.process_loads(card, 0) == ()
    assert live.process_memory(card) == {}


def test_more_vgpus_than_there_was_room_for_are_all_told(nvidia, live):
    card = nvidia.card("0000:01:00.0")
    for number in range(100):
        nvidia.load(nvidia.share(number, card, VM), 1000 + number, number)
    told = live.share_loads(live.card(CARD), 0)
    assert {load.number: load.core for load in told} == {number: float(number) for number in range(100)}


def test_only_what_is_new_is_told(nvidia, live):
    share = nvidia.share(7, nvidia.card("0000:01:00.0"), VM)
    nvidia.load(share, 1000, 42, 5, 6, 7)
    card = live.card(CARD)
    (load,) = live.share_loads(card, 0)
    assert (load.at_us, load.core, load.memory, load.encode, load.decode) == (1000, 42.0, 5.0, 6.0, 7.0)
    assert live.share_loads(card, 1000) == ()


def test_an_older_driver_is_asked_in_the_older_way(older_library):
    with behind_pynvml(older_library) as nvidia:
        card = nvidia.card("0000:01:00.0", used=3 << 30, total=4 << 30, reasons=4)
        nvidia.load(nvidia.share(7, card, VM), 1000, 42)
        live = NvmlLive(pynvml)
        live.open()
        handle = live.card(CARD)
        assert live.share_loads(handle, 0)[0].core == 42.0
        assert live.share_loads(handle, 1000) == ()
        assert live.memory(handle) == (3 << 30, 4 << 30)
        assert live.slowed_by(handle) == 4
        live.close()


def test_one_cards_handle_touches_no_other_card(nvidia, live):
    first, second = nvidia.card("0000:01:00.0"), nvidia.card("0000:02:00.0")
    live.card(at("02:00.0"))
    assert (nvidia.attached(first), nvidia.attached(second)) == (0, 1)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (15, NvmlFault.LOST),
        (3, NvmlFault.NOT_SUPPORTED),
        (4, NvmlFault.NO_PERMISSION),
        (6, NvmlFault.NOT_FOUND),
        (20, NvmlFault.OTHER),
    ],
)
def test_a_failure_has_its_kind(nvidia, live, number, fault):
    card = nvidia.card("0000:01:00.0")
    handle = live.card(CARD)
    nvidia.set(card, fails=number)
    with pytest.raises(NvmlTrouble) as caught:
        live.utilization(handle)
    assert caught.value.fault is fault


@pytest.mark.parametrize(("number", "fault"), [(18, NvmlFault.MISMATCH), (9, NvmlFault.NO_DRIVER)])
def test_a_library_that_does_not_fit_its_driver_says_so(nvidia, number, fault):
    nvidia.fails_to_open(number)
    with pytest.raises(NvmlTrouble) as caught:
        NvmlLive(pynvml).open()
    assert caught.value.fault is fault


def test_the_library_is_found_where_the_loader_looks(library):
    words = "from vitrail.source.nvml import Nvml; print(Nvml().cards())"
    environment = os.environ | {"LD_LIBRARY_PATH": str(library.parent)}
    said = subprocess.run([sys.executable, "-c", words], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("Known(value=()")

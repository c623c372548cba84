# SPDX-License-Identifier: GPL-3.0-or-later
"""One card: sockets, memory, windows, resets."""

from __future__ import annotations

import pytest

from fakes.desktop import CARD, IGPU, card, desktop, read, reason, value
from fakes.sysfs import VGA, Connector, Tree, edid
from vitrail.model.machine import Bar, Connection, Link
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known
from vitrail.probe.drm import monitor_name
from vitrail.source.nvml import NvmlCard


def one(folder, **facts: object) -> Tree:
    return Tree(folder).kernel().pci(CARD, VGA, 0x10DE, 0x2783, **{"driver": "nouveau", **facts})


def test_sockets_are_listed_with_what_is_plugged_in(tmp_path):
    outputs = value(card(read(desktop(tmp_path))).outputs)
    shown = [(output.connector, value(output.status), value(output.display)) for output in outputs]
    assert shown == [("DP-1", Connection.CONNECTED, "DELL U2720Q"), ("HDMI-A-1", Connection.DISCONNECTED, None)]


def test_card_numbers_mean_nothing(tmp_path):
    tree = one(tmp_path).drm(CARD, (Connector("DP-1", "connected", "A"),), number=7)
    assert value(card(read(tree)).render_node) == "/dev/dri/renderD135"


def test_a_card_set_aside_for_vms_says_that_its_sockets_are_not_looked_at(tmp_path):
    assert reason(card(read(one(tmp_path, driver="vfio-pci"))).outputs) == "probe.outputs.set-aside"


def test_a_driver_without_drm_leaves_the_sockets_unknown(tmp_path):
    tree = one(tmp_path, driver="nvidia").folder_at("sys/class/drm")
    assert reason(card(read(tree)).outputs) == "probe.outputs.no-drm"


@pytest.mark.parametrize("content", [b"garbage", b"\0" * 128, edid("A")[:127]])
def test_a_monitor_whose_words_are_no_edid_has_an_unknown_name(tmp_path, content):
    tree = one(tmp_path).drm(CARD, (Connector("DP-1", "connected", edid=content),))
    (output,) = value(card(read(tree)).outputs)
    assert reason(output.display) == "probe.edid.garbled"


def test_a_monitor_without_edid_has_no_name(tmp_path):
    tree = one(tmp_path).drm(CARD, (Connector("VGA-1", "connected", edid=b""),))
    assert value(value(card(read(tree)).outputs)[0].display) is None


def test_a_monitor_name_ends_at_its_newline_and_may_be_missing():
    assert monitor_name(edid("LG TV")) == "LG TV"
    assert monitor_name(edid("THIRTEEN CHAR")) == "THIRTEEN CHAR"
    assert monitor_name(edid(None)) is None
    assert monitor_name(edid(b"   \n")) is None


def test_a_hostile_monitor_name_stays_an_ordinary_argument():
    assert monitor_name(edid(b"\x1b[2J\xff\xfeX")) == "\x1b[2J\ufffd\ufffdX"


def test_an_unknown_status_is_kept_as_such(tmp_path):
    tree = one(tmp_path).drm(CARD, (Connector("TV-1", "unknown"), Connector("TV-2", "maybe")))
    first, second = value(card(read(tree)).outputs)
    assert value(first.status) is Connection.UNKNOWN
    assert reason(second.status) == "probe.garbled"


def test_windows_are_sized_from_resource(tmp_path):
    bars = value(card(read(desktop(tmp_path))).bars)
    assert bars[:2] == (Bar(0, 16 << 20, prefetchable=False), Bar(1, 256 << 20, prefetchable=True))
    assert [bar.index for bar in bars] == [0, 1, 3, 5]


def test_a_garbled_resource_is_unknown(tmp_path):
    assert reason(card(read(one(tmp_path, extra={"resource": "zero one two"}))).bars) == "probe.garbled"


def test_the_link_is_read_while_the_card_is_awake(tmp_path):
    link = value(card(read(desktop(tmp_path))).link)
    assert link == Link("16.0 GT/s PCIe", 16, "16.0 GT/s PCIe", 16)


def test_a_function_on_conventional_pci_has_no_link(tmp_path):
    assert value(card(read(one(tmp_path))).link) is None


def test_a_reset_file_that_a_new_kernel_leaves_out_means_no_reset(tmp_path):
    assert value(card(read(one(tmp_path))).reset_methods) == ()


def test_a_reset_file_that_an_old_kernel_does_not_know_is_unknown(tmp_path):
    tree = one(tmp_path).kernel("5.10.0-amd64")
    assert reason(card(read(tree)).reset_methods) == "probe.not-recorded"


def test_a_vga_card_without_boot_vga_is_unknown_and_another_display_is_not_the_boot_card(tmp_path):
    assert reason(card(read(one(tmp_path))).boot_vga) == "probe.not-recorded"
    assert value(card(read(desktop(tmp_path / "b")), IGPU).boot_vga) is False


def test_runtime_status_tells_of_sleep_where_power_state_does_not(tmp_path):
    gpu = card(read(one(tmp_path, power_state="unknown", runtime_status="suspended")))
    assert value(gpu.power_state) == "suspended"
    assert reason(gpu.link) == "probe.asleep"


def test_amdgpu_tells_its_memory(tmp_path):
    assert value(card(read(desktop(tmp_path)), IGPU).vram_mib) == 512


class Asked:
    """A library that counts how often it is asked."""

    def __init__(self, memory: int) -> None:
        self.times = 0
        self.memory = memory

    def cards(self):
        self.times += 1
        listed = NvmlCard(PciAddress.parse(CARD), Known("RTX", "NVML"), Known(self.memory, "NVML"))
        return Known((listed,), "NVML")


def test_nvidias_library_tells_its_cards_memory_and_is_asked_once(tmp_path):
    tree = one(tmp_path, driver="nvidia").pci("0000:02:00.0", VGA, 0x10DE, 0x2783, driver="nvidia")
    nvml = Asked(16376)
    host = read(tree, nvml=nvml)
    assert value(card(host).vram_mib) == 16376
    assert reason(card(host, "0000:02:00.0").vram_mib) == "probe.vram.nvml-misses"
    assert nvml.times == 1


def test_nvidias_library_is_not_asked_while_one_of_its_cards_sleeps(tmp_path):
    tree = one(tmp_path, driver="nvidia").pci("0000:02:00.0", VGA, 0x10DE, 1, driver="nvidia", power_state="D3cold")
    nvml = Asked(1)
    assert reason(card(read(tree, nvml=nvml)).vram_mib) == "probe.vram.not-asked"
    assert nvml.times == 0


def test_mediated_types_and_devices_are_read(tmp_path):
    uuid = "b1ae8bf6-38b0-4c81-9d44-78ce3f520496"
    tree = one(tmp_path).mdev_type(CARD, "nvidia-63", "GRID P40-1Q", 23).mdev(CARD, "nvidia-63", uuid)
    host = read(tree)
    (kind,) = value(card(host).mdev_types)
    assert (kind.id, kind.name, kind.available, kind.device_api) == ("nvidia-63", "GRID P40-1Q", 23, "vfio-pci")
    (device,) = value(host.mediated_devices)
    assert (device.uuid, device.type_id, str(device.parent)) == (uuid, "nvidia-63", CARD)


def test_an_unreadable_count_of_virtual_functions_is_unknown(tmp_path):
    gpu = card(read(one(tmp_path, extra={"sriov_totalvfs": "many", "sriov_numvfs": "0"})))
    assert reason(gpu.sriov) == "probe.garbled"

# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel log that names devices and their groups is a listing; one that tells only half of it is none."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from vitrail.model.errors import Unreadable
from vitrail.model.text import Text
from vitrail.source.listing_lines import ListedDevice
from vitrail.source.lspci_text import Listing, read_listing

ROOT = "pci 0000:00:00.0: [1022:1480] type 00 class 0x060000"
PORT = "pci 0000:00:03.1: [1022:1483] type 01 class 0x060400 PCIe Root Port"
CARD = "pci 0000:0b:00.0: [1002:731f] type 00 class 0x030000 PCIe Legacy Endpoint"
SOUND = "pci 0000:0b:00.1: [1002:ab38] type 00 class 0x040300"
DEVICES = (ROOT, PORT, CARD, SOUND)
GROUPS = (
    "pci 0000:00:03.1: Adding to iommu group 4",
    "pci 0000:0b:00.0: Adding to iommu group 25",
    "pci 0000:0b:00.1: Adding to iommu group 26",
)
OLD_GROUPS = tuple(
    line.replace("pci ", "iommu: Adding device ").replace(": Adding to iommu group", " to group") for line in GROUPS
)
PREFIXES = {
    "none": "",
    "dmesg": "[    0.540980] ",
    "dmesg with the caller": "[    0.540980] [    T1] ",
    "dmesg -T": "[Fri Feb 11 10:00:00 2022] ",
    "dmesg -x": "kern  :info  : [    0.540980] ",
    "dmesg --raw": "<6>[    0.540980] ",
    "journalctl -k": "Feb 11 10:00:00 host kernel: ",
    "quoted in a mail": "> > [    0.540980] ",
}


def log(*lines: str, prefix: str = "[    0.540980] ") -> str:
    return "".join(f"{prefix}{line}\n" for line in lines)


def groups(listing: Listing) -> dict[str, int | None]:
    return {device.address.short: device.group for device in listing.devices}


def at(listing: Listing, short: str) -> ListedDevice:
    return next(device for device in listing.devices if device.address.short == short)


def reason(words: str) -> str:
    with pytest.raises(Unreadable) as error:
        read_listing(words)
    seen = dict(error.value.what.args)["seen"]
    assert isinstance(seen, Text)
    return seen.id


@pytest.mark.parametrize("joined", [GROUPS, OLD_GROUPS], ids=["new wording", "old wording"])
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES.keys())
def test_devices_and_groups_are_read_behind_every_prefix(prefix: str, joined: tuple[str, ...]):
    listing = read_listing(log(*DEVICES, *joined, prefix=prefix))
    assert groups(listing) == {"00:00.0": None, "00:03.1": 4, "0b:00.0": 25, "0b:00.1": 26}
    card = at(listing, "0b:00.0")
    assert (card.pci_class.code, card.vendor_id, card.device_id) == (0x030000, 0x1002, 0x731F)
    assert (card.driver, card.name, card.without_group) == (None, None, False)
    assert [note.id for note in listing.notes] == ["listing.kernel-log"]


def test_a_log_without_the_host_bridge_is_an_excerpt():
    listing = read_listing(log(CARD, GROUPS[1]))
    assert [note.id for note in listing.notes] == ["listing.kernel-log", "listing.excerpt"]


@pytest.mark.parametrize(
    "lines",
    [
        DEVICES,
        GROUPS,
        (CARD, GROUPS[0]),
        (*DEVICES, *GROUPS, "pci 0000:0b:00.0: Adding to iommu group 7"),
        (*DEVICES, *GROUPS, CARD.replace("731f", "731e")),
        (CARD.replace("class 0x030000", "class 0x0300"), GROUPS[1]),
        (CARD, f"{GROUPS[1]}x"),
        (CARD, "nouveau: my0000:0b:00.0: Adding to iommu group 25"),
    ],
    ids=["devices only", "groups only", "of others", "two groups", "two devices", "short class", "no number", "glued"],
)
def test_half_a_log_or_one_that_contradicts_itself_is_refused(lines: tuple[str, ...]):
    assert reason(log(*lines)) == "listing.seen.dmesg"


def test_a_driver_may_be_named_in_place_of_pci():
    listing = read_listing(log(CARD, "amdgpu 0000:0b:00.0: Adding to iommu group 25"))
    assert groups(listing) == {"0b:00.0": 25}


@pytest.mark.parametrize(
    "line", ["pci 0000:0b:00.1: Removing from iommu group 26", "iommu: Removing device 0000:0b:00.1 from group 26"]
)
def test_a_device_that_went_is_not_there(line: str):
    words = log(*DEVICES, *GROUPS, line)
    assert "0b:00.1" not in groups(read_listing(words))
    again = read_listing(words + log(SOUND, "pci 0000:0b:00.1: Adding to iommu group 9"))
    assert groups(again)["0b:00.1"] == 9


def test_the_last_start_that_is_told_fully_counts():
    boot = "Linux version 6.8.0 (gcc)"
    later = [line.replace("group 25", "group 15") for line in GROUPS]
    words = log(boot, *DEVICES, *GROUPS, boot, *DEVICES, *later)
    assert groups(read_listing(words))["0b:00.0"] == 15
    assert groups(read_listing(words + log(boot, ROOT)))["0b:00.0"] == 15


def test_a_bridge_tells_the_bus_behind_it():
    listing = read_listing(log(*DEVICES, "pci 0000:00:03.1: PCI bridge to [bus 0b-0c]", *GROUPS))
    assert at(listing, "00:03.1").secondary_bus == 0x0B


def test_lspci_with_the_kernel_log_around_it_is_lspci():
    card = "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)\n"
    listing = read_listing(f"{log(*DEVICES, *GROUPS)}\nIOMMU Group 3:\n\t{card}")
    assert groups(listing) == {"01:00.0": 3}
    assert "listing.kernel-log" not in [note.id for note in listing.notes]


@pytest.mark.parametrize(
    "line",
    [
        "pci 0000:0b:00.0: " * 55_000,
        "a" * 1_000_000,
        "a-" * 500_000,
        f"{CARD}\n" * 14_000,
        f"{GROUPS[0]}\n" * 24_000,
        "Linux version 6\n" * 65_000,
        "iommu: Adding device " * 49_000,
    ],
)
def test_a_megabyte_costs_no_more_than_its_length(line: str):
    start = time.perf_counter()
    with suppress(Unreadable):
        read_listing(line)
    assert time.perf_counter() - start < 2

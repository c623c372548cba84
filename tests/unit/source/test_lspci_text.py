# SPDX-License-Identifier: GPL-3.0-or-later
"""Every layout in which people paste lspci is read; every other text is refused by name."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrail.model.errors import Unreadable
from vitrail.model.pci import PciAddress
from vitrail.model.text import Text
from vitrail.source.listing_lines import ListedDevice
from vitrail.source.lspci_text import Listing, read_listing
from vitrail.source.pci_classes import class_of_words, leading_class

CARD = "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [GeForce RTX 3070] [10de:2484] (rev a1)"
SOUND = "01:00.1 Audio device [0403]: NVIDIA Corporation GA104 High Definition Audio Controller [10de:228b] (rev a1)"
PORT = "00:01.0 PCI bridge [0604]: Intel Corporation 6th-10th Gen Core Processor PCIe Controller (x16) [8086:1901]"
ROOT = "00:00.0 Host bridge [0600]: Intel Corporation 8th Gen Core Processor Host Bridge [8086:3e30] (rev 0a)"

LAYOUTS = {
    "one line each": f"IOMMU Group 12 {CARD}\nIOMMU Group 12 {SOUND}\nIOMMU Group 2 {ROOT}\n",
    "heading and tab": f"IOMMU Group 12:\n\t{CARD}\n\t{SOUND}\nIOMMU Group 2:\n\t{ROOT}\n",
    "lower case, no colon": f"iommu group 12\n    {CARD}\n    {SOUND}\niommu group 2\n    {ROOT}\n",
    "upper case and number in brackets": f"IOMMU GROUP 12\n (12) {CARD}\n (12) {SOUND}\nIOMMU GROUP 2\n (2) {ROOT}",
    "number in brackets only": f"(12) {CARD}\n(12) {SOUND}\n(2) {ROOT}\n",
    "hashes": f"### Group 12 ###\n    {CARD}\n    {SOUND}\n### Group 2 ###\n    {ROOT}\n",
    "group colon": f"Group:  12  0000:{CARD}\nGroup:  12  0000:{SOUND}\nGroup:  2   0000:{ROOT}\n",
    "colon after the number": f"IOMMU Group 12: {CARD}\nIOMMU Group 12: {SOUND}\nIOMMU Group 2: {ROOT}\n",
    "reset marks": f"IOMMU group 12\n[RESET]\t{CARD}\n\t{SOUND}\nIOMMU group 2\n\t{ROOT}\n",
    "remapping unit tree": (
        f"IOMMU: dmar3\n  Group: 12\n    Group Device: {CARD}\n    Group Device: {SOUND}\n"
        f"IOMMU: dmar0\n  Group: 2\n    Group Device: {ROOT}\n"
    ),
    "drawn tree": f"Group 12\n├── {CARD}\n└── {SOUND}\nGroup 2\n└── {ROOT}\n",
    "Markdown": f"- **IOMMU Group 12** `{CARD}`\n- **IOMMU Group 12** `{SOUND}`\n- **IOMMU Group 2** `{ROOT}`\n",
    "bold ids": (f"IOMMU Group 12 {CARD}\nIOMMU Group 12 {SOUND}\nIOMMU Group 2 {ROOT}\n").replace(
        "10de:2484", "**10de:2484**"
    ),
    "HTML": (
        f"<pre><code>IOMMU Group 12 {CARD}<br>\nIOMMU Group 12 {SOUND}<br/>\n"
        f"<span class='x'>IOMMU Group 2</span> {ROOT}\n</code></pre>\n"
    ),
    "quoted mail": f"> IOMMU Group 12:\n> \t{CARD}\n> \t{SOUND}\n>> IOMMU Group 2:\n>> \t{ROOT}\n",
    "terminal colours": (
        f"IOMMU Group 12 {CARD}\nIOMMU Group 12 {SOUND}\nIOMMU Group 2 {ROOT}\n".replace(
            "NVIDIA", "\x1b[01;31m\x1b[KNVIDIA\x1b[m\x1b[K"
        )
    ),
    "Windows line ends": f"IOMMU Group 12 {CARD}\r\nIOMMU Group 12 {SOUND}\r\nIOMMU Group 2 {ROOT}\r\n",
    "a header of columns": f"Group  Device\n12  {CARD}\n12  {SOUND}\n2   {ROOT}\n",
    "script and prompt before it": (
        "me@host:~$ for d in /sys/kernel/iommu_groups/*/devices/*; do \\\n    n=${d#*/iommu_groups/*}; n=${n%%/*}\n"
        "    printf 'IOMMU Group %s ' \"$n\"\ndone\n"
        f"IOMMU Group 12 {CARD}\nIOMMU Group 12 {SOUND}\nIOMMU Group 2 {ROOT}\n"
    ),
    "verbose": (
        f"{CARD}\n\tSubsystem: ASUSTeK Computer Inc. Device [1043:87c1]\n\tFlags: bus master, IOMMU group 12\n"
        f"{SOUND}\n\tFlags: fast devsel, IRQ 17, IOMMU group 12\n\n{ROOT}\n\tFlags: bus master, IOMMU group 2\n"
    ),
    "very verbose": (
        f"{CARD}\n\tControl: I/O+ Mem+\n\tLatency: 0\n\tIOMMU group: 12\n\tRegion 0: Memory at 81000000\n"
        f"{SOUND}\n\tControl: I/O-\n\tIOMMU group: 12\n\n{ROOT}\n\tStatus: Cap+\n\tIOMMU group: 2\n"
    ),
    "machine records": (
        "Slot:\t0000:01:00.0\nClass:\tVGA compatible controller [0300]\nVendor:\tNVIDIA Corporation [10de]\n"
        "Device:\tGA104 [GeForce RTX 3070] [2484]\nRev:\ta1\nDriver:\tnvidia\nIOMMUGroup:\t12\n\n"
        "Slot:\t0000:01:00.1\nClass:\tAudio device [0403]\nVendor:\tNVIDIA Corporation [10de]\n"
        "Device:\tGA104 High Definition Audio Controller [228b]\nIOMMUGroup:\t12\n\n"
        "Slot:\t0000:00:00.0\nClass:\tHost bridge [0600]\nVendor:\tIntel Corporation [8086]\nDevice:\tDevice [3e30]\n"
        "IOMMUGroup:\t2\n"
    ),
}


def cards(listing: Listing) -> list[str]:
    return [device.address.short for device in listing.devices if device.pci_class.is_display]


def at(listing: Listing, address: str) -> ListedDevice:
    wanted = PciAddress.parse(address)
    return next(device for device in listing.devices if device.address == wanted)


def seen(error: pytest.ExceptionInfo[Unreadable]) -> str:
    reason = dict(error.value.what.args)["seen"]
    assert isinstance(reason, Text)
    return reason.id


@pytest.mark.parametrize("words", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_gives_the_same_cards_and_groups(words: str):
    listing = read_listing(words)
    assert [(device.address.short, device.group) for device in listing.devices] == [
        ("00:00.0", 2),
        ("01:00.0", 12),
        ("01:00.1", 12),
    ]
    assert cards(listing) == ["01:00.0"]
    card = at(listing, "01:00.0")
    assert (card.vendor_id, card.device_id) == (0x10DE, 0x2484)
    assert (card.vendor_name, card.name) == ("NVIDIA Corporation", "GA104 [GeForce RTX 3070]")


def test_columns_without_class_numbers_are_read_by_the_class_words():
    listing = read_listing(
        "Group 0:\t[1022:1480]     00:00.0  Host bridge                              Root Complex: Device 18h\n"
        "Group 14:\t[10de:2757] [R] 01:00.0  VGA compatible controller                GN21-X11 [GeForce RTX 4090]\n"
        "\t\t[10de:22bb]     01:00.1  Audio device                             Device 22bb\n"
        "USB:\t\t[1d6b:0002]\t\t Bus 001 Device 001   Linux Foundation 2.0 root hub\n"
    )
    assert cards(listing) == ["01:00.0"]
    assert at(listing, "01:00.1").group == 14
    assert (at(listing, "01:00.0").vendor_id, at(listing, "01:00.1").device_id) == (0x10DE, 0x22BB)
    assert len(listing.devices) == 3


def test_plain_lspci_has_cards_but_neither_ids_nor_groups():
    listing = read_listing(
        "00:00.0 Host bridge: Intel Corporation Device 9b54 (rev 02)\n"
        "00:02.0 Display controller: Intel Corporation HD Graphics 530 (rev 06)\n"
        "01:00.0 3D controller: NVIDIA Corporation GP107M [GeForce MX350] (rev ff)\n"
    )
    assert cards(listing) == ["00:02.0", "01:00.0"]
    card = at(listing, "01:00.0")
    assert (card.vendor_id, card.device_id, card.group, card.driver) == (None, None, None, None)
    assert card.revision == 0xFF


def test_the_number_of_an_unnamed_device_is_its_id():
    listing = read_listing("01:00.0 VGA compatible controller: NVIDIA Corporation Device 1f95 (rev a1)\n")
    card = at(listing, "01:00.0")
    assert (card.vendor_name, card.name, card.vendor_id, card.device_id) == ("NVIDIA Corporation", None, None, 0x1F95)


def test_a_device_of_an_unnamed_vendor_has_both_ids():
    card = at(read_listing("00:01.0 VGA compatible controller: Device 1234:1111 (rev 02)\n"), "00:01.0")
    assert (card.vendor_id, card.device_id, card.name) == (0x1234, 0x1111, None)


def test_numbers_only():
    listing = read_listing("00:00.0 0600: 8086:3e30 (rev 0a)\n01:00.0 0300: 10de:2484 (rev a1)\n")
    assert cards(listing) == ["01:00.0"]
    assert at(listing, "01:00.0").device_id == 0x2484


def test_quoted_fields():
    vendor, subsystem = '"NVIDIA Corporation [10de]" "GA104 [2484]"', '"ASUS [1043]" "Device [87c1]"'
    line = f'01:00.0 "VGA compatible controller [0300]" {vendor} -ra1 {subsystem}\n'
    card = at(read_listing(line), "01:00.0")
    assert (card.vendor_id, card.device_id, card.subsystem_vendor_id, card.subsystem_device_id) == (
        0x10DE,
        0x2484,
        0x1043,
        0x87C1,
    )


def test_the_class_code_decides_against_the_words_and_the_name():
    listing = read_listing(
        "01:00.0 VGA compatible controller [0200]: Some Corp. VGA card [1234:0001]\n"
        "02:00.0 Ethernet controller: NVIDIA Corporation GeForce display controller\n"
    )
    assert cards(listing) == []


def test_a_class_that_nobody_knows_stays_unknown_and_the_device_stays_listed():
    listing = read_listing(f"{CARD}\n05:00.0 Quantum oracle: Some Corp. Delphi [1234:0002]\n")
    assert at(listing, "05:00.0").pci_class.code is None


def test_details_give_driver_and_subsystem_and_interface():
    listing = read_listing(
        f"{ROOT}\n{PORT} (prog-if 00 [Normal decode])\n"
        "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n\tKernel driver in use: pcieport\n\n"
        f"{CARD} (prog-if 00 [VGA controller])\n\tSubsystem: ASUSTeK Computer Inc. Device [1043:87c1]\n"
        "\tKernel driver in use: vfio-pci\n\tKernel modules: nvidiafb, nouveau\n"
        "03:00.0 USB controller [0c03]: Intel Corporation USB [8086:a2af] (prog-if 30 [XHCI])\n"
    )
    assert at(listing, "01:00.0").driver == "vfio-pci"
    assert at(listing, "01:00.0").subsystem_device_id == 0x87C1
    assert at(listing, "00:01.0").secondary_bus == 1
    assert at(listing, "03:00.0").pci_class.code == 0x0C0330
    assert at(listing, "03:00.0").driver is None


def test_a_device_that_was_shown_without_a_group_has_none():
    listing = read_listing(f"{ROOT}\n\tFlags: bus master, IOMMU group 0\n{CARD}\n\tFlags: bus master, IRQ 24\n")
    assert at(listing, "01:00.0").without_group


def test_where_no_group_is_shown_nothing_is_said_of_groups():
    assert not at(read_listing(f"{CARD}\n\tFlags: bus master, IRQ 24\n"), "01:00.0").without_group


def test_a_second_command_adds_to_the_first():
    listing = read_listing(
        f"root@pve:~# lspci -nn\n{ROOT}\n{CARD}\nroot@pve:~# lspci -k\n"
        "00:00.0 Host bridge: Intel Corporation 8th Gen Core Processor Host Bridge (rev 0a)\n"
        "01:00.0 VGA compatible controller: NVIDIA Corporation GA104 [GeForce RTX 3070] (rev a1)\n"
        "\tKernel driver in use: nvidia\n"
    )
    assert (at(listing, "01:00.0").driver, at(listing, "01:00.0").device_id) == ("nvidia", 0x2484)
    assert listing.notes == ()


def test_filtered_commands_of_one_machine_are_joined():
    listing = read_listing(
        "$ lspci -nn -d 8086:56a6\n03:00.0 VGA compatible controller [0300]: Intel Corporation Device [8086:56a6]\n"
        "$ lspci -nn -d 8086:4f92\n04:00.0 Audio device [0403]: Intel Corporation Device [8086:4f92]\n"
    )
    assert [device.address.short for device in listing.devices] == ["03:00.0", "04:00.0"]
    assert [note.id for note in listing.notes] == ["listing.excerpt"]


def test_cards_of_two_machines_are_never_mixed():
    listing = read_listing(
        f"{ROOT}\n{CARD}\n"
        "00:00.0 Host bridge [0600]: Advanced Micro Devices, Inc. [AMD] Raphael Root Complex [1022:14d8]\n"
        "0c:00.0 VGA compatible controller [0300]: Advanced Micro Devices, Inc. [AMD/ATI] Raphael [1002:164e]\n"
    )
    assert cards(listing) == ["01:00.0"]
    assert [(note.id, note.count) for note in listing.notes] == [("listing.several-machines", 2)]


def test_prompts_of_two_machines_part_them():
    other = "0c:00.0 VGA compatible controller [0300]: Intel Corporation Device [8086:56a0]"
    listing = read_listing(f"me@one:~$ lspci -nn\n{ROOT}\n{CARD}\nme@two:~$ lspci -nn\n{other}\n")
    assert cards(listing) == ["01:00.0"]


def test_before_and_after_on_one_page_gives_before():
    listing = read_listing(
        f"IOMMU Group 0 {ROOT}\nIOMMU Group 1 {CARD}\nIOMMU Group 1 {SOUND}\n"
        f"IOMMU Group 0 {ROOT}\nIOMMU Group 7 {CARD}\nIOMMU Group 8 {SOUND}\n"
    )
    assert at(listing, "01:00.0").group == 1
    assert listing.notes[0].id == "listing.several-machines"


def test_a_group_ends_with_its_listing():
    listing = read_listing(f"IOMMU Group 3:\n\t{ROOT}\n\nme@host:~$ lspci -nn\n{CARD}\n")
    assert at(listing, "01:00.0").group is None


def test_the_kernels_lines_between_listings_are_no_devices():
    listing = read_listing(
        f"[    0.489615] pci 0000:00:02.0: Adding to iommu group 2\nIOMMU Group 0:\n\t{ROOT}\n"
        "lrwxrwxrwx 1 root root 0 Nov 19 12:41 0000:00:04.0 -> ../../../devices/pci0000:00/0000:00:04.0\n"
    )
    assert [device.address.short for device in listing.devices] == ["00:00.0"]


def test_domains_are_kept():
    listing = read_listing(
        "10000:e1:00.0 Non-Volatile memory controller [0108]: Intel Corporation Optane [8086:2700]\n"
    )
    assert listing.devices[0].address == PciAddress(0x10000, 0xE1, 0, 0)


REFUSED = {
    "listing.seen.nothing": " \n\n",
    "listing.seen.dmesg": "[    0.3] x\n[    0.489615] pci 0000:00:00.0: Adding to iommu group 0\n",
    "listing.seen.udevadm": "P: /devices/pci0000:00/0000:00:05.0\nE: DEVPATH=/devices/pci0000:00/0000:00:05.0\n",
    "listing.seen.nvidia-smi": "GPU 0: NVIDIA A100 (UUID: GPU-9630cc21-35cd-3bd5-42c3-ce34229ec929)\n",
    "listing.seen.mdevctl": "0000:02:00.0\n  nvidia-156\n    Available instances: 12\n    Device API: vfio-pci\n",
    "listing.seen.tree": "-[0000:00]-+-00.0  Intel Corporation Device\n           +-02.0  Intel Corporation UHD\n",
    "listing.seen.domain": "<domain type='kvm'>\n  <name>win</name>\n</domain>\n",
    "listing.seen.sysfs": "/sys/kernel/iommu_groups/1/devices/0000:01:00.0\n",
    "listing.seen.addresses": "IOMMU Group 1:\n\t0000:01:00.0\n\t0000:01:00.1\n",
    "listing.seen.lshw": "  *-display\n       description: VGA controller\n       bus info: pci@0000:01:00.0\n",
    "listing.seen.inxi": "Graphics:\n  Device-1: NVIDIA GA104 driver: nvidia bus-ID: 01:00.0\n",
    "listing.seen.settings": 'GRUB_CMDLINE_LINUX="intel_iommu=on"\n',
    "listing.seen.binary": "01:00.0 VGA compatible controller: \0\0",
    "listing.seen.something-else": "00:12.3 Someone said: hello\nDear list, my card does not work.\n",
    "listing.seen.too-long": f"{CARD}\n" * 10_500,
}


@pytest.mark.parametrize(("reason", "words"), REFUSED.items(), ids=REFUSED.keys())
def test_any_other_text_is_refused_by_name_with_the_command_to_run(reason: str, words: str):
    with pytest.raises(Unreadable) as error:
        read_listing(words)
    assert seen(error) == reason
    assert [step.id for step in error.value.next_steps] == ["listing.run-lspci"]


@pytest.mark.parametrize(
    "line",
    [
        "01:00.0 " * 120_000,
        "[" * 1_000_000,
        "Group " * 160_000,
        "<" * 1_000_000,
        "> " * 500_000,
        "(1)" * 300_000,
        "01:00.0 VGA compatible controller [0300]: " + "[10de:" * 150_000,
        "\x1b[" * 400_000,
        "\t" * 1_000_000,
    ],
)
def test_a_line_of_a_megabyte_costs_no_more_than_its_length(line: str):
    start = time.perf_counter()
    with suppress(Unreadable):
        read_listing(line)
    assert time.perf_counter() - start < 2


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_it_fail_otherwise_than_by_refusing(words: str):
    with suppress(Unreadable):
        read_listing(words)


@given(
    st.lists(
        st.sampled_from([CARD, SOUND, PORT, "IOMMU Group 4:", "Group 5", "\tFlags: IOMMU group 7", "$ lspci", ""]),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_lines_in_any_order_never_give_a_device_twice(lines: list[str]):
    try:
        listing = read_listing("\n".join(lines))
    except Unreadable:
        return
    addresses = [device.address for device in listing.devices]
    assert addresses == sorted(set(addresses))


def test_class_words_are_read_in_any_case_and_the_longest_wins():
    assert class_of_words("vga  Compatible controller") == 0x0300
    assert class_of_words("Class 0380") == 0x0380
    assert class_of_words("Class 0x80") is None
    assert class_of_words("GeForce") is None
    assert leading_class("PCI bridge Sunrise Point") == (0x0604, "Sunrise Point")
    assert leading_class("no class at all") is None


BESIDE_A_LOG = """\
[    0.48] pci 0000:00:01.0: Adding to iommu group 1
[    0.49] pci 0000:00:02.0: Adding to iommu group {other}
IOMMU Group 1:
\t00:01.0 PCI bridge [0604]: Intel Corporation PCIe Controller (x16) [8086:1901] (rev 07)
\t01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GM204 [GeForce GTX 970] [10de:13c2] (rev a1)
"""


def test_kernel_lines_beside_a_listing_tell_more_groups() -> None:
    found = {str(one.address): one.group for one in read_listing(BESIDE_A_LOG.format(other=2)).devices}
    assert found == {"0000:00:01.0": 1, "0000:00:02.0": 2, "0000:01:00.0": 1}


def test_kernel_lines_that_contradict_the_listing_are_of_another_machine() -> None:
    words = BESIDE_A_LOG.format(other=2).replace("00:01.0: Adding to iommu group 1", "00:01.0: Adding to iommu group 9")
    assert {one.group for one in read_listing(words).devices} == {1}

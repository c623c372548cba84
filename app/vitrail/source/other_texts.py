# SPDX-License-Identifier: GPL-3.0-or-later
"""What people paste in place of a listing, told apart by a line or two, so that the refusal can name it.

Separate from the reading of listings because nothing here is ever read for facts.
"""

from __future__ import annotations

import re

from vitrail.model.text import Text, text

_LOOKS = (
    ("listing.seen.udevadm", r"^P: /devices/|^E: (?:DEVPATH|PCI_SLOT_NAME)="),
    ("listing.seen.nvidia-smi", r"^GPU \d+: .{1,120}\(UUID: (?:GPU|MIG)-|^\| NVIDIA-SMI \d|^={3,}NVSMI LOG"),
    ("listing.seen.mdevctl", r"^ {0,8}Available instances: \d+|^ {0,8}Device API: vfio"),
    (
        "listing.seen.dmesg",
        (
            r"^[ \t]{0,8}(?:<\d+>)?\[ {0,6}\d{1,7}\.\d{6}\] |^.{0,60} kernel: "
            r"|^[\w-]{1,30} [0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]: "
        ),
    ),
    ("listing.seen.tree", r"^ {0,12}[-+|\\ ]{0,12}\[[0-9a-f]{4}(?::[0-9a-f]{2})?\]-"),
    ("listing.seen.domain", r"^[ \t]{0,8}<(?:domain|domstatus|device|node|capabilities)[ >]"),
    ("listing.seen.sysfs", r"^.{0,80}/sys/(?:kernel/iommu_groups|bus/pci|devices)/.{0,80}[0-9a-f]{4}:[0-9a-f]{2}:"),
    ("listing.seen.addresses", r"^[ \t]{0,16}(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7][ \t]*$"),
    ("listing.seen.lshw", r"^[ \t]{0,8}\*-(?:display|pci|core)|^Bus info {2,}Device|^pci@[0-9a-f]{4}:"),
    ("listing.seen.inxi", r"^Graphics:[ \t]*$|^[ \t]{0,8}Device-1: "),
    ("listing.seen.settings", r"^[ \t]{0,8}GRUB_CMDLINE_LINUX|^[ \t]{0,8}options vfio|^BOOT_IMAGE="),
)
_PATTERNS = tuple((message, re.compile(pattern, re.MULTILINE | re.IGNORECASE)) for message, pattern in _LOOKS)


def seen_instead(words: str) -> Text | None:
    """What the text seems to be, None where nothing is recognised."""
    if not words.strip():
        return text("listing.seen.nothing")
    for message, pattern in _PATTERNS:
        if pattern.search(words):
            return text(message)
    return None

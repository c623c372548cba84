# SPDX-License-Identifier: GPL-3.0-or-later
"""The board of a first use: a card that is lit, another one, and the one that the firmware starts on."""

from __future__ import annotations

from lab.wiring import AUDIO, CARD, CARD_WITH_PORTS, VGA_CARD, Hardware, Slot

FIRST_USE = Hardware((Slot((CARD_WITH_PORTS, AUDIO)), Slot((CARD,))), builtin=VGA_CARD)
CHOSEN = "0000:01:00.0"
GIVEN = {
    "0000:01:00.0": "vfio-pci",
    "0000:01:00.1": "vfio-pci",
    "0000:02:00.0": "bochs-drm",
    "0000:00:02.0": "bochs-drm",
}
"""Every driver when the chosen card is kept for VMs."""
INSIDE = {"1234:1111 0380", "8086:2668 0403"}
"""What its guest sees of it."""

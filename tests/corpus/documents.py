# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared domain documents, and a machine on which each of them would make sense.

Apart from the tests because both the editor's and libvirt's word on these documents is asked.
"""

from __future__ import annotations

import csv
from pathlib import Path

from fakes import hosts
from vitrail.model.machine import Host
from vitrail.model.vm import Vm

FOLDER = Path(__file__).parents[3] / "shared" / "corpus" / "domains"
INDEX = FOLDER / "index.csv"
ROWS = list(csv.DictReader(INDEX.read_text().splitlines())) if INDEX.is_file() else []
CARD = hosts.nvidia_card()


def words_of(row: dict[str, str]) -> str:
    """The document as it lies there."""
    return (FOLDER / row["file"]).read_bytes().decode()


def host_with_the_cards_of(vm: Vm) -> Host:
    """A machine on which every slot that the VM was given holds a card, besides one more card."""
    slots: dict[tuple[int, int, int], list[str]] = {}
    for hostdev in vm.hostdevs:
        if hostdev.pci is not None and hostdev.pci.slot_key != CARD.address.slot_key:
            slots.setdefault(hostdev.pci.slot_key, []).append(str(hostdev.pci))
    cards = [
        hosts.gpu(
            *(hosts.device(at, hosts.VGA if n == 0 else hosts.HDA) for n, at in enumerate(sorted(set(functions))))
        )
        for functions in slots.values()
    ]
    return hosts.host(CARD, *cards)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards, monitors and lists of them in words: the name that people know first, the address last."""

from __future__ import annotations

from collections.abc import Sequence

from vitrail.model.machine import Connection, Gpu, Host, Output
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, known_or
from vitrail.model.text import Text, text
from vitrail.qt import words


def card_name(host: Host, gpu: Gpu) -> Text:
    """The card's name; with its address where another card here has the same name."""
    name = words.card_name(gpu)
    others = known_or(host.gpus, ())
    if any(other.address != gpu.address and words.card_name(other) == name for other in others):
        return text("wizard.card.twin", name=name, address=gpu.address.short)
    return text("wizard.card.name", name=name)


def card_at(host: Host, address: PciAddress) -> Text:
    """The name of the card at this address, the address alone where none is there."""
    gpu = host.gpu_at(address)
    return text("wizard.card.unnamed", address=address.short) if gpu is None else card_name(host, gpu)


def connected_outputs(gpu: Gpu) -> tuple[Output, ...] | None:
    """The outputs with a monitor in them; None where the card's outputs were not read."""
    if not isinstance(gpu.outputs, Known):
        return None
    return tuple(
        output
        for output in gpu.outputs.value
        if isinstance(output.status, Known) and output.status.value is Connection.CONNECTED
    )


def output_name(output: Output) -> Text:
    """The socket, with the monitor's own name where it tells one."""
    display = output.display.value if isinstance(output.display, Known) else None
    if display:
        return text("wizard.output.with-display", connector=output.connector, display=display)
    return text("wizard.output.bare", connector=output.connector)


def sentence_list(parts: Sequence[Text]) -> Text:
    """The parts as one list, nested so that a language can say how a list is joined."""
    joined = parts[0]
    for part in parts[1:]:
        joined = text("wizard.list.more", head=joined, tail=part)
    return joined

# SPDX-License-Identifier: GPL-3.0-or-later
"""From the words of a request to the machine, the VM, the card and the choice that they name."""

from __future__ import annotations

from argparse import Namespace

from vitrail.model.choice import Choice, make_choice
from vitrail.model.errors import Refused, Unreadable
from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known
from vitrail.model.text import Text, text
from vitrail.service.documents import open_place_for_document
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace


def open_from(request: Namespace) -> Workplace:
    """The machine that the request names: a recording, another libvirt, or this one."""
    return open_place(getattr(request, "machine", None), request.connect)


def open_for_document(request: Namespace) -> Workplace:
    """The machine that a domain XML on disk is judged against; no libvirt is asked unless one was named."""
    return open_place_for_document(request.machine, request.connect)


def choice_from(request: Namespace, host: Host) -> Choice:
    """The choice of --mode, --gpu and --set. Raises Refused where the card is not here, Unreadable for wrong words."""
    settings: dict[str, str] = {}
    for words in request.set:
        key, equals, value = words.partition("=")
        if not equals:
            raise Unreadable(text("cli.usage.set-form", words=words))
        settings[key] = value
    gpu = None if request.gpu is None else _address(request.gpu)
    choice = make_choice(Mode(request.mode), gpu, settings)
    if gpu is not None and isinstance(host.gpus, Known) and host.gpu_at(gpu) is None:
        raise Refused(text("plan.no-such-card", address=str(gpu)), _cards_here(host))
    return choice


def _address(words: str) -> PciAddress:
    try:
        return PciAddress.parse(words)
    except ValueError as error:
        raise Unreadable(text("cli.bad-address", words=words), text("cli.bad-address.form")) from error


def _cards_here(host: Host) -> Text:
    cards = host.gpus.value if isinstance(host.gpus, Known) else ()
    if not cards:
        return text("cli.no-cards-here")
    listed = ", ".join(
        f"{card.address} ({card.device.name.value})" if isinstance(card.device.name, Known) else str(card.address)
        for card in cards
    )
    return text("cli.cards-here", cards=listed)

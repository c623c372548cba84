# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host devices of a VM are graphics cards or parts of one, and so leave when the VM's graphics change.

Network cards, disks and USB devices are never touched. A device that this machine does not show cannot be told: it
stays, and that is said.
"""

from __future__ import annotations

from enum import Enum

from vitrail.judge.card import own_functions
from vitrail.model.finding import Evidence
from vitrail.model.machine import Host
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, known_or
from vitrail.model.text import text
from vitrail.model.vm import Hostdev
from vitrail.plan.draft import Draft, Ground, warning
from vitrail.xmldoc.devices import read_hostdev
from vitrail.xmldoc.edits import Remove


class Kind(Enum):
    """What a host device of the VM is to its graphics."""

    CARD = 1
    OTHER = 2
    UNTOLD = 3


def _given_cards(host: Host, hostdevs: tuple[Hostdev, ...]) -> frozenset[PciAddress]:
    """Every function of each card whose graphics the VM has."""
    given = {hostdev.pci for hostdev in hostdevs}
    cards = (card for card in known_or(host.gpus, ()) if card.address in given)
    return frozenset(address for card in cards for address in own_functions(card))


def _kind(host: Host, hostdev: Hostdev, given: frozenset[PciAddress]) -> Kind:
    if hostdev.display:
        return Kind.CARD
    if hostdev.type == "mdev":
        return _kind_of_mediated(host, hostdev)
    if hostdev.type != "pci":
        return Kind.OTHER
    if hostdev.pci is None or hostdev.pci in given:
        return Kind.UNTOLD if hostdev.pci is None else Kind.CARD
    device = host.device_at(hostdev.pci)
    if device is None:
        return Kind.UNTOLD
    cards = {card.address for card in known_or(host.gpus, ())}
    return Kind.CARD if device.pci_class.is_display or device.physical_function in cards else Kind.OTHER


def _kind_of_mediated(host: Host, hostdev: Hostdev) -> Kind:
    if hostdev.model != "vfio-pci":
        return Kind.OTHER
    if not isinstance(host.mediated_devices, Known) or not isinstance(host.gpus, Known):
        return Kind.UNTOLD
    cards = {card.address for card in host.gpus.value}
    for device in host.mediated_devices.value:
        if device.uuid.lower() == hostdev.mdev_uuid:
            return Kind.CARD if device.parent in cards else Kind.OTHER
    return Kind.UNTOLD


def leaving(ground: Ground, staying: frozenset[PciAddress] = frozenset()) -> Draft:
    """Take every card and part of a card out of the VM, but the functions in `staying`."""
    given = _given_cards(ground.host, ground.vm.hostdevs)
    draft = Draft()
    for node in ground.all("hostdev"):
        hostdev = read_hostdev(node)
        if hostdev.pci is not None and hostdev.pci in staying:
            continue
        match _kind(ground.host, hostdev, given):
            case Kind.CARD:
                draft += Draft(edits=(Remove(node.path),))
            case Kind.UNTOLD:
                draft += _untold(ground.host, hostdev)
            case Kind.OTHER:
                pass
    return draft


def _untold(host: Host, hostdev: Hostdev) -> Draft:
    device = str(hostdev.pci or hostdev.mdev_uuid or "?")
    read = isinstance(host.devices if hostdev.type == "pci" else host.mediated_devices, Known)
    if hostdev.type == "pci" and hostdev.pci is None:
        why = "plan.hostdev-unreadable"
    else:
        why = "plan.hostdev-not-here" if read else "plan.hostdev-untold"
    remedy = text("plan.hostdev-untold.remedy")
    evidence = Evidence(f"domain/devices/hostdev[@type='{hostdev.type}']", device)
    return Draft(findings=(warning("plan.hostdev-stays", text(why, device=device), remedy, evidence, known=False),))

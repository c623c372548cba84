# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole card with every function of its slot; the emulated screen stays until the guest's driver is proven."""

from __future__ import annotations

from vitrail.judge.card import own_functions
from vitrail.model.choice import Passthrough
from vitrail.model.finding import Evidence
from vitrail.model.machine import Gpu
from vitrail.model.pci import PciAddress
from vitrail.model.text import text
from vitrail.plan.cards import leaving
from vitrail.plan.draft import Draft, Ground, warning
from vitrail.plan.screens import going, vnc
from vitrail.plan.video import one_video
from vitrail.xmldoc.devices import read_hostdev
from vitrail.xmldoc.document import Node
from vitrail.xmldoc.edits import Edit, Element, Insert, SetAttribute, element


def draft_passthrough(ground: Ground, choice: Passthrough, card: Gpu) -> Draft:
    """The VM with this card and no other."""
    functions = own_functions(card)
    draft = leaving(ground, frozenset(functions)) + _given(ground, functions)
    draft += _dropped_screen(ground, functions) if choice.emulated_screen == "drop" else _kept_screen(ground, functions)
    return draft + _hidden(ground) if choice.hide_kvm else draft


def _has(ground: Ground) -> dict[PciAddress, Node]:
    """The VM's PCI devices; where one is named twice, the first."""
    found: dict[PciAddress, Node] = {}
    for node in ground.all("hostdev"):
        address = read_hostdev(node).pci
        if address is not None:
            found.setdefault(address, node)
    return found


def _given(ground: Ground, functions: tuple[PciAddress, ...]) -> Draft:
    there = _has(ground)
    edits: list[Edit] = []
    for address in functions:
        node = there.get(address)
        if node is None:
            edits.append(ground.add(hostdev(address)))
        elif node.get("managed") != "yes":
            # Without it, somebody has to bind the card by hand before every start.
            edits.append(SetAttribute(node.path, "managed", "yes"))
    return Draft(tuple(edits))


def hostdev(address: PciAddress) -> Element:
    """A host function that libvirt binds and gives back by itself; where the guest sees it, libvirt picks."""
    place = element(
        "address",
        domain=f"0x{address.domain:04x}",
        bus=f"0x{address.bus:02x}",
        slot=f"0x{address.slot:02x}",
        function=f"0x{address.function:x}",
    )
    return element("hostdev", element("source", place), mode="subsystem", type="pci", managed="yes")


def _shows_nothing(ground: Ground) -> bool:
    models = [model.get("type") for node in ground.all("video") for model in node.all("model")]
    return not ground.all("video") or (bool(models) and all(model == "none" for model in models))


def _kept_screen(ground: Ground, functions: tuple[PciAddress, ...]) -> Draft:
    """A screen to install the guest's driver by. A VM that has the card already and no screen is past that."""
    if functions[0] in _has(ground):
        return Draft()
    draft = one_video(ground, "virtio") if _shows_nothing(ground) else Draft()
    if not any(node.get("type") != "egl-headless" for node in ground.all("graphics")):
        draft += Draft((ground.add(vnc()),))
    return draft


def _dropped_screen(ground: Ground, functions: tuple[PciAddress, ...]) -> Draft:
    draft = one_video(ground, "none") + going(ground, ground.all("graphics"))
    if functions[0] not in _has(ground):
        title = text("plan.screen-dropped-early")
        evidence = Evidence("domain/devices/hostdev", str(functions[0]))
        remedy = text("plan.screen-dropped-early.remedy")
        draft += Draft(findings=(warning("plan.screen-dropped-early", title, remedy, evidence),))
    return draft


def _hidden(ground: Ground) -> Draft:
    """KVM's signature kept from the guest: asked for, never a default."""
    features = ground.root.find("features")
    hidden = element("hidden", state="on")
    if features is None:
        before = [
            index
            for index, node in enumerate(ground.root.children)
            if node.tag in ("os", "vcpu", "memory", "name", "uuid", "currentMemory", "resource", "sysinfo", "metadata")
        ]
        return Draft((Insert((), max(before, default=None), element("features", element("kvm", hidden))),))
    kvm = features.find("kvm")
    if kvm is None:
        last = len(features.children) - 1
        return Draft((Insert(features.path, last if last >= 0 else None, element("kvm", hidden)),))
    old = kvm.find("hidden")
    if old is None:
        return Draft((Insert(kvm.path, None, hidden),))
    return Draft() if old.get("state") == "on" else Draft((SetAttribute(old.path, "state", "on"),))

# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's answers about itself and the host: capabilities, domain capabilities, node devices."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.errors import Unreadable
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.xmldoc.devices import number
from vitrail.xmldoc.document import Node, parse


@dataclass(frozen=True, slots=True)
class GuestKind:
    """One architecture that the daemon can run: its emulator, its machine types, how it virtualises."""

    arch: str
    emulator: str | None
    machines: tuple[str, ...]
    virt_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DaemonCapabilities:
    """libvirt's `capabilities` document as far as it is used."""

    host_arch: str
    host_uuid: str | None
    guests: tuple[GuestKind, ...]


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """One node device. `pci` where it is a PCI function; `path` is its place in /sys."""

    name: str
    path: str | None
    parent: str | None
    driver: str | None
    pci: PciAddress | None
    vendor_id: int | None
    device_id: int | None
    pci_class: int | None
    iommu_group: int | None
    vendor_name: str | None
    device_name: str | None
    virtual_functions: tuple[PciAddress, ...]


def _expect(words: str, root_tag: str) -> Node:
    root = parse(words)
    if root.tag != root_tag:
        raise Unreadable(text("xmldoc.other-document", expected=root_tag, root=root.tag))
    return root


def read_domain_capabilities(words: str) -> DomainCapabilities:
    """What one emulator offers. Raises Unreadable."""
    root = _expect(words, "domainCapabilities")
    return DomainCapabilities(
        arch=root.value("arch"),
        machine=root.value("machine"),
        virt_type=root.value("domain"),
        video_models=_enum(root, "video", "modelType"),
        graphics_types=_enum(root, "graphics", "type"),
        pci_backends=_enum(root, "hostdev", "pciBackend"),
    )


def _enum(root: Node, device: str, name: str) -> Reading[tuple[str, ...]]:
    node = root.find("devices", device)
    source = f"domainCapabilities/devices/{device}/{name}"
    if node is not None and node.get("supported") == "no":
        return Known((), source)
    for enum in () if node is None else node.all("enum"):
        if enum.get("name") == name:
            return Known(tuple(value.text for value in enum.all("value")), source)
    return Unknown(text("xmldoc.enum-missing", enum=f"{device}/{name}"))


def read_capabilities(words: str) -> DaemonCapabilities:
    """What the daemon can run. Raises Unreadable."""
    root = _expect(words, "capabilities")
    guests = tuple(
        GuestKind(
            arch=arch.get("name") or "",
            emulator=arch.value("emulator") or None,
            machines=tuple(dict.fromkeys(node.text for node in (*arch.all("machine"), *arch.all("domain", "machine")))),
            virt_types=tuple(node.get("type") or "" for node in arch.all("domain")),
        )
        for arch in root.all("guest", "arch")
    )
    return DaemonCapabilities(root.value("host", "cpu", "arch"), root.value("host", "uuid") or None, guests)


def _spelled(node: Node) -> PciAddress | None:
    parts = [number(node.value(name) or node.get(name)) for name in ("domain", "bus", "slot", "function")]
    return None if None in parts else PciAddress(*(part or 0 for part in parts))


def _id_of(node: Node | None) -> int | None:
    return None if node is None else number(node.get("id"))


def read_node_device(words: str) -> NodeDevice:
    """One device of the host as libvirt tells it. Raises Unreadable."""
    root = _expect(words, "device")
    pci = next((node for node in root.all("capability") if node.get("type") == "pci"), None)
    group = None if pci is None else pci.find("iommuGroup")
    functions = () if pci is None else (node for node in pci.all("capability") if node.get("type") == "virt_functions")
    spelled = (_spelled(address) for node in functions for address in node.all("address"))
    return NodeDevice(
        name=root.value("name"),
        path=root.value("path") or None,
        parent=root.value("parent") or None,
        driver=root.value("driver", "name") or None,
        pci=None if pci is None else _spelled(pci),
        vendor_id=None if pci is None else _id_of(pci.find("vendor")),
        device_id=None if pci is None else _id_of(pci.find("product")),
        pci_class=None if pci is None else number(pci.value("class")),
        iommu_group=None if group is None else number(group.get("number")),
        vendor_name=None if pci is None else pci.value("vendor") or None,
        device_name=None if pci is None else pci.value("product") or None,
        virtual_functions=tuple(address for address in spelled if address is not None),
    )

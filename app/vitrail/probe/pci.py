# SPDX-License-Identifier: GPL-3.0-or-later
"""Every PCI function of the machine, and the IOMMU groups that they form.

The hot path: machines have up to thousands of functions, so each costs one `uevent` and one link where the kernel
offers them, and the single files only where it does not. Details of cards are read elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vitrail.model.machine import IommuGroup, PciDevice
from vitrail.model.pci import DeviceIdentity, PciAddress, PciClass
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.unread import is_missing, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.names import Names
    from vitrail.source.root import Root

BUS = "sys/bus/pci/devices"
GROUPS = "sys/kernel/iommu_groups"


@dataclass(frozen=True, slots=True)
class Bus:
    """The functions that were read, where each one's folder is, and those that are there but would not say what."""

    devices: Reading[tuple[PciDevice, ...]]
    places: dict[PciAddress, str]
    silent: tuple[PciAddress, ...]
    members: Reading[dict[int, tuple[PciAddress, ...]]]
    """Who is in which group, by the group folders; Unknown where those could not be read."""


@lru_cache(maxsize=16384)
def parsed(entry: str) -> PciAddress | None:
    """The address that a name of sysfs is, None for other names. Remembered: each is met three times in one look."""
    try:
        return PciAddress.parse(entry)
    except ValueError:
        return None


def read_bus(root: Root, names: Names) -> Bus:
    """All functions in the order of their addresses."""
    members = _read_members(root)
    try:
        entries = root.names(BUS)
    except OSError as error:
        return Bus(unread(root, BUS, error), {}, (), members)
    numbers = {}
    if isinstance(members, Known):
        numbers = {address: number for number, listed in members.value.items() for address in listed}
    devices, silent = [], []
    places: dict[PciAddress, str] = {}
    for entry in entries:
        address = parsed(entry)
        if address is None:
            continue
        path = f"{BUS}/{entry}"
        try:
            place = root.resolve(path)
        except OSError:
            silent.append(address)
            continue
        device = _read_device(root, address, place, names, numbers.get(address))
        if device is None:
            silent.append(address)
            continue
        places[address] = place
        devices.append(device)
    return Bus(Known(tuple(devices), shown_path(BUS)), places, tuple(silent), members)


def read_groups(bus: Bus) -> Reading[tuple[IommuGroup, ...]]:
    """The groups by number, each with the functions that are in it by its own folder or by their link to it."""
    if isinstance(bus.devices, Unknown):
        return bus.devices
    if isinstance(bus.members, Unknown):
        return bus.members
    by_address = {device.address: device for device in bus.devices.value}
    collected: dict[int, set[PciAddress]] = {number: set(listed) for number, listed in bus.members.value.items()}
    for device in bus.devices.value:
        if isinstance(device.group, Known) and device.group.value is not None:
            collected.setdefault(device.group.value, set()).add(device.address)
    groups = []
    for number in sorted(collected):
        addresses = sorted(collected[number])
        known = tuple(by_address[address] for address in addresses if address in by_address)
        lost = tuple(address for address in addresses if address not in by_address)
        groups.append(IommuGroup(number, known, lost))
    return Known(tuple(groups), shown_path(GROUPS))


def address_in(path: str) -> PciAddress | None:
    """The innermost PCI function that a path of /sys/devices leads through."""
    for part in reversed(path.split("/")):
        address = parsed(part) if ":" in part else None
        if address is not None:
            return address
    return None


def _read_members(root: Root) -> Reading[dict[int, tuple[PciAddress, ...]]]:
    try:
        numbers = root.names(GROUPS)
    except OSError as error:
        # A kernel without an IOMMU has no such folder: that is an answer, not a failure.
        return Known({}, shown_path(GROUPS)) if is_missing(error) else unread(root, GROUPS, error)
    members: dict[int, tuple[PciAddress, ...]] = {}
    for number in numbers:
        if not (number.isascii() and number.isdigit()):
            continue
        folder = f"{GROUPS}/{number}/devices"
        try:
            entries = root.names(folder)
        except OSError as error:
            if is_missing(error):
                continue
            return unread(root, folder, error)
        addresses = (parsed(entry) for entry in entries)
        members[int(number)] = tuple(address for address in addresses if address is not None)
    return Known(members, shown_path(GROUPS))


def _read_device(root: Root, address: PciAddress, place: str, names: Names, number: int | None) -> PciDevice | None:
    facts = _read_uevent(root, f"{place}/uevent")
    ids = _ids(facts.get("PCI_ID", ""), hidden=False) or _ids_from_files(root, place)
    code = _hex(facts.get("PCI_CLASS", "")) or _hex_file(root, f"{place}/class")
    if ids is None or code is None:
        return None
    vendor_id, device_id = ids
    if "PCI_SUBSYS_ID" in facts:
        subsystem = _ids(facts["PCI_SUBSYS_ID"], hidden=True)
    else:
        subsystem = _subsystem_from_files(root, place)
    pci_class = PciClass(code & 0xFFFFFF)
    vendor_name, name = names.of(address, vendor_id, device_id)
    return PciDevice(
        identity=DeviceIdentity(address, vendor_id, device_id, *(subsystem or ())),
        pci_class=pci_class,
        vendor_name=vendor_name,
        name=name,
        driver=Known(facts["DRIVER"], shown_path(place)) if "DRIVER" in facts else _read_driver(root, place),
        group=Known(number, shown_path(GROUPS)) if number is not None else _read_group(root, place),
        parent=parsed(place.rsplit("/", 2)[-2]) if place.count("/") > 1 else None,
        physical_function=_read_physical_function(root, place) if pci_class.is_display else None,
    )


def _read_uevent(root: Root, path: str) -> dict[str, str]:
    try:
        words = root.read(path)
    except OSError:
        return {}
    return {key: value for key, _, value in (line.partition("=") for line in words.split("\n")) if value}


def _hex(words: str) -> int | None:
    try:
        value = int(words, 16)
    except ValueError:
        return None
    return value if value >= 0 else None


def _hex_file(root: Root, path: str) -> int | None:
    try:
        return _hex(root.read(path))
    except OSError:
        return None


def _ids(words: str, *, hidden: bool) -> tuple[int, int] | None:
    """Two ids of `VVVV:DDDD`; `hidden`: all zeros mean that there are none."""
    vendor, _, device = words.partition(":")
    pair = (_hex(vendor), _hex(device))
    if pair[0] is None or pair[1] is None or max(pair[0], pair[1]) > 0xFFFF or (hidden and pair == (0, 0)):  # noqa: PLR2004
        return None
    return pair[0], pair[1]


def _ids_from_files(root: Root, place: str) -> tuple[int, int] | None:
    vendor, device = _hex_file(root, f"{place}/vendor"), _hex_file(root, f"{place}/device")
    return None if vendor is None or device is None else (vendor & 0xFFFF, device & 0xFFFF)


def _subsystem_from_files(root: Root, place: str) -> tuple[int, int] | None:
    vendor = _hex_file(root, f"{place}/subsystem_vendor")
    device = _hex_file(root, f"{place}/subsystem_device")
    return None if not vendor or device is None else (vendor & 0xFFFF, device & 0xFFFF)


def _read_driver(root: Root, place: str) -> Reading[str | None]:
    path = f"{place}/driver"
    try:
        return Known(root.link(path).rpartition("/")[2], shown_path(path))
    except OSError as error:
        return Known(None, shown_path(path)) if is_missing(error) else unread(root, path, error)


def _read_group(root: Root, place: str) -> Reading[int | None]:
    path = f"{place}/iommu_group"
    try:
        words = root.link(path).rpartition("/")[2]
    except OSError as error:
        return Known(None, shown_path(path)) if is_missing(error) else unread(root, path, error)
    if not (words.isascii() and words.isdigit()):
        return Unknown(text("probe.garbled", path=shown_path(path), words=words[:80]))
    return Known(int(words), shown_path(path))


def _read_physical_function(root: Root, place: str) -> PciAddress | None:
    try:
        return parsed(root.link(f"{place}/physfn").rpartition("/")[2])
    except OSError:
        return None

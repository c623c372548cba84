# SPDX-License-Identifier: GPL-3.0-or-later
"""Which PCI functions carry something that this computer needs: network, disks, keyboard and mouse.

Handing such a function to a VM takes the thing away with it, so every shared group is shown with what hangs on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vitrail.model.machine import MediatedDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.pci import address_in
from vitrail.probe.unread import clean, is_missing, presence, read_words, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

Carried = Reading[tuple[tuple[PciAddress, str], ...]]
_REPEATS_KEYS = 1 << 20
"""EV_REP of the kernel's input events: keyboards have it, buttons and jacks do not."""


def read_network_cards(root: Root) -> Carried:
    """Functions with a network interface."""
    return _carried(root, "sys/class/net", lambda name, _real: clean(name))


def read_disk_controllers(root: Root) -> Carried:
    """Functions with a whole disk behind them. NVMe names hang on their controller, not on the disk's own path."""
    disks = _carried(root, "sys/class/block", lambda name, real: None if _is_part(root, real) else clean(name))
    if isinstance(disks, Unknown) or presence(root, "sys/class/nvme") is False:
        return disks
    controllers = _carried(root, "sys/class/nvme", lambda name, _real: clean(name))
    if isinstance(controllers, Unknown):
        return controllers
    covered = {address for address, _ in disks.value}
    more = tuple(pair for pair in controllers.value if pair[0] not in covered)
    return Known(tuple(sorted((*disks.value, *more))), disks.source)


def read_input_controllers(root: Root) -> Carried:
    """Functions (USB controllers mostly) with a keyboard or mouse behind them."""
    return _carried(root, "sys/class/input", lambda name, real: _input_name(root, name, real))


def read_mediated_devices(root: Root) -> Reading[tuple[MediatedDevice, ...]]:
    """Mediated devices that exist. No such bus means that nothing ever made one."""
    folder = "sys/bus/mdev/devices"
    try:
        uuids = root.names(folder)
    except OSError as error:
        if is_missing(error) and presence(root, "sys/bus"):
            return Known((), f"/{folder}")
        return unread(root, folder, error)
    devices = []
    for uuid in uuids:
        path = f"{folder}/{uuid}"
        try:
            parent = address_in(root.resolve(path))
            type_id = root.link(f"{path}/mdev_type").rpartition("/")[2]
        except OSError as error:
            return unread(root, path, error)
        if parent is None:
            return Unknown(text("probe.mdev.no-parent", uuid=clean(uuid)))
        devices.append(MediatedDevice(clean(uuid), clean(type_id), parent))
    return Known(tuple(devices), f"/{folder}")


def _carried(root: Root, folder: str, name_of: Callable[[str, str], str | None]) -> Carried:
    try:
        names = root.names(folder)
    except OSError as error:
        return unread(root, folder, error)
    pairs = set()
    for name in names:
        try:
            real = root.resolve(f"{folder}/{name}")
        except OSError:
            continue
        address = address_in(real)
        shown = name_of(name, real) if address is not None else None
        if address is not None and shown is not None:
            pairs.add((address, shown))
    return Known(tuple(sorted(pairs)), f"/{folder}")


def _is_part(root: Root, real: str) -> bool:
    return presence(root, f"{real}/partition") is True


def _input_name(root: Root, name: str, real: str) -> str | None:
    if not name.startswith("input"):
        return None
    try:
        is_mouse = any(child.startswith("mouse") for child in root.names(real))
    except OSError:
        is_mouse = False
    events = read_words(root, f"{real}/capabilities/ev")
    try:
        is_keyboard = isinstance(events, Known) and bool(int(events.value, 16) & _REPEATS_KEYS)
    except ValueError:
        is_keyboard = False
    if not is_mouse and not is_keyboard:
        return None
    shown = read_words(root, f"{real}/name")
    return shown.value if isinstance(shown, Known) and shown.value else clean(name)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this is the machine, the boot and the devices that a plan was made for; read here, never believed."""

from __future__ import annotations

import hashlib
import os

from vitrail.helper.tree import Tree
from vitrail.model.host_step import HostPlan, cards_of
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.pci import DeviceIdentity, PciAddress, PciClass

_BOOT_ID = "proc/sys/kernel/random/boot_id"
_DEVICES = "sys/bus/pci/devices"
_STORAGE, _NETWORK = 0x01, 0x02
_KEPT_FREE = 8 * 1024 * 1024
_FACTOR = 1.25


def boot_id(tree: Tree) -> str:
    """This boot's id. Raises Refusal where it cannot be read."""
    words = tree.words(_BOOT_ID)
    if not words:
        raise Refusal(Kind.UNREAD, what="boot-id")
    return words


def machine_id_hash(tree: Tree) -> str:
    """What stands for this machine's id outside of it. Raises Refusal where it cannot be read."""
    words = tree.words("etc/machine-id")
    if not words:
        raise Refusal(Kind.UNREAD, what="machine-id")
    return hashlib.sha256(b"vitrail " + words.encode()).hexdigest()


def check_fits(tree: Tree, plan: HostPlan) -> None:
    """Nothing, where the plan is for this machine in this boot with these devices. Raises Refusal."""
    if machine_id_hash(tree) != plan.machine_id_hash:
        raise Refusal(Kind.OTHER_MACHINE)
    if boot_id(tree) != plan.boot_id:
        raise Refusal(Kind.OTHER_BOOT)
    for identity in plan.identities:
        if read_identity(tree, identity.address) != identity:
            raise Refusal(Kind.OTHER_DEVICE, address=str(identity.address))
    for card in cards_of(plan):
        check_class(tree, card.identity.address)


def _number(tree: Tree, address: PciAddress, name: str) -> int | None:
    words = tree.words(f"{_DEVICES}/{address}/{name}")
    try:
        return int(words, 16) if words else None
    except ValueError:
        return None


def read_identity(tree: Tree, address: PciAddress) -> DeviceIdentity:
    """Which device is at this address now; ids that cannot be read are None and equal to none that a plan may name."""
    names = ("vendor", "device", "subsystem_vendor", "subsystem_device")
    vendor, device, subsystem_vendor, subsystem_device = (_number(tree, address, name) for name in names)
    if None in (subsystem_vendor, subsystem_device) or (subsystem_vendor, subsystem_device) == (0, 0):
        # A bridge or an old card has none: the kernel says 0 twice.
        subsystem_vendor = subsystem_device = None
    return DeviceIdentity(address, vendor, device, subsystem_vendor, subsystem_device)


def driver_of(tree: Tree, address: PciAddress) -> str | None:
    """The driver that has the device now, None for none."""
    try:
        return tree.resolve(f"{_DEVICES}/{address}/driver").rpartition("/")[2]
    except OSError:
        return None


def _class_at(tree: Tree, address: PciAddress) -> PciClass:
    return PciClass(_number(tree, address, "class"))


def check_class(tree: Tree, address: PciAddress) -> None:
    """A card is a display function, or another function of a display's own slot; never storage, network or a bridge."""
    mine = _class_at(tree, address)
    base = None if mine.code is None else mine.code >> 16
    if base is None or mine.is_bridge or base in (_STORAGE, _NETWORK):
        raise Refusal(Kind.RULE, rule="no-card", address=str(address))
    slot = [PciAddress(*address.slot_key, function) for function in range(8)]
    if not mine.is_display and not any(_class_at(tree, other).is_display for other in slot):
        raise Refusal(Kind.RULE, rule="no-card", address=str(address))


def check_space(tree: Tree, images: tuple[str, ...]) -> None:
    """Nothing, where the largest image fits a second time beside it. Raises Refusal."""
    for path in images:
        with tree.parent(path) as (folder, name):
            size = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
        check_room(tree, path, int(size * _FACTOR))


def check_room(tree: Tree, path: str, size: int) -> None:
    """Nothing, where so many bytes fit in the folder of this path, and some are left. Raises Refusal."""
    with tree.parent(path) as (folder, _):
        space = os.statvfs(folder)
    need = size + _KEPT_FREE
    if space.f_bavail * space.f_frsize < need:
        raise Refusal(Kind.NO_SPACE, path=path, need=need)

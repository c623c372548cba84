# SPDX-License-Identifier: GPL-3.0-or-later
"""What judgements call devices, and how several things are named in one sentence.

Kinds come from the PCI class alone: names are decoration and may lie. The words themselves are in the catalogue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from vitrail.model.machine import Gpu, PciDevice
from vitrail.model.pci import CLASS_HDA_AUDIO, PciClass
from vitrail.model.text import Text, text

_STORAGE = 0x01
_NETWORK = 0x02
_DISPLAY = 0x03
_MULTIMEDIA = 0x04
_BRIDGE = 0x06
_SERIAL = 0x07
_WIRELESS = 0x0D
_CRYPTO = 0x10
CLASS_USB = 0x0C03
CLASS_USB_TYPE_C = 0x0C80
_SMBUS = 0x0C05


def is_sound(device: PciDevice) -> bool:
    """Whether this function plays sound."""
    return device.pci_class.short == CLASS_HDA_AUDIO


def is_usb(device: PciDevice) -> bool:
    """Whether this function is a USB controller."""
    return device.pci_class.short == CLASS_USB


def carries_host_things(device: PciDevice) -> bool:
    """Whether such a device can carry this computer's disks, network or input devices."""
    return _base(device.pci_class) in (_STORAGE, _NETWORK) or is_usb(device)


def _base(pci_class: PciClass) -> int | None:
    return None if pci_class.code is None else pci_class.code >> 16


def kind_key(device: PciDevice) -> str:
    """Which kind of device this is, for counting alike ones together."""
    by_class = {CLASS_HDA_AUDIO: "sound", CLASS_USB: "usb", CLASS_USB_TYPE_C: "usb-c", _SMBUS: "board"}
    by_base = {
        _STORAGE: "disk",
        _NETWORK: "network",
        _WIRELESS: "network",
        _DISPLAY: "graphics",
        _MULTIMEDIA: "media",
        _BRIDGE: "bridge",
        _SERIAL: "serial",
        _CRYPTO: "crypto",
    }
    short = device.pci_class.short
    return by_class.get(short or 0) or by_base.get(_base(device.pci_class) or 0, "other")


_KIND_TEXTS = {
    "sound": "judge.kind.sound",
    "usb": "judge.kind.usb",
    "usb-c": "judge.kind.usb-c",
    "board": "judge.kind.board",
    "disk": "judge.kind.disk",
    "network": "judge.kind.network",
    "graphics": "judge.kind.graphics",
    "media": "judge.kind.media",
    "bridge": "judge.kind.bridge",
    "serial": "judge.kind.serial",
    "crypto": "judge.kind.crypto",
    "other": "judge.kind.other",
}


def kind(key: str, count: int = 1) -> Text:
    """So many devices of this kind, in words."""
    return text(_KIND_TEXTS[key], count)


def kinds(devices: Iterable[PciDevice]) -> Text:
    """What these devices are: `network card and 2 USB controllers`. At least one device."""
    counted = Counter(kind_key(device) for device in devices)
    return listed([kind(key, count) for key, count in counted.items()])


def listed(items: list[Text]) -> Text:
    """Several things in one phrase: a, b and c. At least one."""
    if len(items) == 1:
        return items[0]
    if len(items) == 2:  # noqa: PLR2004 - a pair
        return text("judge.list.last", first=items[0], last=items[1])
    return text("judge.list.more", first=items[0], rest=listed(items[1:]))


def plain(words: str) -> Text:
    """Words from outside (a device's or program's name) where a Text is wanted."""
    return text("judge.plain", words=words)


def card_name(gpu: Gpu) -> Text:
    """The card as people know it: its name where there is one, and its address last."""
    return device_name(gpu.device)


def device_name(device: PciDevice) -> Text:
    """A device as people know it: its name where there is one, else its kind; the address last."""
    if device.common_name is not None:
        return text("judge.device.named", name=device.common_name, address=device.address.short)
    return text("judge.device.unnamed", kind=kind(kind_key(device)), address=device.address.short)

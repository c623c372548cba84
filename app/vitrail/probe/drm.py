# SPDX-License-Identifier: GPL-3.0-or-later
"""What the graphics drivers offer: a card's sockets with what is plugged in, its nodes, its consoles.

Only cached files of DRM are read: none of them wakes a sleeping card or makes a monitor answer anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.machine import Connection, Output
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.pci import address_in
from vitrail.probe.unread import clean, garbled, read_words, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

DRM = "sys/class/drm"
_EDID_HEADER = b"\x00\xff\xff\xff\xff\xff\xff\x00"
_EDID_BLOCK = 128
_DESCRIPTORS = (54, 72, 90, 108)
_MONITOR_NAME = b"\x00\x00\x00\xfc"


@dataclass(frozen=True, slots=True)
class DrmCard:
    """A card as DRM numbers it, with its connectors' names as the folder has them (`card0-DP-1`)."""

    name: str
    connectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drm:
    """Which DRM cards and render nodes belong to which function; `failed` says why nothing could be listed."""

    cards: dict[PciAddress, tuple[DrmCard, ...]]
    render_nodes: dict[PciAddress, str]
    failed: Unknown | None

    def nodes_of(self, address: PciAddress) -> tuple[str, ...]:
        """The device files through which programs use this card."""
        cards = tuple(f"/dev/dri/{card.name}" for card in self.cards.get(address, ()))
        render = self.render_nodes.get(address)
        return (*cards, render) if render else cards


def read_drm(root: Root) -> Drm:
    """Card and render nodes by the PCI function that their sysfs path leads through; numbers mean nothing."""
    try:
        entries = root.names(DRM)
    except OSError as error:
        return Drm({}, {}, unread(root, DRM, error))
    cards: dict[PciAddress, tuple[DrmCard, ...]] = {}
    render_nodes: dict[PciAddress, str] = {}
    for entry in entries:
        is_card = entry.startswith("card") and entry[4:].isdigit()
        if not is_card and not (entry.startswith("renderD") and entry[7:].isdigit()):
            continue
        try:
            address = address_in(root.resolve(f"{DRM}/{entry}"))
        except OSError:
            continue
        if address is None:
            continue
        if is_card:
            connectors = tuple(name for name in entries if name.startswith(f"{entry}-"))
            cards[address] = (*cards.get(address, ()), DrmCard(entry, connectors))
        else:
            render_nodes[address] = f"/dev/dri/{entry}"
    return Drm(cards, render_nodes, None)


def read_outputs(root: Root, drm: Drm, address: PciAddress, driver: Reading[str | None]) -> Reading[tuple[Output, ...]]:
    """The sockets of one card that a graphics driver of this machine looks after."""
    cards = drm.cards.get(address)
    if cards is None:
        return _no_sockets(drm, driver)
    outputs = [_read_output(root, card, name) for card in cards for name in card.connectors]
    return Known(tuple(outputs), f"/{DRM}/{cards[0].name}")


def read_render_node(drm: Drm, address: PciAddress) -> Reading[str | None]:
    """The file through which programs draw on this card without owning its screens."""
    if drm.failed:
        return drm.failed
    return Known(drm.render_nodes.get(address), f"/{DRM}")


def monitor_name(edid: bytes) -> str | None:
    """The monitor's own name in its EDID's first block, None where it gives none. Raises ValueError for no EDID."""
    if len(edid) < _EDID_BLOCK or not edid.startswith(_EDID_HEADER):
        raise ValueError(edid[:8].hex())
    for start in _DESCRIPTORS:
        descriptor = edid[start : start + 18]
        if descriptor.startswith(_MONITOR_NAME):
            words = descriptor[5:].partition(b"\n")[0].decode("ascii", "replace").strip(" \0")
            return words or None
    return None


def _no_sockets(drm: Drm, driver: Reading[str | None]) -> Unknown:
    if isinstance(driver, Known) and (driver.value is None or driver.value.startswith("vfio")):
        return Unknown(text("probe.outputs.set-aside"))
    if drm.failed:
        return drm.failed
    shown = driver.value if isinstance(driver, Known) and driver.value else "?"
    return Unknown(text("probe.outputs.no-drm", driver=shown))


def _read_output(root: Root, card: DrmCard, name: str) -> Output:
    place = f"{DRM}/{name}"
    status = _read_status(root, f"{place}/status")
    words = read_words(root, f"{place}/enabled")
    enabled = Known(words.value == "enabled", words.source) if isinstance(words, Known) else words
    display: Reading[str | None] = Known(None, shown_path(f"{place}/status"))
    if not (isinstance(status, Known) and status.value is Connection.DISCONNECTED):
        display = _read_display(root, f"{place}/edid")
    return Output(clean(name.removeprefix(f"{card.name}-")), status, display, enabled)


def _read_status(root: Root, path: str) -> Reading[Connection]:
    words = read_words(root, path)
    if isinstance(words, Unknown):
        return words
    try:
        return Known(Connection(words.value), words.source)
    except ValueError:
        return garbled(path, words.value)


def _read_display(root: Root, path: str) -> Reading[str | None]:
    try:
        edid = root.read_bytes(path)
    except OSError as error:
        return unread(root, path, error)
    if not edid:
        return Known(None, shown_path(path))
    try:
        return Known(monitor_name(edid), shown_path(path))
    except ValueError:
        return Unknown(text("probe.edid.garbled", path=shown_path(path)))

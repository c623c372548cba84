# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about one card that decides whether a VM can have it.

A sleeping card stays asleep: where its power state says so, nothing is read that makes the kernel talk to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.machine import Bar, Gpu, Holders, Link, MdevType, PciDevice, SriovCapability
from vitrail.model.pci import CLASS_VGA, PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.drm import Drm, read_outputs, read_render_node
from vitrail.probe.pci import Bus
from vitrail.probe.unread import clean, garbled, is_missing, read_count, read_words, shown_path, unread
from vitrail.probe.vram import Memory

if TYPE_CHECKING:
    from vitrail.source.root import Root

_ASLEEP = frozenset({"D3cold", "D3hot", "suspended"})
_RESOURCES = 7
_MEMORY = 0x200
_PORTS = 0x100
_PREFETCHABLE = 0x2000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was read once for all cards. `names_resets`: this kernel has the file `reset_method` (5.15 and later)."""

    bus: Bus
    drm: Drm
    holders: dict[PciAddress, Reading[Holders]]
    memory: Memory
    names_resets: bool


def read_gpu(root: Root, around: Surroundings, device: PciDevice, functions: tuple[PciDevice, ...]) -> Gpu:
    """The card whose display function is `device`; `functions` are all of its slot, itself first."""
    address = device.address
    place = around.bus.places[address]
    power = read_power_state(root, place)
    asleep = is_asleep(power)
    return Gpu(
        device=device,
        functions=functions,
        boot_vga=_read_boot_vga(root, place, device),
        vram_mib=around.memory.of(root, place, device, asleep=asleep),
        outputs=read_outputs(root, around.drm, address, device.driver),
        render_node=read_render_node(around.drm, address),
        reset_methods=_read_reset_methods(root, place, named=around.names_resets),
        holders=around.holders[address],
        bars=_read_bars(root, f"{place}/resource"),
        link=Unknown(text("probe.asleep")) if asleep else _read_link(root, place),
        power_state=power,
        sriov=_read_sriov(root, place),
        mdev_types=_read_mdev_types(root, f"{place}/mdev_supported_types"),
    )


def read_power_state(root: Root, place: str) -> Reading[str]:
    """`D0` to `D3cold`; where the kernel is too old to say, what run-time power management says."""
    state = read_words(root, f"{place}/power_state")
    if isinstance(state, Known) and state.value.startswith("D"):
        return state
    status = read_words(root, f"{place}/power/runtime_status")
    return status if isinstance(status, Known) else state


def is_asleep(power: Reading[str]) -> bool:
    """Whether looking closer could wake it."""
    return isinstance(power, Known) and power.value in _ASLEEP


def _read_boot_vga(root: Root, place: str, device: PciDevice) -> Reading[bool]:
    path = f"{place}/boot_vga"
    words = read_words(root, path)
    newer = read_words(root, f"{place}/boot_display")
    if isinstance(newer, Known) and newer.value == "1":
        return Known(value=True, source=newer.source)
    if isinstance(words, Known):
        if words.value in ("0", "1"):
            return Known(words.value == "1", words.source)
        return garbled(path, words.value)
    # The kernel makes the file for VGA controllers only; another display controller is not the firmware's choice.
    if device.pci_class.short != CLASS_VGA:
        return Known(value=False, source=shown_path(f"{place}/class"))
    return words


def _read_reset_methods(root: Root, place: str, *, named: bool) -> Reading[tuple[str, ...]]:
    path = f"{place}/reset_method"
    try:
        return Known(tuple(root.read(path).split()), shown_path(path))
    except OSError as error:
        if is_missing(error) and named:
            # Where the kernel knows the file and leaves it out, the function cannot be reset alone.
            return Known((), shown_path(path))
        return unread(root, path, error)


def _read_bars(root: Root, path: str) -> Reading[tuple[Bar, ...]]:
    words = read_words(root, path)
    if isinstance(words, Unknown):
        return words
    bars = []
    try:
        for index, line in enumerate(words.value.split("\n")[:_RESOURCES]):
            first, last, flags = (int(part, 16) for part in line.split())
            if flags & (_MEMORY | _PORTS) and last >= first and (first, last) != (0, 0):
                bars.append(Bar(index, last - first + 1, bool(flags & _PREFETCHABLE)))
    except ValueError:
        return garbled(path, words.value)
    return Known(tuple(bars), words.source)


def _read_link(root: Root, place: str) -> Reading[Link | None]:
    speed_now = read_words(root, f"{place}/current_link_speed")
    speed_best = read_words(root, f"{place}/max_link_speed")
    if isinstance(speed_now, Unknown) or isinstance(speed_best, Unknown):
        try:
            root.resolve(f"{place}/max_link_speed")
        except OSError as error:
            # Only PCI Express functions have the files.
            if is_missing(error):
                return Known(None, shown_path(place))
        return Unknown(text("probe.link.unread", path=shown_path(place)))
    width_now = read_count(root, f"{place}/current_link_width")
    width_best = read_count(root, f"{place}/max_link_width")
    if isinstance(width_now, Unknown):
        return width_now
    if isinstance(width_best, Unknown):
        return width_best
    if not width_best.value:
        return Known(None, width_best.source)
    return Known(Link(speed_now.value, width_now.value, speed_best.value, width_best.value), speed_now.source)


def _read_sriov(root: Root, place: str) -> Reading[SriovCapability | None]:
    path = f"{place}/sriov_totalvfs"
    try:
        root.resolve(path)
    except OSError as error:
        return Known(None, shown_path(path)) if is_missing(error) else unread(root, path, error)
    total, active = read_count(root, path), read_count(root, f"{place}/sriov_numvfs")
    if isinstance(total, Unknown):
        return total
    if isinstance(active, Unknown):
        return active
    try:
        links = [root.link(f"{place}/{name}") for name in root.names(place) if name.startswith("virtfn")]
        functions = [PciAddress.parse(link.rpartition("/")[2]) for link in links]
    except OSError as error:
        return unread(root, place, error)
    except ValueError as error:
        return garbled(place, str(error))
    return Known(SriovCapability(total.value, active.value, tuple(sorted(functions))), total.source)


def _read_mdev_types(root: Root, place: str) -> Reading[tuple[MdevType, ...]]:
    try:
        ids = root.names(place)
    except OSError as error:
        return Known((), shown_path(place)) if is_missing(error) else unread(root, place, error)
    types = []
    for type_id in ids:
        free = read_count(root, f"{place}/{type_id}/available_instances")
        if isinstance(free, Unknown):
            return free
        api = read_words(root, f"{place}/{type_id}/device_api")
        if isinstance(api, Unknown):
            return api
        name = read_words(root, f"{place}/{type_id}/name")
        # Drivers may leave the name out; the id is unique all the same.
        shown = name.value if isinstance(name, Known) else clean(type_id)
        types.append(MdevType(clean(type_id), shown, free.value, api.value))
    return Known(tuple(types), shown_path(place))

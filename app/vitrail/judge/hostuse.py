# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether giving a card would take this computer's own network, disks or keyboard along: a hard stop.

Separate from isolation: a group may be the card's alone and its slot still carry the USB controller that the keyboard
hangs on, as in processors with built-in graphics.
"""

from __future__ import annotations

from collections.abc import Iterable

from vitrail.judge.conclude import failed, not_known, passed
from vitrail.judge.isolation import tied_to
from vitrail.judge.words import carries_host_things, kinds, listed, plain
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.machine import Gpu, Host, PciDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text

Carried = Reading[tuple[tuple[PciAddress, str], ...]]


def what_goes_along(host: Host, gpu: Gpu) -> tuple[PciDevice, ...]:
    """Every function that would leave this computer with the card."""
    return (*gpu.functions, *tied_to(host, gpu))


def carried(host: Host, devices: Iterable[PciDevice]) -> tuple[tuple[PciAddress, str, str], ...]:
    """Which of these carry something of this computer: the function, what hangs on it, where that was read."""
    wanted = {one.address for one in devices}
    return tuple(
        (address, name, reading.source)
        for reading in _lists(host)
        if isinstance(reading, Known)
        for address, name in reading.value
        if address in wanted
    )


def _lists(host: Host) -> tuple[Carried, ...]:
    return (host.network_cards, host.disk_controllers, host.input_controllers)


def host_things(host: Host, gpu: Gpu) -> Finding:
    """Whether something that this computer uses would go with the card."""
    name = "group.host-devices"
    going = what_goes_along(host, gpu)
    used = carried(host, going)
    if used:
        what = listed([plain(f"{thing} ({address.short})") for address, thing, _ in used])
        evidence = tuple(Evidence(source, f"{address} {thing}") for address, thing, source in used)
        return failed(
            name, Severity.BLOCKS, text("judge.hostuse.yes", what=what), text("judge.hostuse.remedy"), evidence
        )
    doubtful = [one for one in going if carries_host_things(one)]
    unread = next((one for one in _lists(host) if isinstance(one, Unknown)), None)
    if doubtful and unread is not None:
        title = text("judge.hostuse.unknown", what=kinds(doubtful), reason=unread.reason)
        return not_known(name, Severity.WARNS, title, text("judge.hostuse.look"))
    if doubtful:
        title = text("judge.hostuse.unused", what=kinds(doubtful))
        evidence = tuple(Evidence(str(one.address), str(one.pci_class)) for one in doubtful)
        return failed(name, Severity.WARNS, title, text("judge.hostuse.look"), evidence)
    return passed(name, Severity.BLOCKS, text("judge.hostuse.no"))

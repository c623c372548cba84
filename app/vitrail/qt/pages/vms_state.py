# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Virtual machines says of every VM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import GuestSystem, Vm
from vitrail.qt.facts import Facts
from vitrail.qt.words import Badge, Words, card_name, state_badge, vm_graphics_words

_IN_FORCE = (RunState.APPLIED, RunState.AWAITING_KEEP, RunState.INCOMPLETE, RunState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class VmLine:
    """One VM. `newest` is the plan of ours that is in force on it, empty where there is none."""

    uuid: str
    name: str
    state: Badge
    graphics: tuple[Words, ...]
    card: Words
    guest: Words
    memory: Text
    memory_mib: int
    changed: Text
    newest: str


@dataclass(frozen=True, slots=True)
class VmsState:
    """The whole page; `none` says why the table is empty."""

    headline: Text
    vms: tuple[VmLine, ...]
    none: tuple[Text, tuple[Text, ...]] | None


def page_state(facts: Facts) -> VmsState:
    """The page of these facts."""
    ours = _in_force(facts)
    vms = tuple(_line(facts, vm, ours.get(vm.uuid, ())) for vm in facts.vms)
    none = None
    headline = text("qt.vms.headline", count=len(vms))
    if isinstance(facts.host.vms, Unknown):
        none = (text("qt.lack.vms-unread"), (facts.host.vms.reason, *facts.way_to_vms))
        headline = text("qt.lack.vms-unread")
    elif not vms:
        none = (text("qt.lack.no-vms"), (text("qt.lack.no-vms.why"),))
    return VmsState(headline, vms, none)


def _line(facts: Facts, vm: Vm, ours: Sequence[HistoryEntry]) -> VmLine:
    cards = [card for graphics in vm.graphics if (card := facts.card_at(graphics.gpu)) is not None]
    return VmLine(
        uuid=vm.uuid,
        name=vm.name,
        state=state_badge(vm.state),
        graphics=vm_graphics_words(facts, vm),
        card=card_name(cards[0].gpu) if cards else text("qt.picture.no-card"),
        guest=_guest(vm),
        memory=text("qt.vms.memory", size=f"{vm.memory_kib / 1024 / 1024:.3g}"),
        memory_mib=vm.memory_kib // 1024,
        changed=text("qt.vms.changed", count=len(ours)) if ours else text("qt.vms.unchanged"),
        newest=ours[0].plan_id if ours else "",
    )


def _in_force(facts: Facts) -> dict[str, list[HistoryEntry]]:
    """Of each VM the changes of ours that are in force, newest first."""
    found: dict[str, list[HistoryEntry]] = defaultdict(list)
    for entry in facts.history.value if isinstance(facts.history, Known) else ():
        if entry.state in _IN_FORCE:
            found[entry.vm_uuid].append(entry)
    return found


def _guest(vm: Vm) -> Words:
    if isinstance(vm.guest, Unknown):
        return text("qt.guest.unknown")
    names = {
        GuestSystem.WINDOWS: "Windows",
        GuestSystem.LINUX: "Linux",
        GuestSystem.MACOS: "macOS",
        GuestSystem.BSD: "BSD",
    }
    return names[vm.guest.value]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Virtual machines says of every VM."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.outcome import HistoryEntry, RunState
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import GuestSystem, Vm
from vitrail.qt.facts import Facts
from vitrail.qt.words import Badge, Words, card_name, state_badge, vm_graphics_words

_IN_FORCE = (RunState.APPLIED, RunState.INCOMPLETE, RunState.INTERRUPTED)


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
    none: tuple[Text, Text] | None


def page_state(facts: Facts) -> VmsState:
    """The page of these facts."""
    vms = tuple(_line(facts, vm) for vm in facts.vms)
    none = None
    headline = text("qt.vms.headline", count=len(vms))
    if isinstance(facts.host.vms, Unknown):
        none = (text("qt.lack.vms-unread"), facts.host.vms.reason)
        headline = text("qt.lack.vms-unread")
    elif not vms:
        none = (text("qt.lack.no-vms"), text("qt.lack.no-vms.why"))
    return VmsState(headline, vms, none)


def _line(facts: Facts, vm: Vm) -> VmLine:
    cards = [card for graphics in vm.graphics if (card := facts.card_at(graphics.gpu)) is not None]
    ours = _in_force(facts, vm)
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


def _in_force(facts: Facts, vm: Vm) -> tuple[HistoryEntry, ...]:
    entries = facts.history.value if isinstance(facts.history, Known) else ()
    return tuple(entry for entry in entries if entry.vm_uuid == vm.uuid and entry.state in _IN_FORCE)


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

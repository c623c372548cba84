# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mode to suggest, when the user has said what for and how the picture is to be seen.

Apart from feasibility: that says what can be; this says what to take first. The order for a purpose comes with the
verdicts; how the picture is seen rules modes in or out, because a card's own monitor and a window here exclude each
other whatever the speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host
from vitrail.model.mode import DRAWS_ON_A_CARD, Mode
from vitrail.model.pci import CLASS_3D, PciAddress
from vitrail.model.reading import Known, known_or
from vitrail.model.verdict import CardVerdict, Feasibility, ModeVerdict


class Seeing(StrEnum):
    """How the user will see and control the VM."""

    OWN_MONITOR = "own-monitor"
    OTHER_INPUT = "other-input"
    WINDOW = "window"
    REMOTE = "remote"
    NOTHING = "nothing"


WHOLE_CARD = frozenset({Mode.PASSTHROUGH, Mode.SINGLE_GPU, Mode.LOOKING_GLASS, Mode.GVT_D})
"""Modes in which the VM has a card for itself."""

SHARES = frozenset({Mode.VGPU, Mode.SRIOV, Mode.MIG_VGPU, Mode.GVT_G})
"""Modes in which the VM has a part of a card."""

DRAWN = frozenset({Mode.VIRTIO, Mode.VIRGL, Mode.VENUS, Mode.NATIVE_CONTEXT, Mode.QXL, Mode.BASIC})
"""Modes whose picture this computer draws."""

_SUITS: dict[Seeing, frozenset[Mode]] = {
    # Only a whole card has sockets of its own; a card whose picture is copied into a window needs no monitor.
    Seeing.OWN_MONITOR: frozenset({Mode.PASSTHROUGH, Mode.SINGLE_GPU, Mode.GVT_D}),
    Seeing.OTHER_INPUT: frozenset({Mode.PASSTHROUGH, Mode.SINGLE_GPU, Mode.GVT_D}),
    # An SR-IOV function has no picture that this computer could show; a vGPU and a GVT-g share have.
    Seeing.WINDOW: DRAWN | {Mode.LOOKING_GLASS, Mode.VGPU, Mode.GVT_G},
    # From afar a program in the VM sends the picture, so everything that draws will do; a single card taken from
    # this computer would leave nobody to see the VM start.
    Seeing.REMOTE: DRAWN | SHARES | {Mode.PASSTHROUGH, Mode.GVT_D},
    Seeing.NOTHING: SHARES | DRAWN | {Mode.PASSTHROUGH, Mode.GVT_D},
}

_WORTH_TRYING = (Feasibility.READY, Feasibility.AFTER_CHANGES)


def suits(mode: Mode, seeing: Seeing | None) -> bool:
    """Whether the picture of this mode can be seen in this way; True where the user has not said."""
    return seeing is None or mode in _SUITS[seeing]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The mode to take first, on which card; `better` fits more but cannot be had in this version."""

    mode: Mode
    gpu: PciAddress | None
    better: Mode | None


def cards_without_sockets(host: Host) -> frozenset[PciAddress]:
    """Cards that certainly feed no monitor: 3D controllers, and cards whose list of outputs was read and is empty."""
    cards = known_or(host.gpus, ())
    return frozenset(
        gpu.address
        for gpu in cards
        if gpu.device.pci_class.short == CLASS_3D or (isinstance(gpu.outputs, Known) and not gpu.outputs.value)
    )


def suggest(
    verdicts: tuple[ModeVerdict, ...],
    knowledge: Knowledge,
    purpose: str | None,
    seeing: Seeing | None,
    *,
    blind: frozenset[PciAddress] = frozenset(),
) -> Suggestion | None:
    """The best fitting mode that this version writes, None where nothing can be had that suits.

    What works now goes before what needs changes to this computer, as long as it fits the purpose at all: a first
    picture soon is worth more than a better one after a restart, and `better` names the other. `blind` cards feed no
    monitor, so they are left out where the picture is wanted on one.
    """

    def fit(verdict: ModeVerdict) -> int:
        return dict(knowledge.traits_of(verdict.mode).fits).get(purpose or "unknown", 0)

    if seeing in (Seeing.OWN_MONITOR, Seeing.OTHER_INPUT):
        verdicts = tuple(_with_sockets(one, blind) for one in verdicts)
    suiting = [one for one in verdicts if suits(one.mode, seeing) and one.feasible in _WORTH_TRYING and fit(one) > 0]
    mine = [one for one in suiting if one.available]
    if not mine:
        return None
    first = min(mine, key=lambda one: (one.feasible is not Feasibility.READY, -fit(one), one.rank))
    ahead = [one for one in suiting if fit(one) > fit(first)]
    better = min(ahead, key=lambda one: (-fit(one), one.rank)).mode if ahead else None
    return Suggestion(first.mode, card_for(first), better)


def _with_sockets(verdict: ModeVerdict, blind: frozenset[PciAddress]) -> ModeVerdict:
    """The verdict as if the blind cards were not there."""
    cards = tuple(card for card in verdict.cards if card.address not in blind)
    if cards == verdict.cards:
        return verdict
    kinds = {card.feasible for card in cards}
    order = (*_WORTH_TRYING, Feasibility.UNKNOWN)
    feasible = next((one for one in order if one in kinds), Feasibility.IMPOSSIBLE)
    return replace(verdict, cards=cards, feasible=feasible)


def card_for(verdict: ModeVerdict) -> PciAddress | None:
    """The card to start with: the first on which it works now, else after changes; None where the host picks."""
    if verdict.mode in DRAWS_ON_A_CARD:
        return None
    for wanted in (*_WORTH_TRYING, Feasibility.UNKNOWN):
        found: CardVerdict | None = next((card for card in verdict.cards if card.feasible is wanted), None)
        if found is not None:
            return found.address
    return None

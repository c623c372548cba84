# SPDX-License-Identifier: GPL-3.0-or-later
"""The page with all modes in their groups: what works now, what works after changes, what does not and why.

All fourteen stand there. A mode that this version does not write yet says so and cannot be chosen; a mode that is not
possible says why, and what would change it, in the same ink as everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.judge.suggestion import WHOLE_CARD, Suggestion, card_for, suits
from vitrail.model.finding import Status
from vitrail.model.knowledge import Knowledge, Traits
from vitrail.model.machine import Host
from vitrail.model.mode import DRAWS_ON_A_CARD, NEEDS_A_CARD, SETTINGS, Mode, mode_name
from vitrail.model.pci import PciAddress
from vitrail.model.text import Text, text
from vitrail.model.verdict import Feasibility, ModeVerdict
from vitrail.qt.wizard.state.cards import card_at, connected_outputs, output_name, sentence_list
from vitrail.qt.wizard.state.draft import Draft
from vitrail.qt.wizard.state.words import mode_about


@dataclass(frozen=True, slots=True)
class CardOption:
    """One card in a row's list; `address` None is this computer's own pick."""

    address: PciAddress | None
    label: Text
    possible: bool


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting of the chosen mode with its values as (value, words)."""

    key: str
    label: Text
    values: tuple[tuple[str, Text], ...]
    current: str


@dataclass(frozen=True, slots=True)
class ModeRow:
    """One mode. `selectable` is False where it cannot be had here or in this version; `why` then says so."""

    mode: Mode
    name: Text
    about: Text
    speed: Text
    screens: Text
    screens_note: Text | None
    effort: Text
    cards: tuple[CardOption, ...]
    card: PciAddress | None
    selectable: bool
    selected: bool
    suggested: bool
    now: bool
    """Whether the VM has it already."""
    not_yet: bool
    changes_computer: bool
    """Its plan is shown, and this version does not write it: it changes how this computer starts."""
    unsure: bool
    possible: bool
    why: tuple[Text, ...]
    changes: tuple[Text, ...]
    caution: Text | None
    settings: tuple[SettingField, ...]


@dataclass(frozen=True, slots=True)
class ModeGroup:
    """Modes with the same verdict."""

    feasible: Feasibility
    title: Text
    rows: tuple[ModeRow, ...]


@dataclass(frozen=True, slots=True)
class ModesPage:
    """The whole page. `advice` is the suggestion with its reason, in sentences."""

    question: Text
    advice: Text
    reasons: tuple[Text, ...]
    groups: tuple[ModeGroup, ...]
    can_go_on: bool


_ORDER = (Feasibility.READY, Feasibility.AFTER_CHANGES, Feasibility.UNKNOWN, Feasibility.IMPOSSIBLE)


def modes_page(
    host: Host,
    verdicts: tuple[ModeVerdict, ...],
    knowledge: Knowledge,
    draft: Draft,
    suggestion: Suggestion | None,
    *,
    instead: Suggestion | None = None,
    now: frozenset[Mode] = frozenset(),
) -> ModesPage:
    """All modes for this VM, the best fitting first in each group, those of this version before the others.

    `instead` is what would be suggested if it did not matter how the picture is seen; `now` is what the VM has.
    """
    groups = []
    for feasible in _ORDER:
        members = [one for one in verdicts if one.feasible is feasible]
        members.sort(key=lambda one: (not one.available, not suits(one.mode, draft.seeing), one.rank))
        if members:
            rows = tuple(
                replace(_row(host, one, knowledge.traits_of(one.mode), draft, suggestion), now=one.mode in now)
                for one in members
            )
            groups.append(ModeGroup(feasible, text(f"wizard.modes.group.{feasible.value}"), rows))
    return ModesPage(
        text("wizard.modes.question"),
        _advice(host, suggestion),
        _reasons(draft, suggestion, instead),
        tuple(groups),
        can_go_on=any(row.selected and row.selectable for group in groups for row in group.rows),
    )


def _advice(host: Host, suggestion: Suggestion | None) -> Text:
    if suggestion is None:
        return text("wizard.modes.no-suggestion")
    name = mode_name(suggestion.mode)
    if suggestion.gpu is None:
        return text("wizard.modes.suggested", mode=name)
    return text("wizard.modes.suggested-card", mode=name, card=card_at(host, suggestion.gpu))


def _reasons(draft: Draft, suggestion: Suggestion | None, instead: Suggestion | None) -> tuple[Text, ...]:
    if suggestion is None:
        hint = () if instead is None else (text("wizard.modes.instead", mode=mode_name(instead.mode)),)
        return (*hint, text("wizard.modes.no-suggestion-next"))
    reasons = []
    if draft.purpose is not None:
        reasons.append(text(f"wizard.purpose.{draft.purpose}.need"))
    if draft.seeing is not None:
        reasons.append(text(f"wizard.seeing.{draft.seeing.value}.need"))
    if suggestion.better is not None:
        reasons.append(text("wizard.modes.better", mode=mode_name(suggestion.better)))
    return tuple(reasons)


def _row(host: Host, verdict: ModeVerdict, traits: Traits, draft: Draft, suggestion: Suggestion | None) -> ModeRow:
    possible = verdict.feasible is not Feasibility.IMPOSSIBLE
    selectable = verdict.available and possible
    selected = selectable and draft.mode is verdict.mode
    card = draft.gpu if selected else card_for(verdict)
    screens, screens_note = _screens(host, verdict, card) if possible else (text("wizard.modes.dash"), None)
    return ModeRow(
        mode=verdict.mode,
        name=mode_name(verdict.mode),
        about=mode_about(verdict.mode),
        speed=traits.performance,
        screens=screens,
        screens_note=screens_note,
        effort=traits.effort,
        cards=_cards(host, verdict) if possible else (),
        card=card,
        selectable=selectable,
        selected=selected,
        suggested=suggestion is not None and suggestion.mode is verdict.mode,
        now=False,
        not_yet=not verdict.available,
        changes_computer=selectable and _feasible_on(verdict, card) is Feasibility.AFTER_CHANGES,
        possible=possible,
        unsure=verdict.feasible is Feasibility.UNKNOWN,
        why=_why(host, verdict, card),
        changes=verdict.needs,
        caution=_caution(verdict, draft) if possible else None,
        settings=_settings(verdict.mode, draft) if selected else (),
    )


def _feasible_on(verdict: ModeVerdict, card: PciAddress | None) -> Feasibility:
    return next((one.feasible for one in verdict.cards if one.address == card), verdict.feasible)


def _cards(host: Host, verdict: ModeVerdict) -> tuple[CardOption, ...]:
    listed = tuple(
        CardOption(one.address, card_at(host, one.address), one.feasible is not Feasibility.IMPOSSIBLE)
        for one in verdict.cards
    )
    if verdict.mode in DRAWS_ON_A_CARD:
        return (CardOption(None, text("wizard.modes.own-pick"), possible=True), *listed)
    return listed if verdict.mode in NEEDS_A_CARD else ()


def _screens(host: Host, verdict: ModeVerdict, card: PciAddress | None) -> tuple[Text, Text | None]:
    """The monitors that go dark, with since when."""
    if verdict.mode not in WHOLE_CARD:
        return text("wizard.modes.screens-none"), None
    gpu = None if card is None else host.gpu_at(card)
    outputs = None if gpu is None else connected_outputs(gpu)
    if outputs is None:
        return text("wizard.modes.screens-unknown"), None
    if not outputs:
        return text("wizard.modes.screens-none"), None
    when = "restart" if verdict.feasible is Feasibility.AFTER_CHANGES else "start"
    return sentence_list([output_name(one) for one in outputs]), text(f"wizard.modes.screens-from-{when}")


def _why(host: Host, verdict: ModeVerdict, card: PciAddress | None) -> tuple[Text, ...]:
    """The verdict's own reasons, then what stands against the cards that are not picked."""
    # That it works is what its group says already.
    reasons = [] if verdict.feasible is Feasibility.READY else list(verdict.reasons)
    if verdict.feasible is Feasibility.IMPOSSIBLE or not verdict.available:
        return tuple(reasons)
    for other in verdict.cards:
        if other.feasible is not Feasibility.IMPOSSIBLE or other.address == card:
            continue
        against = next((one.title for one in other.findings if one.status is not Status.PASS and one.stops), None)
        if against is not None:
            reasons.append(text("wizard.modes.not-on-card", card=card_at(host, other.address), why=against))
    return tuple(reasons)


def _caution(verdict: ModeVerdict, draft: Draft) -> Text | None:
    if draft.seeing is None or suits(verdict.mode, draft.seeing):
        return None
    return text(f"wizard.seeing.{draft.seeing.value}.unsuited")


def _settings(mode: Mode, draft: Draft) -> tuple[SettingField, ...]:
    chosen = dict(draft.settings)
    return tuple(
        SettingField(
            setting.key,
            text(f"wizard.setting.{setting.key}"),
            tuple((value, text(f"wizard.setting.{setting.key}.{value}")) for value in setting.values),
            chosen.get(setting.key, setting.default),
        )
        for setting in SETTINGS.get(mode, ())
    )

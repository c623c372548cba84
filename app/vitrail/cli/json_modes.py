# SPDX-License-Identifier: GPL-3.0-or-later
"""`modes --json`: every mode with its verdict, its cards, its settings and its price."""

from __future__ import annotations

from vitrail.cli.json_values import Json, say
from vitrail.model.finding import Status
from vitrail.model.knowledge import Knowledge, Traits
from vitrail.model.mode import SETTINGS, Setting
from vitrail.model.verdict import CardVerdict, ModeVerdict


def json_modes(verdicts: tuple[ModeVerdict, ...], knowledge: Knowledge) -> Json:
    """All of them, in the order in which they were judged to fit."""
    return {"modes": [_mode(verdict, knowledge.traits_of(verdict.mode)) for verdict in verdicts]}


def _mode(verdict: ModeVerdict, traits: Traits) -> Json:
    return {
        "mode": verdict.mode.value,
        "feasible": verdict.feasible.value,
        "available": verdict.available,
        "reasons": [say(reason) for reason in verdict.reasons],
        "needs": [say(need) for need in verdict.needs],
        "gpus": [_card(card) for card in verdict.cards],
        "settings": [_setting(setting) for setting in SETTINGS.get(verdict.mode, ())],
        "traits": {
            "performance": say(traits.performance),
            "sharing": say(traits.sharing),
            "isolation": say(traits.isolation),
            "migration": say(traits.migration),
            "effort": say(traits.effort),
            "cost": say(traits.cost),
        },
    }


def _card(card: CardVerdict) -> Json:
    return {
        "address": str(card.address),
        "feasible": card.feasible.value,
        "reasons": [say(finding.title) for finding in card.findings if finding.status is not Status.PASS],
    }


def _setting(setting: Setting) -> Json:
    return {
        "key": setting.key,
        "type": setting.type.value,
        "values": list(setting.values),
        "default": setting.default,
    }

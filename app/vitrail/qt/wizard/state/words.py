# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes and present graphics in words, for every page."""

from __future__ import annotations

from vitrail.model.machine import Host
from vitrail.model.mode import Mode, mode_name
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.qt.wizard.state.cards import card_at, sentence_list


def mode_about(mode: Mode) -> Text:
    """One line that says what the mode is."""
    return text(f"wizard.mode.{mode.value}.about")


def graphics_words(host: Host, vm: Vm) -> Text:
    """What gives this VM a picture now."""
    parts = []
    for graphics in vm.graphics:
        name = graphics.detail if graphics.mode is None else mode_name(graphics.mode)
        card = graphics.gpu
        parts.append(name if card is None else text("wizard.vm.on-card", mode=name, card=card_at(host, card)))
    return sentence_list(parts) if parts else text("wizard.vm.no-graphics")

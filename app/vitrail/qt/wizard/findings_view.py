# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings below each other: what was found, on what evidence, what would change it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from vitrail.model.finding import Finding
from vitrail.model.text import text
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.cards import Card
from vitrail.qt.widgets.labels import Kind, Say
from vitrail.qt.wizard.fitted import fitted_listing
from vitrail.qt.wizard.page import marked, words
from vitrail.qt.words import finding_tone
from vitrail.text.visible import visible_lines


def findings_card(say: Say, findings: Sequence[Finding]) -> Card:
    """All of them in one card."""
    card = Card()
    card.body.setSpacing(2 * GAP)
    for finding in findings:
        card.body.addLayout(marked(finding_tone(finding.status, finding.severity), _lines(say, finding)))
    return card


def _lines(say: Say, finding: Finding) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(3)
    column.addWidget(words(say(finding.title), Kind.STRONG))
    if finding.remedy is not None:
        column.addWidget(words(say(text("wizard.review.remedy", remedy=finding.remedy))))
    for heading, lines in finding.by_hand:
        column.addWidget(words(say(heading), Kind.SMALL))
        column.addWidget(fitted_listing(say, visible_lines("\n".join(lines))))
    for evidence in () if finding.by_hand else finding.evidence:
        seen = text("wizard.review.evidence", source=evidence.source, value=evidence.value)
        column.addWidget(words(say(seen), Kind.SMALL))
    return holder

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages as text for the clipboard: to search for an error, to ask somebody, to keep a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vitrail.model.finding import Finding
from vitrail.model.text import Text, text
from vitrail.qt.wizard.state.review import ReviewPage
from vitrail.qt.wizard.state.trouble import TroublePage
from vitrail.text.visible import visible_lines

Say = Callable[[Text], str]


def trouble_text(say: Say, page: TroublePage) -> str:
    """The whole error."""
    lines = [say(page.title), say(page.written), "", say(page.what)]
    if page.next_steps:
        lines += ["", say(text("wizard.trouble.next"))]
        lines += [f"- {say(one)}" for one in page.next_steps]
    lines += _findings(say, (*page.against, *page.in_favour))
    return "\n".join(lines)


def plan_text(say: Say, page: ReviewPage) -> str:
    """The whole plan with its diffs, secrets hidden as on the page."""
    lines = [say(text("wizard.review.id", id=page.plan_id)), say(page.lead)]
    for card in page.cards:
        lines += ["", f"{card.number}. {say(card.summary)}"]
        lines.append(say(text("wizard.review.where", writer=card.writer, when=card.when)))
        if card.blocked is not None:
            lines.append(say(card.blocked))
        lines += [visible_lines(card.diff), say(text("wizard.review.undo", undo=card.undo))]
    return "\n".join([*lines, *_findings(say, page.notices)])


def _findings(say: Say, findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        lines += ["", f"[{finding.status.value}] {finding.id}: {say(finding.title)}"]
        if finding.remedy is not None:
            lines.append(f"  {say(text('wizard.review.remedy', remedy=finding.remedy))}")
        for heading, typed in finding.by_hand:
            lines += [f"  {say(heading)}", *map(visible_lines, typed)]
        lines += [
            f"  {say(text('wizard.review.evidence', source=one.source, value=one.value))}"
            for one in (() if finding.by_hand else finding.evidence)
        ]
    return lines

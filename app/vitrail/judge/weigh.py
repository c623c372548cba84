# SPDX-License-Identifier: GPL-3.0-or-later
"""From findings to one word: works now, after changes, not here, or could not be told.

Separate so that all modes weigh alike: what was read and stands against it decides first, then what was not read and
matters, then what has to change. Nothing becomes possible because it was not read.
"""

from __future__ import annotations

from collections.abc import Iterable

from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.text import Text
from vitrail.model.verdict import Feasibility

_DECIDES = frozenset(
    {
        "card.exists",
        "card.parts",
        "card.other-vm",
        "iommu.active",
        "group.isolated",
        "group.host-devices",
        "capabilities.read",
        "capabilities.video",
        "capabilities.screen",
        "card.draws",
        "guest.fits",
        "share.offered",
        "drawn.needs",
    }
)
"""Findings without which nothing can be promised; others that were not read only warn or inform."""

_NOT_FOR_IT = frozenset({"guest.fits", "card.draws"})
"""What stops no plan, yet where it fails the mode is not for this VM here.

What runs inside is never certain; a definition may be written before the card that is to draw is in the machine.
"""

_TAKES_CHANGES = frozenset({"share.prepare", "host.hooks", "guest.program", "capabilities.vfio", "share.free"})


def stops(finding: Finding) -> bool:
    """Whether this finding alone makes the mode impossible here."""
    failed = finding.status is Status.FAIL
    return failed and (finding.severity is Severity.BLOCKS or finding.id in _NOT_FOR_IT)


def leaves_open(finding: Finding, *, groups_come_later: bool) -> bool:
    """Whether not knowing this leaves the mode open. Without an IOMMU there are no groups to be read yet."""
    if finding.status is not Status.UNKNOWN or (finding.id == "group.isolated" and groups_come_later):
        return False
    return finding.id in _DECIDES or finding.severity is Severity.BLOCKS


def takes_changes(finding: Finding) -> bool:
    """Whether this finding names something that has to be changed first."""
    return finding.status is Status.FAIL and finding.id in _TAKES_CHANGES


def weigh(findings: Iterable[Finding], *, needs_steps: bool = False, groups_come_later: bool = False) -> Feasibility:
    """The one word for these findings; `needs_steps` where a plan would change this computer too."""
    looked_at = tuple(findings)
    if any(stops(one) for one in looked_at):
        return Feasibility.IMPOSSIBLE
    if any(leaves_open(one, groups_come_later=groups_come_later) for one in looked_at):
        return Feasibility.UNKNOWN
    if needs_steps or any(takes_changes(one) for one in looked_at):
        return Feasibility.AFTER_CHANGES
    return Feasibility.READY


def decisive(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that the word came from, the strongest kind only."""
    looked_at = tuple(findings)
    for kind in (stops, lambda one: leaves_open(one, groups_come_later=False), takes_changes):
        found = tuple(one for one in looked_at if kind(one))
        if found:
            return found
    return ()


def without_repeats(texts: Iterable[Text | None]) -> tuple[Text, ...]:
    """The texts in their order, each once."""
    return tuple(dict.fromkeys(one for one in texts if one is not None))


def overruled(judged: tuple[Finding, ...], by: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What was judged and what is said later, about one thing only the later word: it is the stricter one."""
    own = {finding.id for finding in by}
    return (*(finding for finding in judged if finding.id not in own), *by)

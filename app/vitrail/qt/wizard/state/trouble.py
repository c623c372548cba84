# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong, as a page: what happened, what state the machine is in, what to do, where to go back to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unreadable, Unsettled, VitrailError
from vitrail.model.finding import Finding, Status
from vitrail.model.text import Text, text
from vitrail.qt.wizard.state.steps import Page


class Kind(StrEnum):
    """What kind of trouble, by the state that it leaves."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class TroublePage:
    """`written` tells whether the machine was touched; `back_to` is the page from which another answer can be given."""

    kind: Kind
    title: Text
    written: Text
    what: Text
    next_steps: tuple[Text, ...]
    against: tuple[Finding, ...]
    in_favour: tuple[Finding, ...]
    back_to: Page | None
    retry: Text | None


def trouble_page(error: VitrailError, during: Page) -> TroublePage:
    """The page for this error, met while `during` was being made."""
    kind = _kind(error)
    return TroublePage(
        kind=kind,
        title=text(f"wizard.trouble.{kind.value}.title"),
        written=text(f"wizard.trouble.{kind.value}.written"),
        what=error.what,
        next_steps=error.next_steps,
        against=tuple(one for one in error.findings if one.status is not Status.PASS),
        in_favour=tuple(one for one in error.findings if one.status is Status.PASS),
        back_to=_back_to(kind, during),
        retry=_retry(kind, during),
    )


def _kind(error: VitrailError) -> Kind:
    match error:
        case Refused():
            return Kind.REFUSED
        case Unreachable():
            return Kind.UNREACHABLE
        case Unreadable():
            return Kind.UNREADABLE
        case ApplyFailed():
            return Kind.FAILED
        case Unsettled() | _:
            return Kind.UNSETTLED


def _retry(kind: Kind, during: Page) -> Text | None:
    """Asking again helps where something did not answer; a refused write needs a new plan that is shown first."""
    if kind is Kind.REFUSED and during is Page.APPLY:
        return text("wizard.plan-again")
    return text("wizard.try-again") if kind in (Kind.UNREACHABLE, Kind.REFUSED) else None


def _back_to(kind: Kind, during: Page) -> Page | None:
    """Another mode can be chosen as long as nothing of this plan is on the machine."""
    if kind is Kind.UNSETTLED or during in (Page.CHECK, Page.TAKE_BACK):
        return None
    return Page.MODE if during in (Page.LOSSES, Page.REVIEW, Page.APPLY) else Page.PURPOSE

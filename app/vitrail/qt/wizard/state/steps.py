# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the questions, and the row of numbered circles that tells where the user is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.text import Text, text


class Page(StrEnum):
    """Every screen of the wizard."""

    RESUME = "resume"
    VM = "vm"
    PURPOSE = "purpose"
    SEEING = "seeing"
    MODE = "mode"
    LOSSES = "losses"
    REVIEW = "review"
    RESTART = "restart"
    HELPER = "helper"
    APPLY = "apply"
    BEFORE_RESTART = "before-restart"
    CHECK = "check"
    TAKE_BACK = "take-back"


class Place(StrEnum):
    """Where a step stands against the page that is shown."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class HeaderStep:
    """One numbered circle; `spoken` is the whole of it for a screen reader."""

    page: Page
    number: int
    label: Text
    place: Place
    spoken: Text


def order(
    *, vm_given: bool, stops_before_writing: bool, restarts: bool = False, helper_before: Page | None = None
) -> tuple[Page, ...]:
    """The pages in their order.

    A plan that this version does not write ends before anything is written; one that needs a restart ends before it,
    and goes on in the window that opens by itself afterwards. `helper_before`: the page before which the root's part is
    installed, None where it is not.
    """
    first = () if vm_given else (Page.VM,)
    asked = (Page.PURPOSE, Page.SEEING, Page.MODE, Page.LOSSES, Page.REVIEW)
    if stops_before_writing:
        last: tuple[Page, ...] = (Page.RESTART,)
    else:
        last = (Page.APPLY, Page.BEFORE_RESTART if restarts else Page.CHECK)
    pages = (*first, *asked, *last)
    if helper_before not in pages:
        return pages
    at = pages.index(helper_before)
    return (*pages[:at], Page.HELPER, *pages[at:])


def header(pages: tuple[Page, ...], shown: Page) -> tuple[HeaderStep, ...]:
    """The circles while this page is shown; pages beside the way (resume, take back) have no circle of their own."""
    at = {Page.RESUME: -1, Page.TAKE_BACK: len(pages) - 1}.get(shown)
    if at is None:
        at = pages.index(shown)
    return tuple(_step(page, number, at, len(pages)) for number, page in enumerate(pages))


def _step(page: Page, number: int, at: int, count: int) -> HeaderStep:
    place = Place.DONE if number < at else Place.CURRENT if number == at else Place.AHEAD
    label = text(f"wizard.step.{page.value}")
    spoken = text(f"wizard.step.spoken.{place.value}", number=number + 1, total=count, label=label)
    return HeaderStep(page, number + 1, label, place, spoken)


def after(pages: tuple[Page, ...], shown: Page) -> Page | None:
    """The page that follows, None after the last."""
    at = pages.index(shown)
    return pages[at + 1] if at + 1 < len(pages) else None


def before(pages: tuple[Page, ...], shown: Page) -> Page | None:
    """The page to go back to; None for the first, and where writing has begun: the way back is then Take back."""
    if shown in (Page.APPLY, Page.BEFORE_RESTART, Page.CHECK, Page.TAKE_BACK, Page.RESUME):
        return None
    at = pages.index(shown)
    return pages[at - 1] if at else None

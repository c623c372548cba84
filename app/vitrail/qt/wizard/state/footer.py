# SPDX-License-Identifier: GPL-3.0-or-later
"""The foot of every page: the one next step, the way back, the way out, and the sentence that says what is safe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.text import Text, text
from vitrail.qt.wizard.state.steps import Page, after, before


class Act(StrEnum):
    """What a button of the foot does."""

    NEXT = "next"
    BACK = "back"
    CLOSE = "close"
    STOP = "stop"
    KEEP = "keep"
    TAKE_BACK = "take-back"
    LOOK_AGAIN = "look-again"
    TAKE_BACK_NOW = "take-back-now"
    RETRY = "retry"
    CHOOSE_AGAIN = "choose-again"
    COPY = "copy"
    RESTART = "restart"
    MORE_TIME = "more-time"


@dataclass(frozen=True, slots=True)
class Press:
    """One button."""

    act: Act
    words: Text
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Footer:
    """`leave` stands at the left, `beside` before the primary button, `primary` is what Enter does."""

    leave: Press | None
    note: Text
    beside: tuple[Press, ...]
    primary: Press | None


_CANCEL = Press(Act.CLOSE, text("wizard.cancel"))
_CLOSE = Press(Act.CLOSE, text("wizard.close"))
_SAFE = text("wizard.nothing-written")


def question_footer(pages: tuple[Page, ...], page: Page, *, can_go_on: bool) -> Footer:
    """For a page that asks or shows, before anything is written."""
    back = before(pages, page) if page in pages else None
    beside = (Press(Act.BACK, text("wizard.back-button")),) if back is not None else ()
    following = Page.RESUME if page is Page.RESUME else after(pages, page)
    if following is None:
        return Footer(_CLOSE, _SAFE, beside, None)
    return Footer(_CANCEL, _SAFE, beside, Press(Act.NEXT, text(f"wizard.to.{following.value}"), can_go_on))


def empty_plan_footer() -> Footer:
    """For the review of a plan that has nothing to write."""
    return Footer(_CANCEL, _SAFE, (Press(Act.BACK, text("wizard.back-button")),), _CLOSE)


def stopped_footer() -> Footer:
    """For the page on which this version stops."""
    beside = (Press(Act.COPY, text("wizard.copy-plan")), Press(Act.BACK, text("wizard.back-button")))
    return Footer(_CLOSE, _SAFE, beside, Press(Act.CHOOSE_AGAIN, text("wizard.choose-again")))


def apply_footer(*, can_stop: bool) -> Footer:
    """While writing: stopping is offered only as long as it leaves nothing half done."""
    leave = Press(Act.STOP, text("wizard.stop"), enabled=can_stop)
    return Footer(leave, text("wizard.written-now"), (), None)


def check_footer(*, proven: bool) -> Footer:
    """Keep is the next step after a proof; without one it is looking again."""
    back = Press(Act.TAKE_BACK, text("wizard.take-back"))
    again = Press(Act.LOOK_AGAIN, text("wizard.check.again"))
    keep = Press(Act.KEEP, text("wizard.keep"))
    note = text("wizard.can-take-back")
    if proven:
        return Footer(None, note, (again, back), keep)
    return Footer(None, note, (again, keep), back)


def before_footer(*, ready: bool, restarts: bool) -> Footer:
    """Before the restart: now, later, or not at all."""
    note = text("wizard.before.note" if restarts else "wizard.before.simulated")
    later = Press(Act.CLOSE, text("wizard.before.later"))
    back = Press(Act.TAKE_BACK, text("wizard.take-back"))
    return Footer(later, note, (back,), Press(Act.RESTART, text("wizard.before.restart"), enabled=ready and restarts))


def proof_footer(*, can_keep: bool) -> Footer:
    """In the trial boot: the three answers. Where a promise is broken, taking back is the next step."""
    more = Press(Act.MORE_TIME, text("qt.proof.more-time"))
    back = Press(Act.TAKE_BACK_NOW, text("wizard.take-back-now"))
    keep = Press(Act.KEEP, text("qt.proof.keep"))
    note = text("qt.proof.note")
    return Footer(None, note, (more, back), keep) if can_keep else Footer(None, note, (more, keep), back)


def story_footer() -> Footer:
    """After a trial that did not last: another way, or nothing."""
    return Footer(_CLOSE, text("qt.story.note"), (), Press(Act.CHOOSE_AGAIN, text("wizard.choose-again")))


def closed_footer() -> Footer:
    """For a page with nothing left to answer."""
    return Footer(None, text("wizard.can-take-back"), (), _CLOSE)


def take_back_footer(*, done: bool, anything: bool) -> Footer:
    """Before the click: take back or leave it; after it: done."""
    if done or not anything:
        return Footer(None, text("wizard.can-take-back"), (), _CLOSE)
    now = Press(Act.TAKE_BACK_NOW, text("wizard.take-back-now"))
    return Footer(_CLOSE, _SAFE, (Press(Act.LOOK_AGAIN, text("wizard.back-button")),), now)


def trouble_footer(*, retry: Text | None, back_to: Page | None, written: bool) -> Footer:
    """Every error has a way on that is not only closing."""
    copy = Press(Act.COPY, text("wizard.copy"))
    note = text("wizard.can-take-back") if written else _SAFE
    words = "wizard.choose-again" if back_to is Page.MODE else "wizard.answer-again"
    ways = [
        *((Press(Act.CHOOSE_AGAIN, text(words)),) if back_to is not None else ()),
        *((Press(Act.RETRY, retry),) if retry is not None else ()),
        *((Press(Act.TAKE_BACK, text("wizard.take-back")),) if written else ()),
    ]
    return Footer(_CLOSE, note, (copy, *ways[:-1]), ways[-1] if ways else None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a moment that stuttered: who took the card, who waited, and what nobody saw."""

from __future__ import annotations

from typing import Any

import pytest

from vitrail.judge.stutter import what_happened
from vitrail.model.stutter import CardInstant, Instant, Stutter, VmInstant

MARK = 1_763_640_000.0


def vm(load: float | None, **said: Any) -> VmInstant:
    facts: dict[str, Any] = {"of_card": True, "vcpu_wait": 0.0, "disk_wait": 0.0, "name": "games", "card": "RTX"}
    return VmInstant(key=str(said.get("name", "games")), load=load, **(facts | said))


def card(load: float | None = 40.0, slowed: tuple[str, ...] | None = ()) -> CardInstant:
    return CardInstant("card", "RTX", load, slowed)


def moment(before: Instant, near: Instant) -> Stutter:
    ticks = [Instant(MARK + second, before.vms, before.cards) for second in range(-15, -8)]
    ticks += [Instant(MARK + second, near.vms, near.cards) for second in range(-8, 16)]
    return Stutter("1", MARK, tuple(ticks))


def ids(before: Instant, near: Instant) -> list[str]:
    return [sentence.id.removeprefix("judge.stutter.") for sentence in what_happened(moment(before, near))]


CALM = Instant(0, (vm(10.0),), (card(),))


def test_a_vm_that_took_the_card_is_named_with_before_and_after():
    sentence, *rest = what_happened(moment(CALM, Instant(0, (vm(80.0),), (card(),))))
    assert dict(sentence.args) == {"vm": "games", "card": "RTX", "percent": "80", "before": "10"}
    assert not rest


def test_of_its_share_is_said_where_it_is_of_its_share():
    share = Instant(0, (vm(10.0, of_card=False),), ())
    assert ids(share, Instant(0, (vm(80.0, of_card=False),), ())) == ["took-share"]


@pytest.mark.parametrize(
    ("near", "says"),
    [
        (Instant(0, (vm(12.0),), (card(99.0),)), ["card-busy-by"]),
        (Instant(0, (), (card(99.0),)), ["card-busy"]),
        (Instant(0, (vm(12.0),), (card(40.0, ("heat",)),)), ["slowed"]),
        (Instant(0, (vm(12.0, vcpu_wait=30.0),), (card(),)), ["vcpu-wait"]),
        (Instant(0, (vm(12.0, disk_wait=60.0),), (card(),)), ["disk-wait"]),
        (Instant(0, (vm(12.0),), (card(),)), ["nothing-seen"]),
        (Instant(0, (vm(None),), (card(),)), ["nothing-seen", "not-seen"]),
        (Instant(0, (vm(None, card=""),), (card(),)), ["nothing-seen"]),
    ],
)
def test_each_cause_is_said(near, says):
    assert ids(CALM, near) == says


def test_what_was_never_measured_is_not_calm():
    assert [sentence.id for sentence in what_happened(Stutter("1", MARK, ()))] == ["judge.stutter.nothing-measured"]

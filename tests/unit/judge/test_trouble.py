# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load's past tells: a leak before it is full, a card with no time left, a share that nobody uses."""

from __future__ import annotations

import pytest

from vitrail.judge.trouble import growth_of, judge_full, judge_growth, judge_saturation, judge_unused
from vitrail.model.finding import Severity, Status
from vitrail.model.sample import LoadPoint

TOTAL = 4096


def memory(*mib: int | None, every: float = 10.0) -> tuple[LoadPoint, ...]:
    return tuple(LoadPoint(place * every, 50.0, 50.0, one) for place, one in enumerate(mib))


def loads(*percent: float | None, every: float = 1.0) -> tuple[LoadPoint, ...]:
    return tuple(LoadPoint(place * every, one, one, 100) for place, one in enumerate(percent))


def test_a_leak_is_told_with_its_speed_and_the_time_left():
    points = memory(*(1000 + place for place in range(90)))
    growth = growth_of(points, TOTAL)
    assert growth is not None
    assert growth.mib_an_hour == pytest.approx(360)
    assert growth.seconds_left == pytest.approx((TOTAL - 1089) * 10)
    finding = judge_growth("win11", points, TOTAL)
    assert finding is not None
    assert (finding.id, finding.status, finding.severity) == ("load.memory-grows", Status.FAIL, Severity.WARNS)
    assert finding.evidence[0].value == "1000 MiB -> 1089 MiB / 4096 MiB, 890 s"
    assert finding.remedy is not None


@pytest.mark.parametrize(
    "points",
    [
        memory(*([1000] * 90)),
        memory(*(1000 + place % 30 * 10 for place in range(90))),
        memory(*(1000 + place for place in range(20))),
        memory(*([1000] * 45), *([1500] * 45)),
        memory(*(None for _ in range(90))),
        memory(*(2000 - place for place in range(90))),
        (),
    ],
    ids=["steady", "gives back", "too short", "one step", "unknown", "falls", "nothing"],
)
def test_what_is_no_leak_is_not_told(points):
    assert judge_growth("win11", points, TOTAL) is None


def test_a_leak_that_needs_days_is_not_told_yet():
    points = memory(*(1000 + place // 10 for place in range(900)))
    assert growth_of(points, 80_000) is not None
    assert judge_growth("win11", points, 80_000) is None


def test_a_leak_without_a_known_end_has_its_speed_only():
    finding = judge_growth("win11", memory(*(1000 + place for place in range(90))), None)
    assert finding is not None
    assert finding.title.id == "judge.trouble.grows"


@pytest.mark.parametrize(("used", "full"), [(4090, True), (4000, False), (None, False)])
def test_full_memory_is_told(used, full):
    assert (judge_full("win11", memory(used), TOTAL) is not None) is full


def test_a_busy_card_is_told_after_a_minute():
    assert judge_saturation("RTX 4070", loads(*([99.0] * 60))) is None
    finding = judge_saturation("RTX 4070", loads(*([99.0] * 90)))
    assert finding is not None
    assert finding.severity is Severity.WARNS


@pytest.mark.parametrize(
    "points",
    [
        loads(*([99.0] * 50), 20.0, *([99.0] * 50)),
        loads(*([99.0] * 90), 10.0),
        loads(*([99.0] * 50), None, *([99.0] * 50)),
        (),
    ],
    ids=["a pause", "over", "a gap", "nothing"],
)
def test_a_card_with_some_time_left_is_not_told(points):
    assert judge_saturation("RTX 4070", points) is None


def test_two_busy_stretches_with_nobody_looking_between_are_not_one():
    points = (LoadPoint(0.0, 99.0, 99.0, 1), LoadPoint(1000.0, 99.0, 99.0, 1))
    assert judge_saturation("RTX 4070", points) is None


def test_a_share_that_was_not_used_for_a_day_is_told():
    finding = judge_unused("win11", loads(*([0.2] * 1440), every=60.0))
    assert finding is not None
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "points",
    [loads(*([0.2] * 1000), every=60.0), loads(*([0.0] * 1440), 30.0, every=60.0), loads(*([None] * 2000), every=60.0)],
    ids=["too short", "used once", "unknown"],
)
def test_a_share_that_was_used_or_not_watched_is_not_told(points):
    assert judge_unused("win11", points) is None

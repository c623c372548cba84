# SPDX-License-Identifier: GPL-3.0-or-later
"""The restart in clock times."""

from __future__ import annotations

import pytest

from fakes.hosts import known
from vitrail.model.plan import GuardStrength
from vitrail.model.reading import Unknown
from vitrail.model.text import text
from vitrail.plan.timeline import ASSUMED_START_SECONDS, KEEP_SECONDS, LIMIT_SECONDS, Moment, timeline

NOW = 1_800_000_000.0


@pytest.mark.parametrize("strength", list(GuardStrength))
@pytest.mark.parametrize("seconds", [5, 74, 600, 3600])
def test_the_points_follow_each_other_in_time(strength, seconds):
    line = timeline(strength, NOW, known(seconds))
    times = [mark.at for mark in line.marks]
    assert times == sorted(times)
    assert times[0] == NOW


def test_the_guard_waits_five_minutes_after_the_login():
    line = timeline(GuardStrength.AUTOMATIC, NOW, known(74))
    at = {mark.moment: mark.at for mark in line.marks}
    assert at[Moment.GUARD] - at[Moment.LOGIN] == KEEP_SECONDS


@pytest.mark.parametrize("seconds", [5, 74, 3600])
def test_nobody_is_told_to_act_before_the_guard_has_acted(seconds):
    line = timeline(GuardStrength.AUTOMATIC, NOW, known(seconds))
    at = {mark.moment: mark.at for mark in line.marks}
    assert line.wait_until >= at[Moment.STARTS] + LIMIT_SECONDS
    assert line.wait_until >= at[Moment.GUARD]
    assert line.wait_until == at[Moment.BACK]


def test_what_builds_images_anew_before_it_restarts_is_waited_for_longer():
    trial, lasting = (
        timeline(strength, NOW, known(74)) for strength in (GuardStrength.AUTOMATIC, GuardStrength.GUARD_UNIT)
    )
    assert lasting.wait_until > trial.wait_until


def test_a_start_that_nobody_could_time_is_said_to_be_assumed():
    line = timeline(GuardStrength.AUTOMATIC, NOW, Unknown(text("tests.unread")))
    assert line.assumed
    assert line.start_seconds == ASSUMED_START_SECONDS
    assert not timeline(GuardStrength.AUTOMATIC, NOW, known(74)).assumed

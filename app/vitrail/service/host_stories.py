# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial that did not last, from what the guard noted to what the page shows, and what to try next."""

from __future__ import annotations

from vitrail.model.host_story import TrialSeen, WhyBack
from vitrail.model.reading import Known, Unknown
from vitrail.model.resume import TrialStory
from vitrail.model.text import Text, text

_SOURCE = "/var/lib/vitrail"
_WHY: dict[WhyBack, Text] = {
    WhyBack.NOT_KEPT: text("service.story.not-kept"),
    WhyBack.NOT_UP: text("service.story.not-up"),
    WhyBack.FELL_BACK: text("service.story.never-started"),
}
_ADVICE: dict[WhyBack, tuple[Text, ...]] = {
    WhyBack.NOT_KEPT: (text("service.story.try-again-and-keep"), text("service.story.other-cable")),
    WhyBack.NOT_UP: (text("service.story.read-the-lines"), text("service.story.other-card")),
    WhyBack.FELL_BACK: (text("service.story.undo-and-retry"), text("service.story.read-the-lines")),
}


def as_story(seen: TrialSeen) -> TrialStory:
    """What is shown of it."""
    unread = Unknown(text("service.story.nobody-looked"))
    return TrialStory(
        Known(seen.taken_at, _SOURCE),
        _WHY[seen.why],
        unread if seen.kernel_lines is None else Known(seen.kernel_lines, _SOURCE),
        unread
        if seen.drivers is None
        else Known(tuple((str(one.address), one.driver or "-") for one in seen.drivers), _SOURCE),
        unread if seen.outputs is None else Known(tuple((one.connector, one.status) for one in seen.outputs), _SOURCE),
        _ADVICE[seen.why],
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login finds: a page to open, or an entry that nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrail.model.errors import VitrailError
from vitrail.model.resume import ResumeStage

if TYPE_CHECKING:
    from vitrail.service.workplace import Workplace


def page_is_due(workplace: Workplace) -> bool:
    """Whether the proof or the story of what did not last is to be shown; the entry goes where nothing waits at all.

    What cannot be told is shown: a trial that nobody is asked about would be taken back.
    """
    try:
        stage = workplace.resume_state().stage
    except VitrailError:
        return True
    if stage is ResumeStage.NOTHING:
        workplace.drop_stale_resume()
    return stage in (ResumeStage.TRIAL, ResumeStage.TAKEN_BACK)

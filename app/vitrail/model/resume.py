# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a change to this computer stands between its first restart and the user's word: what the proof page shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.reading import Reading
from vitrail.model.text import Text


class ResumeStage(StrEnum):
    """Which of the pages is due."""

    NOTHING = "nothing"
    RESTART_DUE = "restart-due"
    """Applied, and this computer has not been restarted since."""
    TRIAL = "trial"
    """This boot is the trial: Keep, more time, or take back."""
    TAKEN_BACK = "taken-back"
    """The guard took it back, or the trial never came up and the old system started by itself."""


@dataclass(frozen=True, slots=True)
class TrialStory:
    """A trial that did not last: when and why, and what the computer looked like then."""

    taken_back_at: Reading[float]
    """Seconds since the epoch, UTC."""
    why: Text
    kernel_lines: Reading[tuple[str, ...]]
    drivers: Reading[tuple[tuple[str, str], ...]]
    """Address and the driver that it had then."""
    outputs: Reading[tuple[tuple[str, str], ...]]
    """Connector and what the kernel said of it then."""
    advice: tuple[Text, ...]
    """What to try next, the likeliest first."""


@dataclass(frozen=True, slots=True)
class ResumeState:
    """What awaits the user. `plan_id`, `vm_name` and `mode` are empty where nothing does."""

    stage: ResumeStage
    plan_id: str
    vm_name: str
    mode: str
    until: Reading[float]
    """When the guard takes it back, seconds since the epoch, UTC."""
    story: TrialStory | None = None

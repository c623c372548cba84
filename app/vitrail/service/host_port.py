# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door through which this computer itself is changed, whoever stands behind it.

On the machine itself that is the root helper; for a recording it is a copy in the state folder; for a computer that is
reached through libvirt alone there is none, and the port says why. Nothing above it knows which it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vitrail.model.errors import Refused
from vitrail.model.host_wire import HostRunOutcome, HostRunState, HostStepOutcome
from vitrail.model.outcome import RunState
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import Text, text

if TYPE_CHECKING:
    from vitrail.model.host_step import HostPlan
    from vitrail.model.host_story import KeptPlan
    from vitrail.model.resume import TrialStory

StepTold = Callable[[HostStepOutcome], None]
"""Told of each step as it ends, where that can be known."""

Begun = Callable[[str, str], None]
"""Told of each step's kind and subject as it begins: some of them take minutes."""

_IN_EFFECT = (RunState.APPLIED.value, RunState.INCOMPLETE.value, RunState.INTERRUPTED.value)


@dataclass(frozen=True, slots=True)
class HostStatus:
    """Every run on this computer, newest first, and those whose journal cannot be read."""

    runs: tuple[HostRunState, ...] = ()
    unreadable: tuple[str, ...] = ()

    def in_effect(self, plan_id: str) -> tuple[HostRunState, ...]:
        """The runs of a plan of which something may still be there, newest first."""
        return tuple(run for run in self.runs if run.plan_id == plan_id and is_in_effect(run))

    def awaiting(self) -> tuple[HostRunState, ...]:
        """What the user has to decide about."""
        return tuple(run for run in self.runs if run.awaits_keep)


def is_in_effect(run: HostRunState) -> bool:
    """Whether something of a run may still be there."""
    return run.state in _IN_EFFECT


class HostPort(Protocol):
    """Changes one computer and takes that back. Raises Refused, ApplyFailed, Unreachable and Unsettled."""

    @property
    def simulated(self) -> bool:
        """Whether nothing of the computer itself is touched."""

    def require(self) -> None:
        """Nothing, where a change can be carried out here. Raises Refused with what to do instead."""

    def apply(self, plan: HostPlan, told: StepTold | None = None, begun: Begun | None = None) -> HostRunOutcome:
        """Carry it out, or nothing of it."""

    def undo(self, plan_id: str, *, force: bool, begun: Begun | None = None) -> tuple[HostRunOutcome, ...]:
        """Take every run of a plan back, newest first; () where nothing of it is in effect."""

    def status(self) -> HostStatus:
        """What was done here. Nothing where nothing ever was."""

    def keep(self, plan_id: str, *, without_screen: bool, begun: Begun | None = None) -> HostRunState:
        """Make what is on trial lasting."""

    def extend(self, plan_id: str) -> None:
        """Give the trial fifteen more minutes."""

    def until(self, plan_id: str) -> Reading[float]:
        """When the guard takes the plan back, in seconds since the epoch."""

    def story(self, plan_id: str) -> TrialStory | None:
        """What became of a trial that was taken back; None where nothing is known of one."""

    def kept(self, plan_id: str) -> KeptPlan | None:
        """What a kept plan rested on when it was kept, and what there is of that now; None where that is not known."""

    def file(self, path: str) -> Reading[bytes | None]:
        """A file as it is now, Known(None) where there is none; the path is without its first slash."""

    def boot_id(self) -> Reading[str]:
        """Which boot this is."""


class NoHost:
    """No computer to change: one that only its libvirt is reached of, or a document without any."""

    simulated = False

    def __init__(self, why: Text, instead: Text) -> None:
        self._why = why
        self._instead = instead

    def _refused(self) -> Refused:
        return Refused(self._why, self._instead)

    def require(self) -> None:
        raise self._refused()

    def apply(self, plan: HostPlan, told: StepTold | None = None, begun: Begun | None = None) -> HostRunOutcome:
        del plan, told, begun
        raise self._refused()

    def undo(self, plan_id: str, *, force: bool, begun: Begun | None = None) -> tuple[HostRunOutcome, ...]:
        del plan_id, force, begun
        return ()

    def status(self) -> HostStatus:
        return HostStatus()

    def keep(self, plan_id: str, *, without_screen: bool, begun: Begun | None = None) -> HostRunState:
        del plan_id, without_screen, begun
        raise self._refused()

    def extend(self, plan_id: str) -> None:
        del plan_id
        raise self._refused()

    def until(self, plan_id: str) -> Reading[float]:
        del plan_id
        return Unknown(self._why)

    def story(self, plan_id: str) -> TrialStory | None:
        del plan_id
        return None

    def kept(self, plan_id: str) -> KeptPlan | None:
        del plan_id
        return None

    def file(self, path: str) -> Reading[bytes | None]:
        del path
        return Unknown(self._why)

    def boot_id(self) -> Reading[str]:
        return Unknown(self._why)


def no_host() -> NoHost:
    """The port of a computer that is reached through its libvirt alone."""
    return NoHost(text("service.host.remote"), text("service.host.remote.instead"))

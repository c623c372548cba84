# SPDX-License-Identifier: GPL-3.0-or-later
"""An ordered, reversible way from what is to what was chosen, complete before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.choice import Choice
from vitrail.model.finding import Finding
from vitrail.model.pci import DeviceIdentity
from vitrail.model.step import Step
from vitrail.model.text import Text
from vitrail.model.trial import OneShot


class Writer(StrEnum):
    """Who carries a phase out. Phases never mix writers."""

    USER = "user"
    """The user's own files, written as the user."""
    HOST = "host"
    VM = "vm"


class When(StrEnum):
    """At which word of the user's a phase is carried out."""

    APPLY = "apply"
    KEEP = "keep"
    """In the trial boot, once the user has seen that the computer is fine."""
    KEPT = "kept"
    """After that: only then does a VM get what the host phase made free."""


class GuardStrength(StrEnum):
    """What brings this computer back when the changed start goes wrong, strongest first."""

    AUTOMATIC = "automatic"
    """The change is tried for one start only: whatever happens, the next start is the old one."""
    BY_MENU = "by-menu"
    """The old entry stays in a menu that is on the screen."""
    GUARD_UNIT = "guard-unit"
    """Only the guard takes the change back, once the system runs so far."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How safe the restart is on this machine; `reasons` say why it is not stronger."""

    strength: GuardStrength
    one_shot: OneShot | None
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """Something this computer or this VM goes without: what, from when, until when."""

    what: Text
    when: Text
    until: Text


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps of one writer that are kept or taken back together. `writable`: this version can carry it out."""

    name: str
    writer: Writer
    steps: tuple[Step, ...]
    writable: bool
    when: When = When.APPLY


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written, and what it was judged on.

    `plan_id` is the first 16 hex digits of SHA-256 over choice, host digest, VM digest and steps; so the same plan made
    twice, in any language, has one id, and a machine or VM that changed in between has another.
    """

    plan_id: str
    choice: Choice
    vm_uuid: str
    vm_name: str
    host_digest: str
    vm_digest: str
    machine_id_hash: str | None
    boot_id: str | None
    identities: tuple[DeviceIdentity, ...]
    phases: tuple[Phase, ...]
    losses: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    guard: Guard | None = None
    """None where no restart is needed."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in its order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def needs_reboot(self) -> bool:
        """Whether something of it acts only at the next start of this computer."""
        return self.guard is not None

    @property
    def writable(self) -> bool:
        """Whether this version can carry out all of it."""
        return all(phase.writable for phase in self.phases)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wizard asks of the service, each as one piece of work for a thread. Nothing here knows of windows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from vitrail.judge.passthrough import apply_gates
from vitrail.judge.suggestion import cards_without_sockets, suggest
from vitrail.model.choice import Choice, gpu_of
from vitrail.model.finding import Finding
from vitrail.model.machine import Host
from vitrail.model.outcome import RunOutcome, StepOutcome
from vitrail.qt.restart.before import BeforePage, before_page
from vitrail.qt.wizard.draft_file import DraftFile
from vitrail.qt.wizard.state.draft import Draft, choice_of
from vitrail.qt.wizard.state.story import Planned, Weighed
from vitrail.service.workplace import Workplace


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The machine, and the answers that were kept the last time."""

    host: Host
    kept: Draft | None


def look(workplace: Workplace, drafts: DraftFile) -> FirstLook:
    """Read the machine and the kept draft."""
    return FirstLook(workplace.read(), drafts.load())


def weigh(workplace: Workplace, draft: Draft) -> Weighed:
    """Judge every mode anew on the machine as it is now."""
    host = workplace.read()
    vm = workplace.find_vm(host, draft.vm_uuid or "")
    verdicts = workplace.modes(host, vm, draft.purpose or "unknown")
    knowledge = workplace.knowledge
    blind = cards_without_sockets(host)
    suggestion = suggest(verdicts, knowledge, draft.purpose, draft.seeing, blind=blind)
    instead = suggest(verdicts, knowledge, draft.purpose, None) if suggestion is None else None
    return Weighed(host, vm, verdicts, suggestion, instead)


def make(workplace: Workplace, draft: Draft) -> tuple[Weighed, Planned]:
    """Plan what the draft asks for, on a new look: the list of modes may have stood there for long.

    Raises Refused with the findings that forbid it.
    """
    weighed = weigh(workplace, draft)
    choice = choice_of(draft)
    if choice is None:
        raise ValueError(draft)
    plan = workplace.plan(weighed.host, weighed.vm, choice)
    gates = _gates(weighed.host, choice)
    look = workplace.helper_to_look(plan)
    if look is not None:
        return weighed, Planned(plan, gates, look, looks=True)
    return weighed, Planned(plan, gates, workplace.needs_first(plan))


def install(workplace: Workplace, draft: Draft, planned: Planned) -> tuple[Weighed, Planned]:
    """Install what was shown and plan anew: with the root's part there is more to be seen."""
    if planned.first is not None:
        workplace.install_helper(planned.first)
    return make(workplace, draft)


def _gates(host: Host, choice: Choice) -> tuple[Finding, ...]:
    address = gpu_of(choice)
    gpu = None if address is None else host.gpu_at(address)
    return () if gpu is None else apply_gates(host, gpu)


def before_restart(workplace: Workplace, planned: Planned | None, host: Host | None) -> BeforePage | None:
    """What to have ready and what will happen when; None for a plan without a restart."""
    if planned is None or planned.plan.guard is None or host is None:
        return None
    return before_page(host, planned.plan, planned.plan.guard, time.time(), workplace.start_seconds())


@dataclass(frozen=True, slots=True)
class Tellers:
    """Who hears how far writing is; each may be called from any thread."""

    begun: Callable[[None], None]
    progress: Callable[[StepOutcome], None]


def write(workplace: Workplace, planned: Planned, stopped: Event, tell: Tellers) -> RunOutcome | None:
    """Carry the plan out; None where the user stopped it while it still waited for its turn."""
    if stopped.is_set():
        return None
    tell.begun(None)
    return workplace.apply(planned.plan, tell.progress)
